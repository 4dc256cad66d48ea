//! What the laws are tested with: a small cloud in memory, objects that land in it, and what a lake holds afterwards.
//!
//! [`Cloud`] plays S3 and SQS around the real handlers: every put below a notifying prefix sends a message, so a test
//! sees whether a crash after a commit still wakes the next stage. [`landed`] and [`simulated`] are the inputs, the first
//! written by hand for the cases that hurt. [`LakeContents`] is what two lakes are compared by.

pub mod backlog;
pub mod cloud;
mod contents;
pub mod crowded;
pub mod delayed;
mod discarded;
pub mod engines;
pub mod files;
pub mod landed;
pub mod mangle;
mod notifying;
pub mod python;
pub mod simulated;
pub mod simulation;
mod together;

pub use cloud::{Cloud, Process};
pub use contents::{LakeContents, column};
pub use discarded::{DiscardedFile, DiscardingSinks};
pub use landed::Landed;
pub use notifying::NotifyingStore;
