//! Dirty data, on purpose: what real systems get wrong, at stated rates, and what the lake has to make of each fault.
//!
//! Three kinds of dirt. What is in a life (overlapping stays, encounters entered in error) is counted by the answer key
//! as any other encounter is. What is in the way a record is written or delivered must not change a metric. What is
//! broken comes in addition to the good record, so that the key knows exactly what the quarantine has to hold.

mod dial;
mod kinds;

pub use dial::Dial;
pub use kinds::{Dirt, ExpectedOutcome};
