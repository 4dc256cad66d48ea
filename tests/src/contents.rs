//! What a lake holds: what two deliveries of the same objects are compared by.
//!
//! Everything is compared byte for byte, bronze and commits too, but for the ingest log: which of two landed objects
//! with the same bytes is called the duplicate depends on who came first, so its rows are compared without the status.

use std::{collections::BTreeMap, fmt::Write as _};

use bytes::Bytes;
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::{Cell, read_rows},
    keys,
    schema::{BRONZE_INGEST_LOG, TABLES, Table},
};

use crate::Cloud;

/// The objects of a lake.
#[derive(Clone, Debug, PartialEq)]
pub struct LakeContents {
    objects: BTreeMap<String, Bytes>,
    log: Vec<Vec<Cell>>,
}

impl LakeContents {
    /// The lake of a cloud as it is now.
    pub fn of(cloud: &Cloud) -> Self {
        Self::of_objects(cloud.lake.snapshot())
    }

    /// The lake that these objects make.
    ///
    /// # Panics
    /// Where a file of the ingest log cannot be read.
    pub fn of_objects(mut objects: BTreeMap<String, Bytes>) -> Self {
        let logs = |key: &String| key.starts_with(BRONZE_INGEST_LOG.path);
        let mut log = Vec::new();
        for (_, bytes) in objects.iter().filter(|(key, _)| logs(key)) {
            log.extend(read_rows(&BRONZE_INGEST_LOG, bytes).expect("a row of the ingest log"));
        }
        objects.retain(|key, _| !logs(key));
        let status = column(&BRONZE_INGEST_LOG, "status");
        for row in &mut log {
            if row[status] == Cell::Text("DUPLICATE".to_owned()) {
                row[status] = Cell::Text("COMPLETED".to_owned());
            }
        }
        log.sort_by(|a, b| a.partial_cmp(b).expect("no floats"));
        Self { objects, log }
    }

    /// The rows of the ingest log, sorted, with duplicates called completed.
    pub fn ingest_log(&self) -> &[Vec<Cell>] {
        &self.log
    }

    /// Every object but those of the ingest log.
    pub fn objects(&self) -> &BTreeMap<String, Bytes> {
        &self.objects
    }

    /// The commits of the landed objects.
    ///
    /// # Panics
    /// Where one cannot be read.
    pub fn commits(&self) -> Vec<BronzeCommit> {
        let commits = self.objects.iter().filter(|(key, _)| key.starts_with(keys::BRONZE_COMMITS));
        commits.map(|(_, bytes)| serde_json::from_slice(bytes).expect("a commit")).collect()
    }

    /// The rows of a table, over all its files in the order of their keys.
    ///
    /// # Panics
    /// Where a file cannot be read.
    pub fn rows(&self, table: &'static Table) -> Vec<Vec<Cell>> {
        let prefix = format!("{}/", table.path);
        let files = self.objects.iter().filter(|(key, _)| key.starts_with(&prefix));
        files.flat_map(|(_, bytes)| read_rows(table, bytes).expect("a file of the table")).collect()
    }

    /// Says what differs from another lake, in words; nothing where they are the same.
    pub fn difference(&self, other: &Self) -> Option<String> {
        self.difference_where(other, |_| true)
    }

    /// As [`LakeContents::difference`], of the ingest logs and of the objects whose keys are compared.
    pub(crate) fn difference_where(&self, other: &Self, is_compared: impl Fn(&str) -> bool) -> Option<String> {
        if self.log != other.log {
            return Some(format!("the ingest logs differ:\n{:?}\n{:?}", self.log, other.log));
        }
        for key in self.objects.keys().chain(other.objects.keys()).filter(|key| is_compared(key)) {
            let (ours, theirs) = (self.objects.get(key), other.objects.get(key));
            if ours == theirs {
                continue;
            }
            let (Some(ours), Some(theirs)) = (ours, theirs) else {
                return Some(format!("{key} is in one lake only (ours: {})", ours.is_some()));
            };
            return Some(format!("{key} differs:\n{}\n{}", shown(key, ours), shown(key, theirs)));
        }
        None
    }

    /// Holds that two lakes are the same.
    ///
    /// # Panics
    /// Where they are not, with what differs.
    pub fn assert_same(&self, other: &Self, situation: &str) {
        if let Some(difference) = self.difference(other) {
            panic!("{situation}: {difference}");
        }
    }
}

/// The place of a column among the columns of a table's file.
///
/// # Panics
/// Where the table has no such column.
pub fn column(table: &'static Table, name: &str) -> usize {
    table.file_columns().position(|(column, _)| column == name).expect("a column of the table")
}

/// An object as a person can compare it: rows, or text.
fn shown(key: &str, bytes: &Bytes) -> String {
    let table = TABLES.iter().copied().find(|table| key.starts_with(&format!("{}/", table.path)));
    match table.map(|table| read_rows(table, bytes)) {
        Some(Ok(rows)) => rows.iter().fold(String::new(), |mut text, row| {
            let _ = writeln!(text, "{row:?}");
            text
        }),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
