//! Merging new rows into a bucket's object: the latest version of each resource, in a fixed order, as fixed bytes.
//!
//! Identity is (patient, id). The winner among versions is the greatest in a total order ([`super::version`]), so the
//! merge is a join: idempotent, commutative and associative. Rows are then sorted by time and id (rows without a time
//! last) and encoded alike whatever way they came, so that the same rows are the same bytes.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use bytes::Bytes;
use hashbrown::{HashTable, hash_table::Entry};
use xxhash_rust::xxh3::xxh3_64;

use super::Resource;
use super::conform::{conform, own_schema};
use super::status::{Phase, phase};
use super::stays::{StayTimes, for_each_patient, is_stay, prior_stays};
use super::version::VersionOrder;
use crate::calendar::{date_of, milliseconds_between};
use crate::coded::Coded;
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

/// Merges bronze rows of one bucket into the bucket's silver object.
///
/// The incoming batches have bronze's columns, as [`super::read_bronze`] and [`super::split`] give them.
pub fn merge(resource: Resource, existing: Option<&Bytes>, incoming: &[RecordBatch]) -> Result<Merged, FileError> {
    let table = resource.silver();
    let loose = |source| FileError::Rows { table: table.path, source };
    let fresh = conform(resource, incoming)?;
    let (all, kept) = match existing {
        None => (fresh, 0),
        Some(bytes) => {
            let old = table_file::read(table, bytes, &resource.own_columns())?;
            let both = [RecordBatch::try_new(own_schema(resource), old.columns().to_vec()).map_err(loose)?, fresh];
            (concat_batches(&own_schema(resource), &both).map_err(loose)?, old.num_rows())
        }
    };
    let mut winners = latest(resource, &all)?;
    if let Some(bytes) = existing
        && winners.iter().all(|row| (*row as usize) < kept)
    {
        return Ok(Merged { parquet: bytes.clone(), rows: kept, changed: false });
    }
    sort(resource, &all, &mut winners)?;
    let rows = take_record_batch(&all, &UInt32Array::from(winners)).map_err(loose)?;
    let rows = if resource == Resource::Encounter { with_derived(&rows)? } else { rows };
    let parquet = table_file::write(table, &rows, None)?;
    Ok(Merged { parquet, rows: rows.num_rows(), changed: existing.is_some() || rows.num_rows() > 0 })
}

/// The winning row of every identity; of rows that are the same in every column, the first.
fn latest(resource: Resource, rows: &RecordBatch) -> Result<Vec<u32>, FileError> {
    let columns = Columns { table: resource.silver(), batch: rows };
    let (ids, patients) = (columns.text(resource.id_column())?, columns.text("patient_id")?);
    let order = VersionOrder::new(rows);
    let hash = |row: u32| {
        let row = row as usize;
        // Ids are hardly ever shared by patients: the id alone spreads well enough.
        if ids.is_valid(row) { xxh3_64(ids.value(row).as_bytes()) } else { 0 }
    };
    let same = |a: u32, b: u32| same_text(ids, a, b) && same_text(patients, a, b);
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

fn same_text(column: &StringArray, a: u32, b: u32) -> bool {
    let value = |row: u32| column.is_valid(row as usize).then(|| column.value(row as usize));
    value(a) == value(b)
}

/// Sorts rows by (time, id, patient); rows without a time come last.
fn sort(resource: Resource, rows: &RecordBatch, order: &mut Vec<u32>) -> Result<(), FileError> {
    let columns = Columns { table: resource.silver(), batch: rows };
    let (ids, patients) = (columns.text(resource.id_column())?, columns.text("patient_id")?);
    let times = resource.time_column().map(|name| columns.time(name)).transpose()?;
    let time = |row: u32| match times {
        Some(times) if times.is_valid(row as usize) => (false, times.value(row as usize)),
        Some(_) => (true, 0),
        None => (false, 0),
    };
    let text = |column: &'_ StringArray, row: u32| {
        column.is_valid(row as usize).then(|| column.value(row as usize).to_owned())
    };
    let mut keyed: Vec<_> = order.iter().map(|row| (time(*row), *row)).collect();
    keyed.sort_unstable_by(|(a_time, a), (b_time, b)| {
        let by_id = || ids.value(*a as usize).cmp(ids.value(*b as usize));
        let by_patient = || text(patients, *a).cmp(&text(patients, *b));
        a_time.cmp(b_time).then_with(by_id).then_with(by_patient)
    });
    *order = keyed.into_iter().map(|(_, row)| row).collect();
    Ok(())
}

