//! How a schedule's lake is compared with the undisturbed one.
//!
//! Byte for byte, but for what says that something was withdrawn or compacted. Where files were compacted, bronze has the same
//! rows in other files: they are compared by partition, as a query reads them, and by commit, as silver does.

use std::collections::BTreeMap;

use bytes::Bytes;
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::{Cell, read_rows},
    keys,
    schema::{BRONZE_INGEST_LOG, BRONZE_WITHDRAWAL, TABLES, Table},
};

use metriccare_ports::catalog::MemoryCatalog;

use crate::{Cloud, LakeContents, contents::column};

/// Says what differs, in words; nothing where the lakes are the same.
pub(super) fn difference(cloud: &Cloud, undisturbed: &LakeContents, is_compacted: bool) -> Option<String> {
    let mut objects = cloud.lake.snapshot();
    objects.retain(|key, _| {
        !key.starts_with(keys::WITHDRAWALS) && key != keys::WITHDRAWAL_KEY && key != keys::COMPACTIONS
    });
    if !is_compacted {
        return LakeContents::of_objects(objects).difference(undisturbed);
    }
    let (ours, theirs) = (rows(&objects), rows(undisturbed.objects()));
    if ours != theirs {
        return Some(format!("bronze has other rows:\n{}", lines_that_differ(&ours, &theirs)));
    }
    LakeContents::of_objects(objects).difference_where(undisturbed, |key| !key.starts_with(keys::BRONZE))
}

/// Says where who reads bronze by the catalog finds other rows in a partition's copy than those of the undisturbed lake.
pub(super) fn as_the_catalog_reads(
    cloud: &Cloud,
    catalog: &MemoryCatalog,
    undisturbed: &LakeContents,
) -> Option<String> {
    let objects = cloud.lake.snapshot();
    let locations = catalog.partitions().into_iter();
    for ((name, values), location) in locations.filter(|(_, it)| it.starts_with(keys::COMPACTION_COPIES)) {
        let Some(table) = TABLES.iter().copied().find(|table| table.glue_name() == name) else { continue };
        let (Some(column), Some(value)) = (table.partition, values.first()) else { continue };
        if table_of(&format!("{}/", table.path)).is_none() || table.path == BRONZE_WITHDRAWAL.path {
            continue;
        }
        let is_in_partition = |key: &str| {
            let found = keys::partition_value(key, column)
                .map(|found| found.unwrap_or_else(|| keys::NULL_PARTITION.to_owned()));
            table_of(key).is_some_and(|it| it.path == table.path) && found.as_ref() == Some(value)
        };
        let ours = objects.iter().filter(|(key, _)| key.starts_with(&location) && key.ends_with(".parquet"));
        let theirs = undisturbed.objects().iter().filter(|(key, _)| is_in_partition(key));
        let sorted = |files: Vec<&Bytes>| {
            let mut rows: Vec<String> =
                files.into_iter().flat_map(|bytes| read(table, bytes)).map(|row| format!("{row:?}")).collect();
            rows.sort();
            rows
        };
        let (ours, theirs) =
            (sorted(ours.map(|(_, bytes)| bytes).collect()), sorted(theirs.map(|(_, bytes)| bytes).collect()));
        if ours != theirs {
            return Some(format!("{location} has other rows for readers:\n{}", lines_that_differ(&ours, &theirs)));
        }
    }
    None
}

/// Every row of bronze, by its partition and by its commit, and what the commits say but for their files' names.
fn rows(objects: &BTreeMap<String, Bytes>) -> Vec<String> {
    let mut rows = Vec::new();
    for (key, bytes) in objects {
        if let Some(table) = table_of(key) {
            let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
            rows.extend(read(table, bytes).iter().map(|row| format!("{folder}: {row:?}")));
        } else if key.starts_with(keys::BRONZE_COMMITS) {
            let commit = BronzeCommit::from_json(bytes).expect("a commit");
            for file in &commit.files {
                let (Some(table), Some(bytes)) = (table_of(&file.key), objects.get(&file.key)) else { continue };
                let mut of_file = read(table, bytes);
                if let Some(of) = &file.rows_of {
                    let (source, time) = (column(table, "sourcename"), column(table, "precombine_ts"));
                    let of = (Cell::Text(of.sourcename.clone()), Cell::Timestamp(of.landed_micros));
                    of_file.retain(|row| row[source] == of.0 && row[time] == of.1);
                }
                rows.extend(of_file.iter().map(|row| format!("{key}: {row:?}")));
                rows.push(format!("{key}: {} of {}", file.rows, file.table));
            }
            rows.push(format!("{key}: {:?}", BronzeCommit { files: Vec::new(), ..commit }));
        }
    }
    rows.sort();
    rows
}

fn read(table: &'static Table, bytes: &Bytes) -> Vec<Vec<Cell>> {
    read_rows(table, bytes).expect("a file of the table")
}

/// The table of a bronze file, but for the ingest log, whose rows are compared without their status.
fn table_of(key: &str) -> Option<&'static Table> {
    let is_of = |table: &&'static Table| key.strip_prefix(table.path).is_some_and(|rest| rest.starts_with('/'));
    let table = TABLES.iter().copied().filter(|table| table.path.starts_with(keys::BRONZE)).find(is_of)?;
    (table.path != BRONZE_INGEST_LOG.path).then_some(table)
}

fn lines_that_differ(ours: &[String], theirs: &[String]) -> String {
    let missing = theirs.iter().filter(|line| !ours.contains(line)).map(|line| format!("lacks {line}\n"));
    let extra = ours.iter().filter(|line| !theirs.contains(line)).map(|line| format!("has also {line}\n"));
    let lines: String = missing.chain(extra).take(8).collect();
    if lines.is_empty() { "some rows more than once".to_owned() } else { lines }
}
