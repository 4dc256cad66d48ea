//! A row that a gold table has to hold, cell by cell, and the months of its dimensions.

use metriccare_fhir::calendar::Date;

use super::Month;

/// The value of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count, which agrees exactly.
    Count(i64),
    /// A float, which agrees to 1e-9 of its size.
    Float(f64),
    /// Text.
    Text(&'static str),
    /// A flag.
    Flag(bool),
    /// NULL.
    Null,
}

/// One row that a gold table has to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedRow {
    /// The table, `gold/readmission` for example.
    pub table: &'static str,
    /// The columns that name the row, in the table's order.
    pub dimensions: Vec<(&'static str, Option<String>)>,
    /// The other columns, in the table's order.
    pub values: Vec<(&'static str, Value)>,
}

/// The first day of the month after this one.
pub(super) fn next_month(month: Month) -> Date {
    let next = month + 1;
    Date::from_ymd(next.div_euclid(12), next.rem_euclid(12) as u32 + 1, 1)
}

/// Whether a month's figures may still change: its last day and 30 more are after the last date.
pub(super) fn provisional(month: Month, last: Date) -> bool {
    next_month(month).0 - 1 + 30 > last.0
}
