//! A deterministic simulation: from one seed follow what lands, in which order it is notified, what breaks, who stands still,
//! when leases lapse, and which of up to eight handlers makes the next call.
//!
//! The handlers are the real ones; the ports are in memory. After every schedule the lake has to be, byte for byte, what it is
//! when nothing breaks. The laws of the ledger and of bronze are checked at every call.

mod compared;
mod inputs;
mod ports;
mod schedule;
mod soak;
mod turns;
mod upkeep;
mod variant;
mod withdrawn;

pub use inputs::{HOSPITALS, Inputs};
pub use schedule::{Ended, Schedule};
pub use soak::{Divergence, Soak, inputs_of, seed_of, shortened, soak, soak_watched};
pub use turns::Injected;
pub use variant::Variant;
pub use withdrawn::Withdrawable;
