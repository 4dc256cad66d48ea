//! gold/cohort: returns and deaths within 30 days of patients from 65 years, by the disease that brought them in.
//!
//! The rates are crude, as all are; CMS publishes its own for the same diseases, adjusted for how ill patients are.

use bytes::Bytes;

use crate::gold::cohorts::COHORTS;
use crate::gold::interval::wilson;
use crate::gold::national::comparison;
use crate::gold::rows::TableRows;
use crate::gold::totals::{LakeTotals, rate};
use crate::schema::GOLD_COHORT;
use crate::table_file::FileError;

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_COHORT, totals.inputs);
    for ((hospital, month, cohort), counts) in &totals.sums.cohort {
        let Some(cohort) = COHORTS.get(usize::from(*cohort)) else { continue };
        if (counts.index_stays, counts.stays) == (0, 0) {
            continue;
        }
        let month = month.to_string();
        let readmission = cohort.readmission.map(|published| published.rate);
        let mortality = cohort.mortality.rate;
        let returned = wilson(counts.readmissions, counts.index_stays);
        let died = wilson(counts.deaths_30d, counts.stays);
        rows.push([
            totals.name(*hospital).into(),
            month.as_str().into(),
            cohort.name.into(),
            counts.index_stays.into(),
            counts.readmissions.into(),
            rate(counts.readmissions, counts.index_stays).into(),
            returned.map(|(low, _)| low).into(),
            returned.map(|(_, high)| high).into(),
            readmission.into(),
            readmission.map(|national| comparison(counts.index_stays, returned, national)).into(),
            counts.stays.into(),
            counts.deaths_30d.into(),
            rate(counts.deaths_30d, counts.stays).into(),
            died.map(|(low, _)| low).into(),
            died.map(|(_, high)| high).into(),
            mortality.into(),
            comparison(counts.stays, died, mortality).into(),
        ])?;
    }
    rows.finish()
}
