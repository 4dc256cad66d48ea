//! Why a world could not be landed.

use metriccare_world::{DifferentWorlds, SpecError};

/// Why a world could not be landed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The spec asks for what cannot be.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The day is not one of the world's year.
    #[error("day {day}: the world's year is {year}")]
    Day {
        /// The day that was asked for.
        day: String,
        /// The year that the world lives.
        year: i32,
    },
    /// The job asks for what its view does not have.
    #[error(transparent)]
    Job(#[from] crate::JobError),
    /// A store failed.
    #[error(transparent)]
    Port(#[from] metriccare_ports::Error),
    /// The progress watcher ended the work; the same request writes the same objects again.
    #[error("ended after {done} of {of} ranges of patients, since there is no time for the rest")]
    Ended {
        /// Ranges that had landed.
        done: usize,
        /// Ranges in all.
        of: usize,
    },
    /// Bytes could not be compressed.
    #[error("compressing: {0}")]
    Compress(#[from] std::io::Error),
    /// The sums that a shard left cannot be read.
    #[error("{key}: these are no sums of a shard: {error}; land that shard again")]
    Sums {
        /// Where they lie in the lake bucket.
        key: String,
        /// What is wrong with them.
        error: serde_json::Error,
    },
    /// Two answer keys are of different worlds.
    #[error(transparent)]
    Answers(#[from] DifferentWorlds),
}
