//! The versions of a batch as the index takes them in: which bucket each names, and what was deleted.

use arrow_array::{Array, RecordBatch};

use super::{ContentId, Entry, RecordKey, Resource, Version, VersionId};
use crate::silver::bucket::bucket_of;
use crate::silver::version::VersionColumns;
use crate::table_file::{Columns, FileError};

/// What bronze rows tell the index: one entry a row. Patients have none, because their own id names their bucket.
pub(in crate::silver) fn of_rows(
    resource: Resource,
    rows: &RecordBatch,
    buckets: &[u16],
) -> Result<Vec<Entry>, FileError> {
    if resource == Resource::Patient {
        return Ok(Vec::new());
    }
    let columns = Columns { table: resource.bronze(), batch: rows };
    let ids = columns.text(resource.id_column())?;
    let versions = VersionColumns::new(columns)?;
    let entry = |(row, bucket): (usize, &u16)| {
        let key = RecordKey::of(resource, ids.value(row));
        Entry { key, resource, latest: versions.version(row), bucket: Some(*bucket), elsewhere: Vec::new() }
    };
    Ok(buckets.iter().enumerate().filter(|(row, _)| ids.is_valid(*row)).map(entry).collect())
}

/// A version that says that a resource is gone: a row of bronze/deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion<'a> {
    /// The resource's type.
    pub resource: Resource,
    /// The resource's id.
    pub id: &'a str,
    /// When it was deleted, in UTC microseconds.
    pub deleted_time: Option<i64>,
    /// The version that the deletion is.
    pub version_id: Option<&'a str>,
    /// When the deletion landed, in UTC microseconds.
    pub precombine_ts: Option<i64>,
}

impl Deletion<'_> {
    /// What the deletion tells the index; of a patient, whose bucket is known, what the index would answer.
    pub(in crate::silver) fn entry(&self, buckets: u16) -> Entry {
        let latest = Version {
            last_updated: self.deleted_time,
            version_id: VersionId::of_deletion(self.version_id),
            deletion: true,
            precombine_ts: self.precombine_ts,
            content_id: ContentId::Missing,
            patient_id: None,
        };
        let key = RecordKey::of(self.resource, self.id);
        let elsewhere = match self.resource {
            Resource::Patient => vec![bucket_of(Some(self.id), self.id, buckets)],
            Resource::Encounter | Resource::Condition => Vec::new(),
        };
        Entry { key, resource: self.resource, latest, bucket: None, elsewhere }
    }
}