/// Adds to sorted encounters what depends on the patient's other stays, and the lengths.
fn with_derived(rows: &RecordBatch) -> Result<RecordBatch, FileError> {
    let table = Resource::Encounter.silver();
    let columns = Columns { table, batch: rows };
    let ids = columns.text("encounter_id")?;
    let patients = Coded::new(columns.text("patient_id")?);
    let classes = Coded::new(columns.text("encounter_class")?);
    let statuses = Coded::new(columns.text("status")?);
    let (admissions, discharges) = (columns.time("admission_time")?, columns.time("discharge_time")?);
    let times = |row: usize| {
        (
            admissions.is_valid(row).then(|| admissions.value(row)),
            discharges.is_valid(row).then(|| discharges.value(row)),
        )
    };

    let mut stays = Vec::new();
    let mut days = Vec::with_capacity(rows.num_rows());
    let mut hours = Vec::with_capacity(rows.num_rows());
    for row in 0..rows.num_rows() {
        let (admission, discharge) = times(row);
        let span = admission.zip(discharge).filter(|(start, end)| end >= start);
        let span = span.filter(|_| phase(statuses.value(row)) == Phase::Completed);
        days.push(span.map(|(start, end)| length_days(start, end)));
        hours.push(span.map(|(start, end)| milliseconds_between(start, end) as f64 / 3_600_000.0));
        if let Some((admission, discharge)) = span
            && is_stay(classes.value(row), statuses.value(row), Some(admission), Some(discharge))
        {
            let code = patients.codes[row];
            let patient = (code != 0).then_some(code);
            stays.push(StayTimes { patient, admission, discharge, id: ids.value(row), row: row as u32 });
        }
    }
    let mut prior: Vec<Option<(u32, i64)>> = vec![None; rows.num_rows()];
    for_each_patient(&mut stays, |chain| {
        for (stay, place) in chain.iter().zip(prior_stays(chain)) {
            prior[stay.row as usize] = place.map(|place| {
                let before = &chain[place];
                (before.row, i64::from(date_of(stay.admission)) - i64::from(date_of(before.discharge)))
            });
        }
    });
    let mut prior_ids = StringBuilder::new();
    for found in &prior {
        prior_ids.append_option(found.map(|(row, _)| ids.value(row as usize)));
    }
    let flags: BooleanArray = prior.iter().map(|found| Some(found.is_some_and(|(_, days)| days <= 30))).collect();
    let derived: [(&str, ArrayRef); 5] = [
        ("length_days", Arc::new(Int64Array::from(days))),
        ("length_hours", Arc::new(Float64Array::from(hours))),
        ("prior_encounter_id", Arc::new(prior_ids.finish())),
        ("days_since_prior", Arc::new(prior.iter().map(|found| found.map(|(_, days)| days)).collect::<Int64Array>())),
        ("readmit_flag", Arc::new(flags)),
    ];
    let array = |name: &str| {
        let own = derived.iter().find(|(column, _)| *column == name).map(|(_, array)| Ok(Arc::clone(array)));
        own.unwrap_or_else(|| columns.get(name).cloned())
    };
    let arrays = table.file_columns().map(|(name, _)| array(name)).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(table.file_schema(), arrays).map_err(|source| FileError::Rows { table: table.path, source })
}

/// Days of a stay: the difference of its dates, at least one.
pub(crate) fn length_days(admission: i64, discharge: i64) -> i64 {
    (i64::from(date_of(discharge)) - i64::from(date_of(admission))).max(1)
}
