//! What a bucket remembers of resources that it must not hold any more: they were deleted, or moved to another bucket.
//!
//! A bucket's object is a join of all that it was ever given, so that it ends the same whatever the order. A row that
//! a correction or a deletion took away must not come back with an older version that is merged later: the greatest
//! version stays behind as a tombstone until a greater one names the bucket again. Tombstones stand in the Parquet
//! file after the last row group, where no reader looks that is not told to.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::index::{RecordKey, Version, decode_version, encode_version};

/// A resource whose greatest version is not in this bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The resource's type and id.
    pub key: RecordKey,
    /// Its greatest version.
    pub version: Version,
}

/// The tombstones of a bucket by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tombstones(BTreeMap<RecordKey, Version>);

impl Tombstones {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a tombstone in, if it is greater than the one that is there.
    pub(super) fn add(&mut self, tombstone: &Tombstone) {
        match self.0.get_mut(&tombstone.key) {
            Some(version) if *version >= tombstone.version => {}
            Some(version) => *version = tombstone.version.clone(),
            None => {
                self.0.insert(tombstone.key, tombstone.version.clone());
            }
        }
    }

    /// Whether a row of this version has to go; a row that is greater stays, and its tombstone goes.
    pub(super) fn bury(&mut self, key: RecordKey, version: impl FnOnce() -> Version) -> bool {
        match self.0.get(&key) {
            None => false,
            Some(greatest) if *greatest > version() => true,
            Some(_) => {
                self.0.remove(&key);
                false
            }
        }
    }

    /// The tombstones as bytes, sorted by resource.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 64);
        for (key, version) in &self.0 {
            bytes.extend(key.0.to_be_bytes());
            encode_version(version, &mut bytes);
        }
        let checksum = xxh3_64(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    /// Reads them back; none where the bytes are damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut rest, checksum) = bytes.split_last_chunk::<8>()?;
        if xxh3_64(rest).to_le_bytes() != *checksum {
            return None;
        }
        let mut tombstones = BTreeMap::new();
        while let Some((key, after)) = rest.split_first_chunk() {
            rest = after;
            tombstones.insert(RecordKey(u128::from_be_bytes(*key)), decode_version(&mut rest)?);
        }
        rest.is_empty().then_some(Tombstones(tombstones))
    }
}
