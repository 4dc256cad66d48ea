//! Cells of a CSV that the world wrote, as columns of Arrow.
//!
//! The reader knows the world's writer: cells are quoted where they have to be, and lines end with a line feed.

use std::{borrow::Cow, sync::Arc};

use arrow_array::{
    ArrayRef,
    builder::{
        BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use metriccare_fhir::read::time;
use metriccare_world::view::tables::Kind;

use crate::output::failure::Failure;

/// A column under construction.
pub(super) enum Cells {
    Text(StringBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Whole(Int64Builder),
    Amount(Decimal128Builder),
    Decimal(Float64Builder),
    Flag(BooleanBuilder),
}

impl Cells {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Cells::Text(StringBuilder::new()),
            Kind::Date => Cells::Date(Date32Builder::new()),
            Kind::Time => Cells::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Whole => Cells::Whole(Int64Builder::new()),
            Kind::Amount => {
                let builder = Decimal128Builder::new();
                Cells::Amount(builder.with_data_type(arrow_schema::DataType::Decimal128(12, 2)))
            }
            Kind::Decimal => Cells::Decimal(Float64Builder::new()),
            Kind::Flag => Cells::Flag(BooleanBuilder::new()),
        }
    }

    /// Appends a cell; nothing where it is no value of the column's kind.
    pub(super) fn push(&mut self, cell: &str) -> Option<()> {
        let filled = !cell.is_empty();
        match self {
            Cells::Text(column) => column.append_option(filled.then_some(cell)),
            Cells::Date(column) => column.append_option(value(filled, || time::parse_date(cell))?),
            Cells::Time(column) => column.append_option(value(filled, || micros(cell))?),
            Cells::Whole(column) => column.append_option(value(filled, || cell.parse().ok())?),
            Cells::Amount(column) => column.append_option(value(filled, || cents(cell))?),
            Cells::Decimal(column) => column.append_option(value(filled, || cell.parse().ok())?),
            Cells::Flag(column) => column.append_option(value(filled, || cell.parse().ok())?),
        }
        Some(())
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Cells::Text(mut column) => Arc::new(column.finish()),
            Cells::Date(mut column) => Arc::new(column.finish()),
            Cells::Time(mut column) => Arc::new(column.finish()),
            Cells::Whole(mut column) => Arc::new(column.finish()),
            Cells::Amount(mut column) => Arc::new(column.finish()),
            Cells::Decimal(mut column) => Arc::new(column.finish()),
            Cells::Flag(mut column) => Arc::new(column.finish()),
        }
    }
}

/// A value, none where the cell is empty; nothing where the cell is none.
fn value<T>(filled: bool, read: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    if filled { read().map(Some) } else { Some(None) }
}

/// `YYYY-MM-DD HH:MM:SS` in UTC microseconds.
fn micros(cell: &str) -> Option<i64> {
    let (date, clock) = cell.split_once(' ')?;
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let seconds = parts.next()?? * 3_600 + parts.next()?? * 60 + parts.next()??;
    Some((i64::from(time::parse_date(date)?) * 86_400 + seconds) * 1_000_000)
}

/// `-12.34` as cents.
fn cents(cell: &str) -> Option<i128> {
    let (whole, rest) = cell.split_once('.')?;
    let size = whole.trim_start_matches('-').parse::<i128>().ok()? * 100 + rest.parse::<i128>().ok()?;
    Some(if cell.starts_with('-') { -size } else { size })
}

/// Gives every cell of every line, and whether it is its line's last.
pub(super) fn each_cell(lines: &[u8], mut take: impl FnMut(&str, bool) -> Result<(), Failure>) -> Result<(), Failure> {
    let text = std::str::from_utf8(lines).map_err(|error| Failure::failed(error.to_string()))?;
    let mut rest = text;
    while !rest.is_empty() {
        let (cell, length) = if rest.starts_with('"') { quoted(rest) } else { plain(rest) };
        let last = rest.as_bytes().get(length) != Some(&b',');
        take(&cell, last)?;
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    Ok(())
}

fn plain(rest: &str) -> (Cow<'_, str>, usize) {
    let length = rest.bytes().position(|byte| matches!(byte, b',' | b'\n')).unwrap_or(rest.len());
    (Cow::Borrowed(&rest[..length]), length)
}

fn quoted(rest: &str) -> (Cow<'_, str>, usize) {
    let mut end = 1;
    while let Some(at) = rest[end..].find('"') {
        end += at + 1;
        if rest.as_bytes().get(end) != Some(&b'"') {
            return (Cow::Owned(rest[1..end - 1].replace("\"\"", "\"")), end);
        }
        end += 1;
    }
    (Cow::Borrowed(&rest[1..]), rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_empty_cells_are_read_as_they_were_meant() {
        let mut cells = Vec::new();
        let lines = b"a,\"b, \"\"c\"\"\",\n\"\",x,y\n";
        each_cell(lines, |cell, last| {
            cells.push((cell.to_owned(), last));
            Ok(())
        })
        .expect("text");
        let texts: Vec<&str> = cells.iter().map(|(cell, _)| cell.as_str()).collect();
        assert_eq!(texts, ["a", "b, \"c\"", "", "", "x", "y"]);
        assert_eq!(cells.iter().filter(|(_, last)| *last).count(), 2);
    }

    #[test]
    fn times_and_amounts_are_exact() {
        assert_eq!(micros("1970-01-02 00:00:01"), Some(86_401_000_000));
        assert_eq!(micros("1970-01-02"), None);
        assert_eq!((cents("12.34"), cents("-0.05"), cents("x")), (Some(1_234), Some(-5), None));
        assert!(Cells::new(Kind::Flag).push("maybe").is_none());
    }
}
