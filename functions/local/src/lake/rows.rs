//! A table's rows with their cells by name.

use bytes::Bytes;
use metriccare_flow::Worker;
use metriccare_lake::{
    cells::{self, Cell},
    schema::Table,
};
use metriccare_ports::ErrorKind;
use serde_json::Value;

use crate::output::failure::Failure;

/// The bytes of a file of the lake; none if another command has removed it meanwhile.
pub(crate) async fn read_file(worker: &Worker, key: &str) -> Result<Option<Bytes>, Failure> {
    match worker.ports.lake.get(key).await {
        Ok(object) => Ok(Some(object.body.bytes().await?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A cell as JSON; times and dates as text.
pub(crate) fn json(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(count) => (*count).into(),
        Cell::Float(number) => (*number).into(),
        Cell::Bool(flag) => (*flag).into(),
        other => other.to_string().into(),
    }
}

/// All rows of a table, from all its files.
pub(crate) struct Rows {
    table: &'static Table,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// The rows of a file that was read.
    pub(crate) fn new(table: &'static Table, rows: Vec<Vec<Cell>>) -> Self {
        Rows { table, rows }
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Reads every file of a table; no rows if it does not exist yet.
    pub(crate) async fn read(worker: &Worker, table: &'static Table) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        Rows::of_each_file(worker, table, |file| rows.extend(file.rows)).await?;
        Ok(Rows { table, rows })
    }

    /// Reads a table file by file, so that only one is in memory; a bucket's file has whole patients in it.
    pub(crate) async fn of_each_file(
        worker: &Worker,
        table: &'static Table,
        mut each: impl FnMut(Rows),
    ) -> Result<(), Failure> {
        for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
            if !listed.key.ends_with(".parquet") {
                continue;
            }
            if let Some(bytes) = read_file(worker, &listed.key).await? {
                let broken = |error| Failure::failed(format!("{}: {error}; see `metriccare verify`", listed.key));
                each(Rows { table, rows: cells::read_rows(table, &bytes).map_err(broken)? });
            }
        }
        Ok(())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self.table, cells })
    }
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'static Table,
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    fn cell(&self, column: &str) -> Option<&'a Cell> {
        let at = self.table.file_columns().position(|(name, _)| name == column);
        debug_assert!(at.is_some(), "{} has no column {column}", self.table.path);
        self.cells.get(at?)
    }

    /// Every column of the row's file with its cell.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&'static str, &'a Cell)> {
        self.table.file_columns().map(|(name, _)| name).zip(self.cells)
    }

    /// A text; none for null.
    pub(crate) fn text(&self, column: &str) -> Option<&'a str> {
        match self.cell(column) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A count; none for null.
    pub(crate) fn int(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Some(Cell::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// A count that is always there.
    pub(crate) fn count(&self, column: &str) -> i64 {
        self.int(column).unwrap_or_default()
    }

    pub(crate) fn float(&self, column: &str) -> Option<f64> {
        match self.cell(column) {
            Some(Cell::Float(number)) => Some(*number),
            _ => None,
        }
    }

    /// An amount of money, in cents; none for null.
    pub(crate) fn money(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Some(Cell::Money(cents)) => Some(*cents),
            _ => None,
        }
    }

    /// An instant, in UTC microseconds.
    pub(crate) fn time(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Some(Cell::Timestamp(micros)) => Some(*micros),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, column: &str) -> bool {
        self.cell(column) == Some(&Cell::Bool(true))
    }

    /// A date, in days since 1970-01-01.
    pub(crate) fn date(&self, column: &str) -> Option<i32> {
        match self.cell(column) {
            Some(Cell::Date(date)) => Some(*date),
            _ => None,
        }
    }

    /// The row's month; empty where it has none.
    pub(crate) fn month(&self) -> &'a str {
        self.text("month").unwrap_or_default()
    }
}
