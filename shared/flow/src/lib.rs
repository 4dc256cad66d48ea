//! What a function is, and the one road of a message. The same code runs on Lambda and on a laptop.
//!
//! A [`Function`] says how its messages decode, which work they ask for, and how that is done: [`Bronze`], [`Silver`] and
//! [`Gold`] here, the generator in the crate that lands worlds. [`serve`] takes an invocation's payload, decodes it once,
//! claims the work in the ledger, runs it before the deadline, isolates panics, and gives a [`Report`] for each message.
//! [`drive`] does for a lake on one machine what notifications and queues do on AWS.

pub mod event;

mod bronze;
mod claims;
mod committed;
mod compact;
mod drive;
mod error;
mod function;
mod gold;
mod memory;
mod process;
mod rebuild;
mod reconcile;
mod record_index;
mod report;
mod serve;
mod settings;
mod silver;
mod spool;
mod star;
mod upstream;
mod withdraw;
mod worker;

pub use bronze::Bronze;
pub use committed::FileRows;
pub use compact::{CompactOptions, CompactReport, Compactions, Stage, compact, end_compactions, own_files};
pub use drive::{Driven, Progress, Unwatched, drive};
pub use error::{FlowError, key_digest};
pub use function::{Function, Prepared};
pub use gold::{Gold, refresh};
pub use process::process;
pub use rebuild::{RebuildFrom, rebuild};
pub use reconcile::{Found, Window, find_missing};
pub use report::{Delivery, Done, ItemResult, MessageResult, Outcome, Report, RetryReason};
pub use serve::{answer, serve};
pub use settings::read_settings;
pub use silver::Silver;
pub use upstream::Upstream;
pub use withdraw::{
    PatientPlan, PatientWithdrawn, WithdrawalPlan, Withdrawn, withdraw, withdraw_patient, withdrawn_objects,
};
pub use worker::{Worker, side_by_side};
