//! What a batch of bronze files brings to silver: rows by bucket, and the versions that the record index takes in.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{Array, RecordBatch};
use bytes::Bytes;

use super::bucket::{buckets_of, by_bucket};
use super::conform::conform;
use super::index::{Deletion, Entry, of_rows};
use super::{Resource, Tombstone, read_bronze};
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
    /// Rows of the object's bucket in silver's words.
    pub rows: Vec<RecordBatch>,
    /// Resources whose greatest version is not in the object's bucket.
    pub tombstones: Vec<Tombstone>,
}

/// What is merged into one bucket, by resource.
#[cfg(test)]
type BucketInput = BTreeMap<Resource, ObjectInput>;

/// Bronze rows of one resource, and the bucket of each.
#[derive(Clone, Debug)]
struct BucketedRows {
    rows: RecordBatch,
    buckets: Vec<u16>,
}

/// Rows of one bucket and resource in silver's words, as [`Incoming::split`] gives them.
pub type SplitRows = (u16, Resource, RecordBatch);

/// What bronze files bring: rows with their buckets, and one entry for each version that the index has to know.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    rows: BTreeMap<Resource, Vec<BucketedRows>>,
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
        let buckets = buckets_of(resource, rows, buckets)?;
        self.entries.append(&mut of_rows(resource, rows, &buckets)?);
        self.rows.entry(resource).or_default().push(BucketedRows { rows: rows.clone(), buckets });
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
        for (resource, mut rows) in other.rows {
            self.rows.entry(resource).or_default().append(&mut rows);
        }
    }

    /// The buckets that this brings something to, without those that only the index knows.
    pub fn touched(&self) -> BTreeSet<u16> {
        let deleted = self.patients.iter().flat_map(|entry| entry.elsewhere.iter().copied());
        let rows = self.rows.values().flatten().flat_map(|rows| rows.buckets.iter().copied());
        rows.chain(deleted).collect()
    }

    /// Takes out what the index has to take in, one entry for each version.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Takes out the deletions of patients, as what the index would answer.
    pub fn take_deleted_patients(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.patients)
    }

    /// Takes out the rows of each bucket, in silver's words.
    pub fn split(&mut self) -> Result<Vec<SplitRows>, FileError> {
        let mut split = Vec::new();
        for (resource, parts) in std::mem::take(&mut self.rows) {
            let buckets: Vec<u16> = parts.iter().flat_map(|part| part.buckets.iter().copied()).collect();
            let bronze: Vec<RecordBatch> = parts.into_iter().map(|part| part.rows).collect();
            let rows = conform(resource, &bronze)?;
            drop(bronze);
            split.extend(by_bucket(resource, &rows, &buckets)?.into_iter().map(|(at, rows)| (at, resource, rows)));
        }
        Ok(split)
    }

    /// What each bucket has to take in, once the index has answered with its entries of the batch's resources.
    #[cfg(test)]
    pub(crate) fn by_bucket(mut self, indexed: &[Entry]) -> Result<BTreeMap<u16, BucketInput>, FileError> {
        let mut inputs: BTreeMap<u16, BucketInput> = BTreeMap::new();
        for (bucket, resource, rows) in self.split()? {
            inputs.entry(bucket).or_default().entry(resource).or_default().rows.push(rows);
        }
        for entry in indexed.iter().chain(&self.patients) {
            for (bucket, tombstone) in entry.tombstones() {
                let input = inputs.entry(bucket).or_default();
                input.entry(entry.resource).or_default().tombstones.push(tombstone);
            }
        }
        Ok(inputs)
    }
}
