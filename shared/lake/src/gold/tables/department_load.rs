//! gold/department_load: what each department does in a month: encounters of every class by month of admission, and the
//! patient-days of its inpatients in that month.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::gold::partial::{Sums, add};
use crate::gold::rows::TableRows;
use crate::gold::whole::{Whole, rate};
use crate::schema::GOLD_DEPARTMENT_LOAD;
use crate::table_file::FileError;

/// Microseconds in an hour.
const HOUR: f64 = 3_600_000_000.0;

pub(super) fn write(whole: &Whole<'_>) -> Result<Bytes, FileError> {
    let mut of_hospital = Sums::new();
    let mut cells: BTreeMap<_, [i64; 5]> = BTreeMap::new();
    for ((hospital, department, month), [encounters, emergency, inpatient, micros]) in &whole.sums.load {
        add(&mut of_hospital, (*hospital, *month), [*encounters]);
        add(&mut cells, (*hospital, *department, *month), [*encounters, *emergency, *inpatient, *micros, 0]);
    }
    for ((hospital, department, month), [days]) in &whole.department_days {
        add(&mut cells, (*hospital, *department, Some(*month)), [0, 0, 0, 0, *days]);
    }
    let mut rows = TableRows::new(&GOLD_DEPARTMENT_LOAD, whole.inputs)?;
    for ((hospital, department, month), counts) in cells.into_iter().filter(|(_, counts)| *counts != [0; 5]) {
        let [encounters, emergency, inpatient, micros, patient_days] = counts;
        let [all] = of_hospital.get(&(hospital, month)).copied().unwrap_or_default();
        rows.push([
            whole.name(hospital).into(),
            whole.name(department).into(),
            month.map(|month| month.to_string()).as_deref().into(),
            encounters.into(),
            emergency.into(),
            inpatient.into(),
            (micros as f64 / HOUR).into(),
            patient_days.into(),
            month.and_then(|month| rate(patient_days, whole.days(month))).into(),
            rate(encounters, all).into(),
        ])?;
    }
    rows.finish()
}
