//! A table's rows with their cells by name.

use metriccare_flow::Worker;
use metriccare_lake::{
    cells::{self, Cell},
    schema::Table,
};

use crate::failure::Failure;

/// All rows of a table, from all its files.
pub(in crate::report) struct Rows {
    table: &'static Table,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// Reads every file of a table; no rows where it has not been made yet.
    pub(super) async fn read(worker: &Worker, table: &'static Table) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
            if listed.key.ends_with(".parquet") {
                let bytes = worker.ports.lake.get(&listed.key).await?.body.bytes().await?;
                let broken = |error| Failure::failed(format!("{}: {error}; see `metriccare verify`", listed.key));
                rows.extend(cells::read_rows(table, &bytes).map_err(broken)?);
            }
        }
        Ok(Rows { table, rows })
    }

    pub(in crate::report) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self.table, cells })
    }
}

/// One row.
#[derive(Clone, Copy)]
pub(in crate::report) struct Row<'a> {
    table: &'static Table,
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    fn cell(&self, column: &str) -> Option<&'a Cell> {
        let at = self.table.file_columns().position(|(name, _)| name == column);
        debug_assert!(at.is_some(), "{} has no column {column}", self.table.path);
        self.cells.get(at?)
    }

    /// A text; none for null.
    pub(in crate::report) fn text(&self, column: &str) -> Option<&'a str> {
        match self.cell(column) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A count; none for null.
    pub(in crate::report) fn int(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Some(Cell::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// A count that is always there.
    pub(in crate::report) fn count(&self, column: &str) -> i64 {
        self.int(column).unwrap_or_default()
    }

    pub(in crate::report) fn float(&self, column: &str) -> Option<f64> {
        match self.cell(column) {
            Some(Cell::Float(number)) => Some(*number),
            _ => None,
        }
    }

    pub(in crate::report) fn flag(&self, column: &str) -> bool {
        self.cell(column) == Some(&Cell::Bool(true))
    }

    /// A date, in days since 1970-01-01.
    pub(in crate::report) fn date(&self, column: &str) -> Option<i32> {
        match self.cell(column) {
            Some(Cell::Date(date)) => Some(*date),
            _ => None,
        }
    }

    /// The row's month; empty where it has none.
    pub(in crate::report) fn month(&self) -> &'a str {
        self.text("month").unwrap_or_default()
    }
}
