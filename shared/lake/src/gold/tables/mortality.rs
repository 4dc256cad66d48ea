//! gold/mortality: deaths in hospital by month of discharge, and within 30 days by month of admission.
//!
//! A stay to which a transfer led is left out of the 30-day definition: the first hospital carries the outcome.

use bytes::Bytes;

use crate::gold::interval::wilson;
use crate::gold::rows::TableRows;
use crate::gold::whole::{Whole, rate};
use crate::schema::GOLD_MORTALITY;
use crate::table_file::FileError;

/// The definitions, in the order of the sums.
pub(super) const DEFINITIONS: [&str; 2] = ["in_hospital", "30_day"];

/// Stays and deaths of each definition.
pub(super) fn by_definition(counts: &[i64; 4]) -> impl Iterator<Item = (&'static str, i64, i64)> {
    DEFINITIONS
        .into_iter()
        .zip(counts.as_chunks::<2>().0)
        .map(|(definition, [stays, deaths])| (definition, *stays, *deaths))
}

pub(super) fn write(whole: &Whole<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_MORTALITY, whole.inputs)?;
    for ((hospital, month), counts) in &whole.sums.mortality {
        let text = month.to_string();
        for (definition, stays, deaths) in by_definition(counts) {
            if (stays, deaths) == (0, 0) {
                continue;
            }
            let interval = wilson(deaths, stays);
            rows.push([
                whole.name(*hospital).into(),
                text.as_str().into(),
                definition.into(),
                stays.into(),
                deaths.into(),
                rate(deaths, stays).into(),
                interval.map(|(low, _)| low).into(),
                interval.map(|(_, high)| high).into(),
                whole.provisional(*month).into(),
            ])?;
        }
    }
    rows.finish()
}
