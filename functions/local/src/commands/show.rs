//! `metriccare show`: prints a table of the lake, row by row, without an SQL engine.
//!
//! A table's files are read one after the other; CSV and JSON are printed as they are read.

use std::num::NonZeroUsize;

use metriccare_lake::{
    cells::{self, Cell},
    keys,
    schema::{TABLES, Table},
};
use serde_json::Value;

use crate::{
    arguments::{Condition, RowFormat, Show},
    lake::{self, rows},
    output::{Output, counted, failure::Failure, nearest::did_you_mean},
};

pub(crate) async fn show(arguments: &Show, output: &mut Output) -> Result<(), Failure> {
    let table = table(&arguments.table)?;
    let columns: Vec<&'static str> = table.columns.iter().map(|(name, _)| *name).collect();
    let conditions = Conditions::new(&arguments.conditions, &columns)?;
    let worker = lake::open_existing(&arguments.lake, NonZeroUsize::MIN).await?;
    let mut printer = Printer::new(arguments.format, &columns, output)?;
    for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
        if !listed.key.ends_with(".parquet") {
            continue;
        }
        let partition = table.partition.and_then(|column| keys::partition_value(&listed.key, column)).flatten();
        if !conditions.partition_holds(table.partition, partition.as_deref()) {
            continue;
        }
        let Some(bytes) = rows::read_file(&worker, &listed.key).await? else { continue };
        let damaged = |error| Failure::failed(format!("{}: {error}; see `metriccare verify`", listed.key));
        for row in cells::read_rows(table, &bytes).map_err(damaged)? {
            let row = with_partition(table, row, partition.as_deref());
            if conditions.hold(&row) {
                printer.row(&row, output)?;
            }
        }
    }
    printer.finish(output)
}

/// The table of a name, such as `gold_readmission` or `gold/readmission`.
fn table(name: &str) -> Result<&'static Table, Failure> {
    let wanted = name.trim_end_matches('/').replace('/', "_").to_lowercase();
    TABLES.iter().copied().find(|table| table.glue_name() == wanted).ok_or_else(|| {
        let names: Vec<_> = TABLES.iter().map(|table| table.glue_name()).collect();
        let meant = did_you_mean(&wanted, names.iter().map(String::as_str));
        Failure::usage(format!("there is no table {name:?}{meant}\nthe tables are: {}", names.join(", ")))
    })
}

/// A row of a file with the partition column in its place among the table's columns.
fn with_partition(table: &Table, row: Vec<Cell>, partition: Option<&str>) -> Vec<Cell> {
    let mut cells = row.into_iter();
    let value = |name: &str| {
        if Some(name) == table.partition {
            partition.map_or(Cell::Null, |text| Cell::Text(text.to_owned()))
        } else {
            cells.next().unwrap_or(Cell::Null)
        }
    };
    table.columns.iter().map(|(name, _)| *name).map(value).collect()
}

/// What the rows have to hold, by the place of the column.
struct Conditions<'a> {
    by_place: Vec<(usize, &'a Condition)>,
}

impl<'a> Conditions<'a> {
    fn new(conditions: &'a [Condition], columns: &[&str]) -> Result<Self, Failure> {
        let place = |condition: &'a Condition| {
            let wanted = condition.column.to_lowercase();
            let place = columns.iter().position(|name| *name == wanted).ok_or_else(|| {
                let meant = did_you_mean(&wanted, columns.iter().copied());
                let name = &condition.column;
                Failure::usage(format!("there is no column {name:?}{meant}\nthe columns are: {}", columns.join(", ")))
            })?;
            Ok((place, condition))
        };
        Ok(Conditions { by_place: conditions.iter().map(place).collect::<Result<_, Failure>>()? })
    }

    /// Whether a file of this partition can hold matching rows.
    fn partition_holds(&self, column: Option<&str>, value: Option<&str>) -> bool {
        self.by_place
            .iter()
            .filter(|(_, condition)| Some(condition.column.to_lowercase().as_str()) == column)
            .all(|(_, condition)| condition.value == value.unwrap_or_default())
    }

    fn hold(&self, row: &[Cell]) -> bool {
        self.by_place.iter().all(|(place, condition)| holds(&row[*place], &condition.value))
    }
}

