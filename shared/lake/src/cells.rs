//! Any table's rows as plain cells, for whoever prints or compares them.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use bytes::Bytes;

use crate::schema::{Kind, Table};
use crate::table_file::{self, FileError};
use metriccare_fhir::calendar::{DAY, civil, date_of};

/// One value of a table; its text is owned where it is read, and borrowed where it is written.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Cell<T = String> {
    /// No value.
    Null,
    /// Text.
    Text(T),
    /// A count.
    Int(i64),
    /// A rate, hours, a mean.
    Float(f64),
    /// A flag.
    Bool(bool),
    /// An amount of money, in cents.
    Money(i64),
    /// A date, in days since 1970-01-01.
    Date(i32),
    /// An instant, in microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl<T: AsRef<str>> fmt::Display for Cell<T> {
    /// Writes nothing for null, dates as `2025-01-31`, instants as `2025-01-31T08:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => Ok(()),
            Cell::Text(text) => f.pad(text.as_ref()),
            Cell::Int(count) => write!(f, "{count}"),
            Cell::Float(number) => write!(f, "{number}"),
            Cell::Bool(flag) => write!(f, "{flag}"),
            Cell::Money(cents) => {
                let sign = if *cents < 0 { "-" } else { "" };
                write!(f, "{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
            }
            Cell::Date(date) => {
                let (year, month, day) = civil(*date);
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
            Cell::Timestamp(micros) => {
                let of_day = micros.rem_euclid(DAY);
                let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
                let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
                write!(f, "{}T{hour:02}:{minute:02}:{second:02}", Cell::<T>::Date(date_of(*micros)))?;
                if fraction != 0 {
                    write!(f, ".{fraction:06}")?;
                }
                f.write_str("Z")
            }
        }
    }
}

impl<'a> From<&'a str> for Cell<&'a str> {
    fn from(text: &'a str) -> Self {
        Cell::Text(text)
    }
}

impl From<i64> for Cell<&str> {
    fn from(count: i64) -> Self {
        Cell::Int(count)
    }
}

impl From<f64> for Cell<&str> {
    fn from(number: f64) -> Self {
        Cell::Float(number)
    }
}

impl From<bool> for Cell<&str> {
    fn from(flag: bool) -> Self {
        Cell::Bool(flag)
    }
}

impl<'a, V: Into<Cell<&'a str>>> From<Option<V>> for Cell<&'a str> {
    fn from(value: Option<V>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// Reads the rows of a table's file, each with the table's file columns in order.
pub fn read_rows(table: &'static Table, bytes: &Bytes) -> Result<Vec<Vec<Cell>>, FileError> {
    let names: Vec<_> = table.file_columns().map(|(name, _)| name).collect();
    let batch = table_file::read(table, bytes, &names)?;
    let columns: Vec<_> = table.file_columns().zip(batch.columns()).map(|((_, kind), array)| (kind, array)).collect();
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|(kind, array)| cell(*kind, array, row)).collect()).collect())
}

fn cell(kind: Kind, array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match kind {
        Kind::Text => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        Kind::Timestamp => Cell::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        Kind::Date => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
        Kind::BigInt => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        Kind::Double => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        Kind::Boolean => Cell::Bool(array.as_boolean().value(row)),
        Kind::Money => Cell::Money(array.as_primitive::<Decimal128Type>().value(row) as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_people_read_them() {
        assert_eq!(Cell::<String>::Date(20_119).to_string(), "2025-01-31");
        assert_eq!(Cell::<String>::Timestamp(20_119 * DAY + 8 * 3_600_000_000).to_string(), "2025-01-31T08:00:00Z");
        assert_eq!(Cell::<String>::Timestamp(1).to_string(), "1970-01-01T00:00:00.000001Z");
        assert_eq!(Cell::<String>::Null.to_string(), "");
    }
}
