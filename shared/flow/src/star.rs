//! The relational set on its way into silver: rows of bronze files by bucket and table, merged into the star.
//!
//! The star's objects are compare-and-swap registers like the others, and the bucket's commit names them too. Their keys
//! are primary keys of one table, so no record index is needed: a row cannot move to another bucket.

use std::{collections::BTreeMap, sync::Arc};

use metriccare_lake::{
    keys,
    relational::{self, BucketRows, BucketStar, RELATIONAL, RelationalTable, TableRows},
};
use metriccare_ports::register;

use crate::{
    committed::FileRows,
    error::FlowError,
    worker::{Worker, compute, side_by_side},
};

/// Rows of the relational set by bucket.
pub(crate) type StarRows = BTreeMap<u16, BucketStar>;

/// Whether a bronze table is one of the relational set.
pub(crate) fn reads(table: &str) -> bool {
    RELATIONAL.iter().any(|relational| relational.bronze.path == table)
}

/// Reads the relational files of a batch of commits; other files are left out.
pub(crate) async fn read(worker: &Arc<Worker>, files: &[FileRows]) -> Result<StarRows, FlowError> {
    let of_table = |file: &FileRows| {
        RELATIONAL.iter().position(|table| table.bronze.path == file.table).map(|table| (table, file.clone()))
    };
    let wanted: Vec<(usize, FileRows)> = files.iter().filter_map(of_table).collect();
    let parts = side_by_side(worker.threads, wanted, |(table, file)| read_file(Arc::clone(worker), table, file)).await;
    let mut rows = StarRows::new();
    for part in parts {
        let (table, buckets) = part?;
        for (bucket, batch) in buckets {
            rows.entry(bucket).or_default().entry(table).or_default().push(batch);
        }
    }
    Ok(rows)
}

async fn read_file(worker: Arc<Worker>, place: usize, file: FileRows) -> Result<(usize, BucketRows), FlowError> {
    let table = RELATIONAL[place];
    let bytes = file.read(&*worker.ports.lake).await?;
    let buckets = worker.buckets;
    let parts =
        compute(&file.key, move || relational::split(table, &relational::read_bronze(table, &bytes)?, buckets)).await?;
    Ok((place, parts.map_err(|source| FlowError::File { key: file.key, source })?))
}

/// Merges rows of one table and bucket into their object of the star; the caller commits the bucket.
pub(crate) async fn merge(worker: &Worker, bucket: u16, place: usize, rows: TableRows) -> Result<(), FlowError> {
    let (table, rows) = (RELATIONAL[place], Arc::new(rows));
    let key = keys::bucket_file(table.silver.path, bucket, worker.buckets);
    let merged = |current: Option<register::Current>| merge_object(table, key.clone(), current, Arc::clone(&rows));
    register::update(&*worker.ports.lake, &*worker.ports.clock, &key, &worker.retry(&key), merged).await?;
    Ok(())
}

async fn merge_object(
    table: &'static RelationalTable,
    key: String,
    current: Option<register::Current>,
    rows: Arc<TableRows>,
) -> Result<register::Change, FlowError> {
    let existing = current.map(|current| current.bytes);
    let merged = compute(&key, move || relational::merge(table, existing.as_ref(), &rows)).await?;
    let merged = merged.map_err(|source| FlowError::File { key, source })?;
    Ok(if merged.changed { register::Change::Write(merged.parquet) } else { register::Change::Keep })
}
