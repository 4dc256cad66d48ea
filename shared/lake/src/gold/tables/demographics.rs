//! gold/demographics: stays and outcomes by gender, age band, language and state.
//!
//! `patients` are distinct within a row's month and value, and do not add up over months.

use bytes::Bytes;

use crate::gold::rows::TableRows;
use crate::gold::tally::DIMENSIONS;
use crate::gold::whole::{Whole, rate};
use crate::schema::GOLD_DEMOGRAPHICS;
use crate::table_file::FileError;

pub(super) fn write(whole: &Whole<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_DEMOGRAPHICS, whole.inputs)?;
    for ((dimension, value, month), counts) in &whole.sums.demographics {
        let [stays, index, readmitted, deaths, patients] = *counts;
        rows.push([
            DIMENSIONS.get(usize::from(*dimension)).copied().into(),
            whole.name(Some(*value)).into(),
            month.to_string().as_str().into(),
            stays.into(),
            index.into(),
            readmitted.into(),
            rate(readmitted, index).into(),
            deaths.into(),
            rate(deaths, stays).into(),
            patients.into(),
        ])?;
    }
    rows.finish()
}
