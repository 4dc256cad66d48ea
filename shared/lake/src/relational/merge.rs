//! The star in silver: the latest row of every primary key, in a fixed order, as fixed bytes.
//!
//! Latest is the greatest (landed time, content); two rows that agree in both are the same row. So a merge is a join:
//! idempotent, commutative and associative.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arrow_array::{Int64Array, RecordBatch, StringArray, UInt32Array, cast::AsArray, types::Int64Type};
use arrow_schema::Schema;
use arrow_select::{concat::concat_batches, take::take_record_batch};
use bytes::Bytes;

use super::RelationalTable;
use crate::{
    silver::{Merged, bucket_of},
    table_file::{self, Columns, FileError},
};

/// Rows of one table, in batches.
pub type TableRows = Vec<RecordBatch>;

/// Rows of one table by bucket.
pub type BucketRows = Vec<(u16, RecordBatch)>;

/// Rows of one bucket by the place of their table among the eight.
pub type BucketStar = BTreeMap<usize, TableRows>;

/// The schema of rows on their way from bronze to silver: the columns of the silver file.
fn row_schema(table: &'static RelationalTable) -> Arc<Schema> {
    table.silver.file_schema()
}

/// Decodes the columns of a bronze file that silver keeps.
///
/// # Errors
/// Where the file cannot be read.
pub fn read_bronze(table: &'static RelationalTable, bytes: &Bytes) -> Result<RecordBatch, FileError> {
    let wanted: Vec<&'static str> = table.silver.file_columns().map(|(name, _)| name).collect();
    let file = table_file::read(&table.bronze, bytes, &wanted)?;
    RecordBatch::try_new(row_schema(table), file.columns().to_vec())
        .map_err(|source| FileError::Rows { table: table.bronze.path, source })
}

/// Partitions rows by the bucket of their key's first column, in ascending order of bucket; empty buckets are left out.
///
/// # Errors
/// Where the key's column is missing.
pub fn split(table: &'static RelationalTable, rows: &RecordBatch, buckets: u16) -> Result<BucketRows, FileError> {
    let keys = Columns { table: &table.silver, batch: rows }.text(table.key[0])?;
    let mut by_bucket: Vec<Vec<u32>> = vec![Vec::new(); usize::from(buckets.max(1))];
    for row in 0..rows.num_rows() {
        by_bucket[usize::from(bucket_of(None, keys.value(row), buckets))].push(row as u32);
    }
    let taken = |(bucket, indices): (u16, Vec<u32>)| {
        let batch = take_record_batch(rows, &UInt32Array::from(indices))
            .map_err(|source| FileError::Rows { table: table.silver.path, source })?;
        Ok((bucket, batch))
    };
    (0u16..).zip(by_bucket).filter(|(_, rows)| !rows.is_empty()).map(taken).collect()
}

/// Merges rows of one bucket, as [`read_bronze`] and [`split`] give them, into the bucket's object.
///
/// # Errors
/// Where the existing object cannot be read or the new one not be encoded.
pub fn merge(
    table: &'static RelationalTable,
    existing: Option<&Bytes>,
    incoming: &[RecordBatch],
) -> Result<Merged, FileError> {
    let silver = &table.silver;
    let loose = |source| FileError::Rows { table: silver.path, source };
    let schema = row_schema(table);
    let mut batches = Vec::with_capacity(incoming.len() + 1);
    if let Some(bytes) = existing {
        let names: Vec<&'static str> = silver.file_columns().map(|(name, _)| name).collect();
        let old = table_file::read(silver, bytes, &names)?;
        batches.push(RecordBatch::try_new(Arc::clone(&schema), old.columns().to_vec()).map_err(loose)?);
    }
    let kept = batches.first().map_or(0, RecordBatch::num_rows);
    batches.extend(incoming.iter().cloned());
    let all = concat_batches(&schema, &batches).map_err(loose)?;
    let keys = Keys::of(table, &all)?;
    let columns = Columns { table: silver, batch: &all };
    let (times, contents) = (columns.time("precombine_ts")?, columns.text("content_id")?);
    let later = |a: u32, b: u32| {
        let (a, b) = (a as usize, b as usize);
        (times.value(a), contents.value(a)) > (times.value(b), contents.value(b))
    };
    let mut latest: HashMap<(&str, Option<i64>), u32> = HashMap::with_capacity(all.num_rows());
    for row in 0..all.num_rows() as u32 {
        let winner = latest.entry(keys.at(row)).or_insert(row);
        if later(row, *winner) {
            *winner = row;
        }
    }
    let mut winners: Vec<u32> = latest.into_values().collect();
    if let Some(bytes) = existing
        && winners.iter().all(|row| (*row as usize) < kept)
    {
        return Ok(Merged { parquet: bytes.clone(), rows: kept, changed: false });
    }
    winners.sort_unstable_by(|a, b| keys.compare(*a, *b));
    let rows = take_record_batch(&all, &UInt32Array::from(winners)).map_err(loose)?;
    let parquet = table_file::write(silver, &rows, None)?;
    Ok(Merged { parquet, rows: rows.num_rows(), changed: existing.is_some() || rows.num_rows() > 0 })
}

/// The primary keys of rows: a text, and for claims the line's number.
struct Keys<'a> {
    first: &'a StringArray,
    second: Option<&'a Int64Array>,
}

impl<'a> Keys<'a> {
    fn of(table: &'static RelationalTable, rows: &'a RecordBatch) -> Result<Self, FileError> {
        let columns = Columns { table: &table.silver, batch: rows };
        let second = table.key.get(1).map(|name| columns.get(name)).transpose()?;
        let second = second.and_then(|column| column.as_primitive_opt::<Int64Type>());
        Ok(Keys { first: columns.text(table.key[0])?, second })
    }

    fn at(&self, row: u32) -> (&'a str, Option<i64>) {
        let row = row as usize;
        (self.first.value(row), self.second.map(|second| second.value(row)))
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        self.at(a).cmp(&self.at(b))
    }
}
