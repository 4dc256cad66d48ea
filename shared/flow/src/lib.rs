//! The handler core: one message in, one outcome out. The same code runs on Lambda and on a laptop.
//!
//! A [`Worker`] carries the objects that events name through the stages [`bronze`], [`silver`] and [`gold`]. Every
//! stage claims its work in the ledger, writes its commit last, and may be told the same thing any number of times.

mod bronze;
pub mod event;
mod outcome;
mod silver;
mod spool;
mod worker;

pub use bronze::bronze;
pub use outcome::{FlowError, Outcome};
pub use silver::{SilverCommit, silver};
pub use worker::Worker;
