//! Calibration: what the world turned out to be, beside the published figures it is meant to match.
//!
//! Counts are added life by life, so that a report is a sum over shards like the answer key; every row names its band
//! and its source, and says whether the figure is inside. A few thousand patients scatter widely around the bands,
//! which hold for a hundred thousand.

mod figures;
mod ratio;
mod sums;
#[cfg(test)]
mod tests;

pub use figures::Figure;
pub use sums::Calibration;
