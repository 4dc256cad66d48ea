//! What the pipeline needs from outside, as small traits: [`ObjectStore`], [`Ledger`], [`Queue`], [`Catalog`], [`Clock`].
//!
//! Every port has a memory version for tests and, where that makes sense, a disk version for one machine; the AWS
//! versions live in a crate of their own. With the feature `testing`, one suite of laws (`conformance`) runs on all of
//! them, and `faulty` makes any of them fail on purpose. Errors differ by what the caller should do ([`ErrorKind`]),
//! never by where they came from.
//!
//! The landed object is the truth. The ledger makes replays cheap; deterministic keys and the compare-and-swap of
//! [`register`] make them safe.

pub mod catalog;
pub mod clock;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod error;
#[cfg(any(test, feature = "testing"))]
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
    Body, DiskStore, ETag, Listed, ListedVersion, MemoryStore, Object, ObjectMeta, ObjectStore, Payload, PrefixStore,
    PutMode, PutOptions,
};
