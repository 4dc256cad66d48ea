//! What all open files of a table have in common: the schema, the settings and the dictionaries.

use parquet::{file::properties::WriterPropertiesPtr, schema::types::TypePtr};

use crate::{bronze::columns::Dictionary, schema::Table};

/// What all files of a table have in common.
pub(super) struct Shared {
    pub(super) table: &'static Table,
    pub(super) schema: TypePtr,
    pub(super) properties: WriterPropertiesPtr,
    /// The texts of each column that has a dictionary.
    pub(super) dictionaries: Vec<Dictionary>,
    /// By worker and column: the table's id for each of the worker's.
    pub(super) ids: Vec<Vec<Vec<u32>>>,
}

impl Shared {
    pub(super) fn path(&self) -> &'static str {
        self.table.path
    }
}
