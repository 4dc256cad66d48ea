//! Gold: the stay ledger and the metrics, by the rules of the metric definitions.
//!
//! [`measure`] turns one bucket of silver into its stay ledger and a [`Partial`] of integers; [`Fold`] adds the partials
//! of all buckets and writes the final tables, and only there makes floats. Both are pure: gold is a function of silver
//! and of the hospitals' reference file.

pub mod cohorts;
pub mod counts;
pub mod hospitals;
pub mod interval;
pub mod national;
pub mod reason;
pub mod verdict;

mod deaths;
mod facts;
mod fold;
mod infections;
mod ledger;
mod measure;
mod partial;
mod rows;
mod stay;
mod tables;
mod tally;
mod totals;

pub use counts::Sums;
pub use facts::SilverBucket;
pub use fold::Fold;
pub use hospitals::{Hospital, Hospitals, HospitalsError};
pub use infections::begins_in_hospital;
pub use measure::{Measured, inputs_digest, measure};
pub use partial::{Name, Partial, PartialError, RULES};

#[cfg(test)]
mod tests;
