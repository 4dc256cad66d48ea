//! What a batch of bronze files brings to silver: rows by bucket, and the versions that the record index takes in.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{Array, RecordBatch};
use bytes::Bytes;

use super::index::{Deletion, Entry, joined, of_rows};
use super::{Resource, Tombstone, read_bronze, split};
use crate::schema::BRONZE_DELETION;
use crate::table_file::{self, Columns, FileError};

/// The columns of bronze/deletion that silver is made from.
const DELETION: &[&str] = &["resource_type", "resource_id", "deleted_time", "version_id", "precombine_ts"];

/// Whether a key is that of a file of bronze/deletion.
fn holds_deletions(key: &str) -> bool {
    key.strip_prefix(BRONZE_DELETION.path).is_some_and(|rest| rest.starts_with('/'))
}

/// What is merged into one silver object.
#[derive(Clone, Debug, Default)]
pub struct ObjectInput {
    /// Bronze rows of the object's bucket.
    pub rows: Vec<RecordBatch>,
    /// Resources whose greatest version is not in the object's bucket.
    pub tombstones: Vec<Tombstone>,
}

/// What is merged into one bucket, by resource.
pub type BucketInput = BTreeMap<Resource, ObjectInput>;

/// What bronze files bring: the rows of each bucket, and one entry for each version that the index has to know.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    buckets: BTreeMap<u16, BucketInput>,
    entries: Vec<Entry>,
    /// Deletions of patients: the index does not know patients.
    patients: Vec<Entry>,
}

impl Incoming {
    /// Whether silver is made from the bronze file with this key.
    pub fn reads(key: &str) -> bool {
        Resource::of_bronze_key(key).is_some() || holds_deletions(key)
    }

    /// Reads a bronze file; what is of no table that silver is made from brings nothing.
    pub fn read(key: &str, bytes: &Bytes, buckets: u16) -> Result<Self, FileError> {
        let mut incoming = Incoming::default();
        if let Some(resource) = Resource::of_bronze_key(key) {
            incoming.add_rows(resource, &read_bronze(resource, key, bytes)?, buckets)?;
        } else if holds_deletions(key) {
            incoming.add_deletion_rows(&table_file::read(&BRONZE_DELETION, bytes, DELETION)?, buckets)?;
        }
        Ok(incoming)
    }

    /// Adds bronze rows of one resource.
    pub fn add_rows(&mut self, resource: Resource, rows: &RecordBatch, buckets: u16) -> Result<(), FileError> {
        self.entries.append(&mut of_rows(resource, rows, buckets)?);
        for (bucket, rows) in split(resource, rows, buckets)? {
            self.object(bucket, resource).rows.push(rows);
        }
        Ok(())
    }

    /// Adds the rows of bronze/deletion; a type that silver does not have brings nothing.
    fn add_deletion_rows(&mut self, rows: &RecordBatch, buckets: u16) -> Result<(), FileError> {
        let columns = Columns { table: &BRONZE_DELETION, batch: rows };
        let [types, ids, versions] = ["resource_type", "resource_id", "version_id"].map(|name| columns.text(name));
        let (types, ids, versions) = (types?, ids?, versions?);
        let (deleted, landed) = (columns.time("deleted_time")?, columns.time("precombine_ts")?);
        let deletions = (0..rows.num_rows()).filter_map(|row| {
            Some(Deletion {
                resource: Resource::ALL.into_iter().find(|resource| resource.fhir_type() == types.value(row))?,
                id: ids.value(row),
                deleted_time: deleted.is_valid(row).then(|| deleted.value(row)),
                version_id: versions.is_valid(row).then(|| versions.value(row)),
                precombine_ts: landed.is_valid(row).then(|| landed.value(row)),
            })
        });
        self.add_deletions(deletions, buckets);
        Ok(())
    }

    /// Adds deletions.
    pub fn add_deletions<'a>(&mut self, deletions: impl IntoIterator<Item = Deletion<'a>>, buckets: u16) {
        for deletion in deletions {
            let entries = if deletion.resource == Resource::Patient { &mut self.patients } else { &mut self.entries };
            entries.push(deletion.entry(buckets));
        }
    }

    /// Adds what other files bring.
    pub fn append(&mut self, mut other: Self) {
        self.entries.append(&mut other.entries);
        self.patients.append(&mut other.patients);
        for (bucket, input) in other.buckets {
            for (resource, mut input) in input {
                let object = self.object(bucket, resource);
                object.rows.append(&mut input.rows);
                object.tombstones.append(&mut input.tombstones);
            }
        }
    }

    /// The buckets that this brings something to, once the index has answered for it (and maybe for others).
    pub fn touched(&self, indexed: &[Entry]) -> BTreeSet<u16> {
        let own: BTreeSet<_> = self.entries.iter().map(|entry| entry.key).collect();
        let indexed = indexed.iter().filter(|entry| own.contains(&entry.key));
        let elsewhere = indexed.chain(&self.patients).flat_map(|entry| entry.elsewhere.iter().copied());
        self.buckets.keys().copied().chain(elsewhere).collect()
    }

    /// Takes out what the index has to take in, sorted and one for each resource.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        joined(std::mem::take(&mut self.entries))
    }

    /// What each bucket has to take in, once the index has answered with its entries of the batch's resources.
    pub fn by_bucket(mut self, indexed: &[Entry]) -> BTreeMap<u16, BucketInput> {
        let patients = std::mem::take(&mut self.patients);
        for entry in indexed.iter().chain(&patients) {
            for bucket in &entry.elsewhere {
                let tombstone = Tombstone { key: entry.key, version: entry.latest.clone() };
                self.object(*bucket, entry.resource).tombstones.push(tombstone);
            }
        }
        self.buckets
    }

    fn object(&mut self, bucket: u16, resource: Resource) -> &mut ObjectInput {
        self.buckets.entry(bucket).or_default().entry(resource).or_default()
    }
}
