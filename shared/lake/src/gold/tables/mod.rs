//! The final tables, one a file: each turns the whole lake's sums into rows.

mod census;
mod cohort;
mod demographics;
mod department_load;
mod infection;
mod length_of_stay;
mod mortality;
mod occupancy;
mod readmission;
mod summary;

use bytes::Bytes;

use super::totals::LakeTotals;
use crate::schema::{self, Table};
use crate::table_file::FileError;

/// Writes one table.
pub(super) type Write = fn(&LakeTotals<'_>) -> Result<Bytes, FileError>;

/// Every final table and what writes it.
pub(super) const ALL: [(&Table, Write); 10] = [
    (&schema::GOLD_READMISSION, readmission::write),
    (&schema::GOLD_MORTALITY, mortality::write),
    (&schema::GOLD_LENGTH_OF_STAY, length_of_stay::write),
    (&schema::GOLD_INFECTION, infection::write),
    (&schema::GOLD_OCCUPANCY, occupancy::write),
    (&schema::GOLD_DEPARTMENT_LOAD, department_load::write),
    (&schema::GOLD_DEMOGRAPHICS, demographics::write),
    (&schema::GOLD_COHORT, cohort::write),
    (&schema::GOLD_CENSUS, census::write),
    (&schema::GOLD_SUMMARY, summary::write),
];
