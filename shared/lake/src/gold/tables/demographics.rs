//! gold/demographics: stays and outcomes by gender, age band, language and state.
//!
//! `patients` are distinct within a row's month and value, and do not add up over months.

use bytes::Bytes;

use crate::gold::rows::TableRows;
use crate::gold::tally::DIMENSIONS;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_DEMOGRAPHICS;
use crate::table_file::FileError;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_DEMOGRAPHICS, totals.inputs);
    for ((dimension, value, month), counts) in &totals.sums.demographics {
        rows.push([
            DIMENSIONS.get(usize::from(*dimension)).copied().into(),
            totals.name(Some(*value)).into(),
            month.to_string().as_str().into(),
            counts.stays.into(),
            counts.index_stays.into(),
            counts.readmissions.into(),
            rate(counts.readmissions, counts.index_stays).into(),
            counts.deaths.into(),
            rate(counts.deaths, counts.stays).into(),
            counts.patients.into(),
        ])?;
    }
    rows.finish()
}
