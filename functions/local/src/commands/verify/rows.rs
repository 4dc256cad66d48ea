//! Two versions of a table, row by row and cell by cell.

use std::collections::BTreeMap;

use metriccare_lake::{
    cells::Cell,
    schema::{Kind, Table},
};

/// How many columns name a row: ids for the tables of single things, all leading names and dates for the metrics.
fn naming_columns(table: &Table) -> usize {
    let leading = table.file_columns().take_while(|(_, kind)| matches!(kind, Kind::Text | Kind::Date)).count();
    let of_things = table.path.starts_with("silver/") || table.path == "gold/stay";
    if of_things { leading.min(2) } else { leading }
}

/// The words that name a row: `hospital_name=… month=…`.
pub(super) fn name<'a>(cells: impl Iterator<Item = (&'a str, String)>) -> String {
    cells.map(|(column, value)| format!("{column}={value}")).collect::<Vec<_>>().join(" ")
}

/// A cell as text; `null` for null.
pub(super) fn shown(cell: &Cell) -> String {
    if *cell == Cell::Null { "null".to_owned() } else { cell.to_string() }
}

fn texts(row: &[Cell]) -> Vec<String> {
    row.iter().map(shown).collect()
}

/// Whether two cells agree: counts and text exactly, floats to 1e-9 of their size.
pub(super) fn agree(one: &Cell, other: &Cell) -> bool {
    match (one, other) {
        (Cell::Float(one), Cell::Float(other)) => close(*one, *other),
        _ => one == other,
    }
}

/// Whether two floats agree to 1e-9 of their size.
pub(super) fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

/// A table's rows by what names them.
pub(super) struct Named<'a> {
    table: &'static Table,
    rows: BTreeMap<String, Vec<&'a [Cell]>>,
}

impl<'a> Named<'a> {
    pub(super) fn of(table: &'static Table, rows: &'a [Vec<Cell>]) -> Self {
        let naming = naming_columns(table);
        let mut named: BTreeMap<String, Vec<&[Cell]>> = BTreeMap::new();
        for row in rows {
            let columns = table.file_columns().map(|(column, _)| column).zip(row.iter().map(shown));
            named.entry(name(columns.take(naming))).or_default().push(row);
        }
        Named { table, rows: named }
    }

    /// The row of a name, taken out; none where there is none or more than one.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a [Cell]> {
        match self.rows.remove(name)?.as_slice() {
            [row] => Some(row),
            _ => None,
        }
    }

    /// The names of the rows that were not taken out.
    pub(super) fn left(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// What differs between the lake's rows and those that should be.
    pub(super) fn differences(mut self, should: Named<'a>, into: &mut Vec<String>) {
        let path = self.table.path;
        for (name, mut wanted) in should.rows {
            let Some(mut found) = self.rows.remove(&name) else {
                into.push(format!("{path} {name}: the row is missing"));
                continue;
            };
            if found.len() != wanted.len() {
                into.push(format!("{path} {name}: {} rows instead of {}", found.len(), wanted.len()));
                continue;
            }
            if wanted.len() > 1 {
                // Such as the lines of a claim, which engines write in any order.
                wanted.sort_by_cached_key(|row| texts(row));
                found.sort_by_cached_key(|row| texts(row));
            }
            for (found, wanted) in found.iter().zip(&wanted) {
                for ((column, _), (is, should)) in self.table.file_columns().zip(found.iter().zip(*wanted)) {
                    if !agree(is, should) {
                        into.push(format!("{path} {name}: {column} is {}, should be {}", shown(is), shown(should)));
                    }
                }
            }
        }
        into.extend(self.rows.keys().map(|name| format!("{path} {name}: the row should not be there")));
    }
}
