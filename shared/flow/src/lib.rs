//! The handler core: one message in, one outcome out. The same code runs on Lambda and on a laptop.
//!
//! [`handle`] decodes a batch of messages and carries the objects that they name through a stage: [`bronze()`],
//! [`silver()`] or [`gold()`]. Every stage claims its work in the ledger, writes its commit last, and may be told the same
//! thing any number of times. [`invoke`] is what a Lambda calls: it keeps every failure with its message. [`drive`] does
//! for a lake on one machine what notifications and queues do on AWS.

pub mod event;

mod batch;
mod bronze;
mod drive;
mod gold;
mod invoke;
mod outcome;
mod silver;
mod spool;
mod stage;
mod worker;

pub use batch::{Again, Verdict, handle};
pub use bronze::bronze;
pub use drive::{Driven, Progress, drive};
pub use gold::{gold, refresh};
pub use invoke::{InvokeError, Missed, Told, answer, invoke};
pub use outcome::{FlowError, Outcome};
pub use silver::{SilverCommit, silver};
pub use stage::Stage;
pub use worker::Worker;
