//! Silver: the latest version of every resource, merged per bucket.
//!
//! Bronze files are read and split into buckets by their patient ([`Incoming`]), the record index says where else their
//! resources have been ([`index`]), and rows and tombstones are merged into the bucket's objects ([`merge`]): last writer
//! wins on (lastUpdated, versionId, deletion, landed time, content). The merge is a join of sets, so that duplicates,
//! replays and any order or batching of events reach the same bytes. What is derived from other rows (a stay's prior
//! stay) is computed from the merged rows alone.

pub mod class;
pub mod death;
pub mod department;
pub mod disposition;
pub mod index;
pub mod infection;
pub mod status;
pub mod stays;

mod bucket;
mod commit;
mod conform;
mod derived;
mod incoming;
mod merge;
mod read;
mod resource;
mod spill;
mod tombstones;
mod version;

pub use bucket::{DEFAULT_BUCKETS, bucket_of, split};
pub use commit::SilverCommit;
pub(crate) use derived::length_days;
pub use incoming::{Incoming, ObjectInput, SplitRows};
pub use merge::{Merged, merge, merge_with};
pub use read::read_bronze;
pub use resource::Resource;
pub use spill::{decode_rows, encode_rows};
pub use tombstones::Tombstone;

#[cfg(test)]
mod tests;