/// Whether a cell has a value. Numbers are compared as numbers, and the start of an instant is enough.
fn holds(cell: &Cell, value: &str) -> bool {
    match cell {
        Cell::Float(number) => value.parse::<f64>().is_ok_and(|value| value == *number),
        Cell::Timestamp(_) => {
            let text = cell.to_string();
            !value.is_empty() && text.starts_with(&value.replacen(' ', "T", 1))
        }
        _ => cell.to_string() == value,
    }
}

/// Prints rows in a format.
pub(super) struct Printer {
    format: RowFormat,
    columns: Vec<&'static str>,
    rows: u64,
    /// The rows of the aligned format, which needs the widest cell of each column first.
    kept: Vec<Vec<String>>,
}

impl Printer {
    pub(super) fn new(format: RowFormat, columns: &[&'static str], output: &mut Output) -> Result<Self, Failure> {
        let names: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut kept = Vec::new();
        match format {
            RowFormat::Table => kept.push(names),
            RowFormat::Csv => output.bytes(&csv_line(&names)?)?,
            RowFormat::Json => {}
        }
        Ok(Printer { format, columns: columns.to_vec(), rows: 0, kept })
    }

    pub(super) fn row(&mut self, row: &[Cell], output: &mut Output) -> Result<(), Failure> {
        self.rows += 1;
        match self.format {
            RowFormat::Table => self.kept.push(row.iter().map(ToString::to_string).collect()),
            RowFormat::Csv => output.bytes(&csv_line(row.iter().map(ToString::to_string))?)?,
            RowFormat::Json => {
                let fields = self.columns.iter().zip(row);
                let fields: Vec<_> =
                    fields.map(|(name, cell)| format!("{}:{}", Value::from(*name), rows::json(cell))).collect();
                output.bytes(if self.rows == 1 { b"[\n" } else { b",\n" })?;
                output.bytes(format!("{{{}}}", fields.join(",")).as_bytes())?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, output: &mut Output) -> Result<(), Failure> {
        match self.format {
            RowFormat::Table => {
                output.table(&self.kept)?;
                output.line(counted(self.rows, "row"))?;
            }
            RowFormat::Csv => {}
            RowFormat::Json if self.rows == 0 => output.line("[]")?,
            RowFormat::Json => output.line("\n]")?,
        }
        output.flush()
    }
}

fn csv_line(cells: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Vec<u8>, Failure> {
    let unwritable = |error: &dyn std::fmt::Display| Failure::failed(format!("the row cannot be written: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(|error| unwritable(&error))?;
    writer.into_inner().map_err(|error| unwritable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_both_of_its_names() {
        assert_eq!(table("gold_readmission").map(|table| table.path).ok(), Some("gold/readmission"));
        assert_eq!(table("gold/readmission/").map(|table| table.path).ok(), Some("gold/readmission"));
        let failure = table("gold_readmissions").map(|table| table.path).expect_err("no such table").to_string();
        assert!(failure.contains("did you mean \"gold_readmission\"?"), "{failure}");
    }

    #[test]
    fn cells_are_compared_by_their_kind() {
        let noon = Cell::Timestamp(12 * 3_600_000_000);
        assert!(holds(&noon, "1970-01-01") && holds(&noon, "1970-01-01 12:00") && !holds(&noon, ""));
        assert!(holds(&Cell::Float(0.5), "0.50") && holds(&Cell::Int(7), "7") && holds(&Cell::Bool(true), "true"));
        assert!(holds(&Cell::Null, "") && !holds(&Cell::Null, "x") && holds(&Cell::Text("a b".to_owned()), "a b"));
    }
}
