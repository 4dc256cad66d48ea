//! gold/occupancy: patient-days of each hospital and month, against its staffed beds where they are known.

use bytes::Bytes;

use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_OCCUPANCY;
use crate::table_file::FileError;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_OCCUPANCY, totals.inputs);
    for ((hospital, month), patient_days) in totals.hospital_days.iter().filter(|(_, days)| **days != 0) {
        let days = totals.days(*month);
        let beds = totals.staffed_beds(*hospital);
        let bed_days = beds.map(|beds| beds * days);
        rows.push([
            totals.name(*hospital).into(),
            month.to_string().as_str().into(),
            (*patient_days).into(),
            rate(*patient_days, days).into(),
            beds.into(),
            bed_days.into(),
            bed_days.and_then(|bed_days| rate(*patient_days, bed_days)).into(),
        ])?;
    }
    rows.finish()
}
