//! The columns of silver's encounters that depend on the merged rows: lengths, and the patient's prior stay.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};

use super::Resource;
use super::status::{Phase, phase};
use super::stays::{StayTimes, for_each_patient, is_stay, prior_stays};
use crate::coded::Coded;
use crate::table_file::{Columns, FileError};
use metriccare_fhir::calendar::{date_of, milliseconds_between};

/// Adds to sorted encounters what depends on the patient's other stays, and the lengths.
pub(super) fn with_derived(rows: &RecordBatch) -> Result<RecordBatch, FileError> {
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
