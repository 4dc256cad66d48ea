//! Merging new rows into a bucket's object: the latest version of each resource, in a fixed order, as fixed bytes.
//!
//! Identity is the id. The winner among versions is the greatest in a total order ([`super::version`]), so the merge is
//! a join: idempotent, commutative and associative. A tombstone is a version too: it beats the rows that it is greater
//! than, and goes where a row is greater. Rows are then sorted by time and id (rows without a time last) and encoded
//! alike whatever way they came, so that the same rows and tombstones are the same bytes.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use bytes::Bytes;
use hashbrown::{HashTable, hash_table::Entry};
use xxhash_rust::xxh3::xxh3_64;

use super::conform::{conform, own_schema};
use super::derived::with_derived;
use super::index::RecordKey;
use super::tombstones::Tombstones;
use super::version::{VersionColumns, VersionOrder};
use super::{Resource, Tombstone};
use crate::table_file::{self, Columns, FileError};

/// A bucket's object after a merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The object's Parquet bytes; those that existed, where nothing changed.
    pub parquet: Bytes,
    /// The resources in the object.
    pub rows: usize,
    /// Whether the object differs from the one that existed.
    pub changed: bool,
}

/// Merges bronze rows of one bucket into the bucket's silver object, where no version of theirs names another bucket.
///
/// The incoming batches have bronze's columns, as [`super::read_bronze`] and [`super::split`] give them.
pub fn merge(resource: Resource, existing: Option<&Bytes>, rows: &[RecordBatch]) -> Result<Merged, FileError> {
    merge_with(resource, existing, &[conform(resource, rows)?], &[])
}

/// Merges rows and tombstones of one bucket into the bucket's silver object.
///
/// The rows are in silver's words, as [`super::Incoming::split`] gives them.
pub fn merge_with(
    resource: Resource,
    existing: Option<&Bytes>,
    rows: &[RecordBatch],
    buried: &[Tombstone],
) -> Result<Merged, FileError> {
    let table = resource.silver();
    let loose = |source| FileError::Rows { table: table.path, source };
    let schema = own_schema(resource);
    let mut batches = Vec::with_capacity(rows.len() + 1);
    let (mut kept, mut before) = (0, Tombstones::default());
    if let Some(bytes) = existing {
        let old = table_file::read(table, bytes, &resource.own_columns())?;
        kept = old.num_rows();
        before = tombstones_of(resource, bytes)?;
        batches.push(RecordBatch::try_new(Arc::clone(&schema), old.columns().to_vec()).map_err(loose)?);
    }
    batches.extend_from_slice(rows);
    let all = concat_batches(&schema, &batches).map_err(loose)?;
    drop(batches);
    let mut tombstones = before.clone();
    buried.iter().for_each(|tombstone| tombstones.add(tombstone));
    let mut winners = latest(resource, &all)?;
    bury(resource, &all, &mut winners, &mut tombstones)?;
    if let Some(bytes) = existing
        && winners.len() == kept
        && winners.iter().all(|row| (*row as usize) < kept)
        && tombstones == before
    {
        return Ok(Merged { parquet: bytes.clone(), rows: kept, changed: false });
    }
    sort(resource, &all, &mut winners)?;
    let rows = take_record_batch(&all, &UInt32Array::from(winners)).map_err(loose)?;
    let rows = if resource == Resource::Encounter { with_derived(&rows)? } else { rows };
    let encoded = (!tombstones.is_empty()).then(|| tombstones.encode());
    let parquet = table_file::write_with(table, &rows, encoded.as_deref())?;
    let changed = existing.is_some() || rows.num_rows() > 0 || !tombstones.is_empty();
    Ok(Merged { parquet, rows: rows.num_rows(), changed })
}

/// The tombstones in a silver object.
fn tombstones_of(resource: Resource, bytes: &Bytes) -> Result<Tombstones, FileError> {
    let table = resource.silver();
    match table_file::attachment(table, bytes)? {
        None => Ok(Tombstones::default()),
        Some(attached) => Tombstones::decode(&attached).ok_or(FileError::Damaged { table: table.path }),
    }
}

/// Leaves out the winners that a greater version elsewhere, or a deletion, has taken away.
fn bury(
    resource: Resource,
    rows: &RecordBatch,
    winners: &mut Vec<u32>,
    tombstones: &mut Tombstones,
) -> Result<(), FileError> {
    if tombstones.is_empty() {
        return Ok(());
    }
    let columns = Columns { table: resource.silver(), batch: rows };
    let ids = columns.text(resource.id_column())?;
    let versions = VersionColumns::new(columns)?;
    winners.retain(|row| {
        let row = *row as usize;
        !tombstones.bury(RecordKey::of(resource, ids.value(row)), || versions.version(row))
    });
    Ok(())
}

/// The winning row of every id; of rows that are the same in every column, the first.
fn latest(resource: Resource, rows: &RecordBatch) -> Result<Vec<u32>, FileError> {
    let columns = Columns { table: resource.silver(), batch: rows };
    let ids = columns.text(resource.id_column())?;
    let order = VersionOrder::new(rows);
    // Bronze has an id in every row; without one, the value is empty.
    let hash = |row: u32| xxh3_64(ids.value(row as usize).as_bytes());
    let same = |a: u32, b: u32| ids.value(a as usize) == ids.value(b as usize);
    let mut table: HashTable<u32> = HashTable::with_capacity(rows.num_rows());
    for row in 0..rows.num_rows() as u32 {
        match table.entry(hash(row), |other| same(*other, row), |other| hash(*other)) {
            Entry::Vacant(slot) => {
                slot.insert(row);
            }
            Entry::Occupied(mut best) => {
                if order.compare(row as usize, *best.get() as usize).is_gt() {
                    *best.get_mut() = row;
                }
            }
        }
    }
    Ok(table.into_iter().collect())
}

/// Sorts rows by (time, id); rows without a time come last.
fn sort(resource: Resource, rows: &RecordBatch, order: &mut Vec<u32>) -> Result<(), FileError> {
    let columns = Columns { table: resource.silver(), batch: rows };
    let ids = columns.text(resource.id_column())?;
    let times = resource.time_column().map(|name| columns.time(name)).transpose()?;
    let time = |row: u32| match times {
        Some(times) if times.is_valid(row as usize) => (false, times.value(row as usize)),
        Some(_) => (true, 0),
        None => (false, 0),
    };
    let mut keyed: Vec<_> = order.iter().map(|row| (time(*row), *row)).collect();
    keyed.sort_unstable_by(|(a_time, a), (b_time, b)| {
        let by_id = || ids.value(*a as usize).cmp(ids.value(*b as usize));
        a_time.cmp(b_time).then_with(by_id)
    });
    *order = keyed.into_iter().map(|(_, row)| row).collect();
    Ok(())
}
