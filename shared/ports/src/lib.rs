//! What the pipeline needs from outside, as small traits: [`ObjectStore`], [`Ledger`], [`Queue`], [`Catalog`], [`Clock`].
//!
//! Every port has a memory version for tests and, where that makes sense, a disk version for one machine; the AWS
//! versions live in a crate of their own. One suite of laws, [`conformance`], runs on all of them, and [`faulty`] breaks
//! any of them on purpose. Errors are told apart by what the caller should do ([`ErrorKind`]), never by where they
//! came from.
//!
//! The landed object is the truth. The ledger makes replays cheap; deterministic keys and the compare-and-swap of
//! [`register`] make them safe.

pub mod catalog;
pub mod clock;
pub mod conformance;
mod error;
pub mod faulty;
pub mod ledger;
mod ports;
pub mod queue;
pub mod register;
pub mod retry;
pub mod store;

pub use catalog::Catalog;
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{Error, ErrorKind, Result};
pub use ledger::{Begin, Claim, DiskLedger, Ledger, MemoryLedger, ObjectLedger, Receipt, WorkId};
pub use ports::{LANDING_FOLDER, LEDGER_FILE, Ports};
pub use queue::{MemoryQueue, Message, Queue};
pub use retry::Retry;
pub use store::{
    Below, Body, DiskStore, ETag, Listed, MemoryStore, Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions,
};
