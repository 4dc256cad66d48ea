//! One column of one file's rows that wait to be written.

use super::{Column, NumberColumn, TextColumn};

/// Rows that one thread made, of one file.
#[derive(Debug)]
pub(in crate::bronze) struct Picked {
    /// The thread's number.
    pub(in crate::bronze) worker: usize,
    /// The rows in its columns.
    pub(in crate::bronze) rows: std::ops::Range<usize>,
}

/// A column that waits; texts that repeat are ids of their table's dictionary.
#[derive(Debug)]
pub(in crate::bronze) enum Waiting {
    Text(TextColumn),
    Dictionary(Vec<u32>),
    Number(NumberColumn),
}

impl Waiting {
    /// An empty column of the same kind.
    pub(in crate::bronze) fn like(column: Column<'_>) -> Self {
        match column {
            Column::Text(_) => Waiting::Text(TextColumn::default()),
            Column::Dictionary(_) => Waiting::Dictionary(Vec::new()),
            Column::Number(_) => Waiting::Number(NumberColumn::default()),
        }
    }

    /// Appends rows of a worker's column; `ids` has the table's id for each of the worker's.
    pub(in crate::bronze) fn append(&mut self, from: Column<'_>, rows: &[u32], ids: &[u32]) {
        match (self, from) {
            (Waiting::Text(to), Column::Text(from)) => rows.iter().for_each(|row| to.append(from.get(*row as usize))),
            (Waiting::Dictionary(to), Column::Dictionary(from)) => {
                let from = from.ids();
                to.extend(rows.iter().map(|row| ids[from[*row as usize] as usize]));
            }
            (Waiting::Number(to), Column::Number(from)) => to.append_from(from, rows),
            _ => debug_assert!(false, "a waiting column is like the one that it is appended from"),
        }
    }

    /// The bytes of its rows.
    pub(in crate::bronze) fn bytes(&self) -> usize {
        match self {
            Waiting::Text(column) => column.bytes() + column.len() * 4,
            Waiting::Dictionary(ids) => ids.len() * 4,
            Waiting::Number(column) => column.len() * 8,
        }
    }

    pub(in crate::bronze) fn clear(&mut self) {
        match self {
            Waiting::Text(column) => column.clear(),
            Waiting::Dictionary(ids) => ids.clear(),
            Waiting::Number(column) => column.clear(),
        }
    }
}
