//! gold/readmission: returns within 30 days of discharge, by three definitions side by side.
//!
//! The rates are crude: not adjusted for how ill a hospital's patients are, as CMS's are. Only the 65-plus definition
//! resembles the national measure closely enough to be compared with it.

use bytes::Bytes;

use crate::gold::counts::ReadmissionCounts;
use crate::gold::interval::wilson;
use crate::gold::national::{HOSPITAL_WIDE_READMISSION, comparison};
use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_READMISSION;
use crate::table_file::FileError;

/// The definitions, in the order of the table's rows.
pub(super) const DEFINITIONS: [&str; 3] = ["naive", "all_payer_unplanned", "hwr_65plus"];

/// Index stays and readmissions of each definition.
pub(super) fn by_definition(counts: &ReadmissionCounts) -> [(&'static str, i64, i64); 3] {
    let [naive, unplanned, hwr] = DEFINITIONS;
    [
        (naive, counts.naive_index, counts.naive_readmitted),
        (unplanned, counts.unplanned_index, counts.unplanned_readmitted),
        (hwr, counts.hwr_index, counts.hwr_readmitted),
    ]
}

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_READMISSION, totals.inputs);
    for ((hospital, month), counts) in &totals.sums.readmission {
        let text = month.to_string();
        for (definition, index, readmitted) in by_definition(counts) {
            if (index, readmitted) == (0, 0) {
                continue;
            }
            let interval = wilson(readmitted, index);
            let national = (definition == "hwr_65plus").then_some(HOSPITAL_WIDE_READMISSION.rate);
            rows.push([
                totals.name(*hospital).into(),
                text.as_str().into(),
                definition.into(),
                index.into(),
                readmitted.into(),
                rate(readmitted, index).into(),
                interval.map(|(low, _)| low).into(),
                interval.map(|(_, high)| high).into(),
                national.into(),
                national.map(|national| comparison(index, interval, national)).into(),
                totals.provisional(*month).into(),
            ])?;
        }
    }
    rows.finish()
}
