//! gold/mortality: deaths in hospital by month of discharge, and within 30 days by month of admission.
//!
//! A stay to which a transfer led is left out of the 30-day definition: the first hospital carries the outcome.

use bytes::Bytes;

use crate::gold::counts::MortalityCounts;
use crate::gold::interval::wilson;
use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_MORTALITY;
use crate::table_file::FileError;

/// The definitions, in the order of the table's rows.
pub(super) const DEFINITIONS: [&str; 2] = ["in_hospital", "30_day"];

/// Stays and deaths of each definition.
pub(super) fn by_definition(counts: &MortalityCounts) -> [(&'static str, i64, i64); 2] {
    let [in_hospital, thirty_day] = DEFINITIONS;
    [
        (in_hospital, counts.in_hospital_stays, counts.in_hospital_deaths),
        (thirty_day, counts.thirty_day_stays, counts.thirty_day_deaths),
    ]
}

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_MORTALITY, totals.inputs);
    for ((hospital, month), counts) in &totals.sums.mortality {
        let text = month.to_string();
        for (definition, stays, deaths) in by_definition(counts) {
            if (stays, deaths) == (0, 0) {
                continue;
            }
            let interval = wilson(deaths, stays);
            rows.push([
                totals.name(*hospital).into(),
                text.as_str().into(),
                definition.into(),
                stays.into(),
                deaths.into(),
                rate(deaths, stays).into(),
                interval.map(|(low, _)| low).into(),
                interval.map(|(_, high)| high).into(),
                totals.provisional(*month).into(),
            ])?;
        }
    }
    rows.finish()
}
