//! Reading the rows that commits name: a file of its own, or the rows of landed objects in a compacted file.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use bytes::Bytes;
use metriccare_lake::{
    bronze::{CommittedFile, ObjectRows, rows_of, without_rows},
    schema::{TABLES, Table},
};
use metriccare_ports::{ObjectStore, PutMode};

use crate::{error::FlowError, worker::compute};

/// A bronze file, and the objects whose rows in it count; all rows count where no objects are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRows {
    /// The file's key.
    pub key: String,
    /// Its table, such as `bronze/encounter`.
    pub table: String,
    /// How many rows count.
    pub(crate) rows: u64,
    objects: BTreeSet<ObjectRows>,
}

impl From<&CommittedFile> for FileRows {
    fn from(file: &CommittedFile) -> Self {
        let objects = file.rows_of.iter().cloned().collect();
        FileRows { key: file.key.clone(), table: file.table.clone(), rows: file.rows, objects }
    }
}

impl FileRows {
    /// Whether the file may hold rows of other objects too.
    pub fn is_shared(&self) -> bool {
        !self.objects.is_empty()
    }

    /// The files of commits, each file once.
    pub(crate) fn joined<'a>(files: impl IntoIterator<Item = &'a CommittedFile>) -> Vec<FileRows> {
        let mut joined: BTreeMap<&str, FileRows> = BTreeMap::new();
        for file in files {
            let own = FileRows::from(file);
            match joined.entry(&file.key) {
                Entry::Vacant(place) => {
                    place.insert(own);
                }
                Entry::Occupied(mut other) => {
                    let other = other.get_mut();
                    other.rows += own.rows;
                    other.objects.extend(own.objects);
                }
            }
        }
        joined.into_values().collect()
    }

    /// Reads the rows as a Parquet file; none where the file is gone.
    ///
    /// # Errors
    /// What the store does, and a compacted file that cannot be read.
    pub async fn read_opt(&self, lake: &dyn ObjectStore) -> Result<Option<Bytes>, FlowError> {
        match lake.read_opt(&self.key).await? {
            Some((_, bytes)) => self.select(bytes).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads the rows as a Parquet file.
    ///
    /// # Errors
    /// What the store does, and a compacted file that cannot be read.
    pub async fn read(&self, lake: &dyn ObjectStore) -> Result<Bytes, FlowError> {
        let bytes = lake.get(&self.key).await?.body.bytes().await?;
        self.select(bytes).await
    }

    /// The rows of a file that was read, as a Parquet file.
    ///
    /// # Errors
    /// A compacted file that cannot be read.
    pub async fn select(&self, bytes: Bytes) -> Result<Bytes, FlowError> {
        if self.objects.is_empty() {
            return Ok(bytes);
        }
        let (table, objects) = (table_of(&self.key, &self.table)?, self.objects.clone());
        let rows = compute(&self.key, move || rows_of(table, &bytes, &objects)).await?;
        rows.map_err(|source| FlowError::File { key: self.key.clone(), source })
    }

    /// Takes the rows out of a compacted file, and the file away where none is left. A file of its own is deleted.
    pub(crate) async fn remove(&self, lake: &dyn ObjectStore) -> Result<(), FlowError> {
        if self.objects.is_empty() {
            return Ok(lake.delete(&self.key).await?);
        }
        let Some((meta, bytes)) = lake.read_opt(&self.key).await? else { return Ok(()) };
        let (table, objects) = (table_of(&self.key, &self.table)?, self.objects.clone());
        let left = compute(&self.key, move || without_rows(table, &bytes, &objects)).await?;
        match left.map_err(|source| FlowError::File { key: self.key.clone(), source })? {
            Some(left) if left.rows == 0 => lake.delete(&self.key).await?,
            Some(left) => {
                lake.put(&self.key, left.bytes.into(), PutMode::IfMatch(meta.etag)).await?;
            }
            None => {}
        }
        Ok(())
    }
}

/// The table of a bronze file.
pub(crate) fn table_of(key: &str, path: &str) -> Result<&'static Table, FlowError> {
    let unknown = || FlowError::Document { key: key.to_owned(), reason: format!("the lake has no table {path}") };
    TABLES.iter().copied().find(|table| table.path == path).ok_or_else(unknown)
}
