//! gold/census: inpatients of each department at midnight of each date, where there are any.

use bytes::Bytes;

use crate::cells::Cell;
use crate::gold::rows::TableRows;
use crate::gold::totals::LakeTotals;
use crate::schema::GOLD_CENSUS;
use crate::table_file::FileError;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_CENSUS, totals.inputs);
    for span in &totals.census {
        let (hospital, department) = (totals.name(span.hospital), totals.name(span.department));
        for date in span.from..span.to {
            rows.push([hospital.into(), department.into(), Cell::Date(date), span.patients.into()])?;
        }
    }
    rows.finish()
}
