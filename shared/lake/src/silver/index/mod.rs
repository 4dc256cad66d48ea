//! The record-level index: for every resource its greatest version, where that lives, and every other bucket that a
//! version of it ever named.
//!
//! Identity is the type and the id, but buckets go by patient. A version that names another patient moves its resource
//! to another bucket, and a deletion names no patient at all: only the index knows where a resource has been. An
//! [`Entry`] only ever grows ([`Entry::join`]), so that it ends the same whatever the order in which versions come.
//!
//! The protocol of a merge: first the index takes in all versions of the batch ([`Page`]), then every bucket that the
//! joined entries name is merged, with the batch's rows and with a [`Tombstone`] where the greatest
//! version is elsewhere, then the buckets are committed. Of two merges that handle versions of one resource, the one
//! whose entry joins later sees the other's bucket and its version, and brings them together; a merge that was killed
//! in between is delivered again, and does all of it again. Patients need no entry: their own id names their bucket.

mod codec;
mod page;
mod sightings;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use xxhash_rust::xxh3::xxh3_128_with_seed;

pub use super::version::{ContentId, Version, VersionId};
use super::{Resource, Tombstone};
pub(super) use codec::{decode_version, encode_version};
pub use page::{DamagedPage, PAGE_ENTRIES, Page, Step};
pub use sightings::Deletion;
pub(super) use sightings::of_rows;

/// A resource's type and id as 128 bits: XXH3-128 of the id, seeded by the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(pub(super) u128);

impl RecordKey {
    /// The key of a resource.
    pub fn of(resource: Resource, id: &str) -> Self {
        RecordKey(xxh3_128_with_seed(id.as_bytes(), u64::from(resource.code())))
    }
}

/// What the index knows of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The resource's type and id.
    pub key: RecordKey,
    /// The resource's type.
    pub resource: Resource,
    /// The greatest version.
    pub latest: Version,
    /// The bucket in which the greatest version lives; none where it is a deletion.
    pub bucket: Option<u16>,
    /// Every other bucket that a version ever named, ascending: where it must not live any more.
    pub elsewhere: Vec<u16>,
}

impl Entry {
    /// Takes in what another entry of the same resource knows.
    pub fn join(&mut self, other: &Entry) {
        if (&other.latest, other.bucket) > (&self.latest, self.bucket) {
            let left = std::mem::replace(&mut self.bucket, other.bucket);
            self.latest = other.latest.clone();
            self.elsewhere.extend(left);
        } else {
            self.elsewhere.extend(other.bucket);
        }
        self.elsewhere.extend_from_slice(&other.elsewhere);
        self.elsewhere.sort_unstable();
        self.elsewhere.dedup();
        self.elsewhere.retain(|bucket| Some(*bucket) != self.bucket);
    }
}

impl Entry {
    /// What the buckets in which the resource must not live any more have to know.
    pub fn tombstones(&self) -> impl Iterator<Item = (u16, Tombstone)> + '_ {
        let tombstone = || Tombstone { key: self.key, version: self.latest.clone() };
        self.elsewhere.iter().map(move |bucket| (*bucket, tombstone()))
    }

    /// Appends the entry with its key, as [`Entry::decode`] reads it.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.key.0.to_le_bytes());
        codec::encode_entry(self, bytes);
    }

    /// Takes an entry from the front of the bytes; none where they are no entry.
    pub fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let key = RecordKey(u128::from_le_bytes(codec::take(bytes)?));
        codec::decode_entry(key, bytes)
    }
}

impl RecordKey {
    /// The first eight bits, by which keys are partitioned in their order.
    pub fn first_byte(self) -> u8 {
        (self.0 >> 120) as u8
    }
}

/// Entries as the index takes them: sorted by key, one for each resource.
pub fn joined(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_unstable_by_key(|entry| entry.key);
    entries.dedup_by(|next, kept| {
        let same = next.key == kept.key;
        if same {
            kept.join(next);
        }
        same
    });
    entries
}
