//! Silver: the latest version of every resource, merged per bucket.
//!
//! Bronze rows are read ([`read_bronze`]), dealt to buckets by their patient ([`split`]) and merged into the bucket's
//! object ([`merge`]): last writer wins on (lastUpdated, versionId, landed time, content). The merge is a join of sets,
//! so that duplicates, replays and any order or batching of events reach the same bytes. What is derived from other
//! rows (a stay's prior stay) is computed from the merged rows alone.

pub mod class;
pub mod department;
pub mod disposition;
pub mod infection;
pub mod status;
pub mod stays;

mod bucket;
mod commit;
mod conform;
mod merge;
mod read;
mod resource;
mod version;

pub use bucket::{DEFAULT_BUCKETS, bucket_of, split};
pub use commit::SilverCommit;
pub(crate) use merge::length_days;
pub use merge::{Merged, merge};
pub use read::read_bronze;
pub use resource::Resource;

#[cfg(test)]
mod tests;
