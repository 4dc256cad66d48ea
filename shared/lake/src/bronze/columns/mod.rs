//! Columns of rows that are not written yet. They are appended to in one pass over a record, keep their memory when they
//! are cleared, and hold no Arrow: what Parquet wants of them is nearly what they are.

mod dictionary;
mod number;
mod text;
mod waiting;

pub use dictionary::{Dictionary, DictionaryColumn};
pub use number::NumberColumn;
pub use text::TextColumn;
pub(super) use waiting::{Picked, Waiting};

/// A column of any kind.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// Texts that hardly repeat.
    Text(&'a TextColumn),
    /// Texts that repeat.
    Dictionary(&'a DictionaryColumn),
    /// Times, dates, counts and flags.
    Number(&'a NumberColumn),
}

/// What columns of all kinds have in common.
pub trait AnyColumn {
    /// The column, whatever its kind.
    fn as_column(&self) -> Column<'_>;

    /// Takes out the texts that a column keeps beyond its rows; it has no rows when it is called.
    fn forget_texts(&mut self) {}
}

impl AnyColumn for TextColumn {
    fn as_column(&self) -> Column<'_> {
        Column::Text(self)
    }
}

impl AnyColumn for DictionaryColumn {
    fn as_column(&self) -> Column<'_> {
        Column::Dictionary(self)
    }

    fn forget_texts(&mut self) {
        self.dictionary.clear();
    }
}

impl AnyColumn for NumberColumn {
    fn as_column(&self) -> Column<'_> {
        Column::Number(self)
    }
}
