//! What the pipeline needs from outside, as small traits: [`ObjectStore`], [`Ledger`], [`Catalog`], [`Clock`].
//!
//! Every port has a memory version for tests and, where that makes sense, a disk version for one machine; the AWS
//! versions live in a crate of their own. Errors are told apart by what the caller should do ([`ErrorKind`]), never by
//! where they came from.
//!
//! The landed object is the truth. The ledger makes replays cheap; deterministic keys and conditional puts make them
//! safe.

pub mod catalog;
pub mod clock;
mod error;
pub mod ledger;
mod ports;
pub mod retry;
pub mod store;

pub use catalog::Catalog;
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{Error, ErrorKind, Result};
pub use ledger::{Begin, Claim, DiskLedger, Ledger, MemoryLedger, Receipt, WorkId};
pub use ports::{LANDING_FOLDER, LEDGER_FILE, Ports};
pub use retry::Retry;
pub use store::{
    Body, DiskStore, ETag, Listed, MemoryStore, Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions,
};
