//! gold/department_load: what each department does in a month: encounters of every class by month of admission, and the
//! patient-days of its inpatients in that month.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::gold::counts::{Counts as _, LoadCounts, Sums, add};
use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_DEPARTMENT_LOAD;
use crate::table_file::FileError;

/// Microseconds in an hour.
const HOUR: f64 = 3_600_000_000.0;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut of_hospital = Sums::new();
    let mut cells: BTreeMap<_, (LoadCounts, i64)> = BTreeMap::new();
    for ((hospital, department, month), load) in &totals.sums.load {
        add(&mut of_hospital, (*hospital, *month), load.encounters);
        cells.entry((*hospital, *department, *month)).or_default().0.add(*load);
    }
    for ((hospital, department, month), days) in &totals.department_days {
        cells.entry((*hospital, *department, Some(*month))).or_default().1.add(*days);
    }
    let mut rows = TableRows::new(&GOLD_DEPARTMENT_LOAD, totals.inputs);
    let filled = cells.into_iter().filter(|(_, (load, patient_days))| !load.is_zero() || *patient_days != 0);
    for ((hospital, department, month), (load, patient_days)) in filled {
        let all = of_hospital.get(&(hospital, month)).copied().unwrap_or_default();
        rows.push([
            totals.name(hospital).into(),
            totals.name(department).into(),
            month.map(|month| month.to_string()).as_deref().into(),
            load.encounters.into(),
            load.emergency.into(),
            load.inpatient.into(),
            (load.micros as f64 / HOUR).into(),
            patient_days.into(),
            month.and_then(|month| rate(patient_days, totals.days(month))).into(),
            rate(load.encounters, all).into(),
        ])?;
    }
    rows.finish()
}
