//! One patient's year, as an event log: who they are, what they have, and every contact with a hospital.
//!
//! The log is the truth that all views and the answer key are made from. It knows what happens after the year's end
//! too (when an open stay will end); a view shows what is known at its own point in time. Nothing happens after death,
//! stays do not overlap, and other visits keep clear of stays.

mod admission;
mod chronic;
mod condition;
mod conditions;
mod encounter;
mod faults;
mod infection;
mod infections;
mod log;
mod observer;
mod person;
mod simulate;
mod stay;
mod stays;
#[cfg(test)]
mod tests;
mod visits;

pub use condition::{Condition, ConditionKind};
pub(crate) use encounter::LONGEST_PATH;
pub use encounter::{DeviceDays, Encounter, Segment};
pub use faults::LifeFaults;
pub(crate) use faults::inject;
pub use infection::Infection;
pub use log::Life;
pub use observer::LifeObserver;
pub use person::{Language, Person};
