//! gold/census: inpatients of each department at midnight of each date, where there are any.

use bytes::Bytes;

use crate::cells::Cell;
use crate::gold::rows::TableRows;
use crate::gold::whole::Whole;
use crate::schema::GOLD_CENSUS;
use crate::table_file::FileError;

pub(super) fn write(whole: &Whole<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_CENSUS, whole.inputs)?;
    for run in &whole.runs {
        let (hospital, department) = (whole.name(run.hospital), whole.name(run.department));
        for date in run.from..run.to {
            rows.push([hospital.into(), department.into(), Cell::Date(date), run.patients.into()])?;
        }
    }
    rows.finish()
}
