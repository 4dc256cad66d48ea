//! Reading a bronze file back into rows, its partition column included.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{Field, Schema};
use bytes::Bytes;

use super::Resource;
use crate::keys::partition_value;
use crate::table_file::{self, FileError};

/// Decodes the columns of a bronze file that silver needs; the hospital of patients and encounters comes from the key.
///
/// The batch has bronze's columns in bronze's order, without those that silver does not use.
pub fn read_bronze(resource: Resource, key: &str, bytes: &Bytes) -> Result<RecordBatch, FileError> {
    let table = resource.bronze();
    let wanted = resource.bronze_columns();
    let in_file: Vec<_> = wanted.iter().copied().filter(|name| Some(*name) != table.partition).collect();
    let file = table_file::read(table, bytes, &in_file)?;
    let mut fields = Vec::with_capacity(wanted.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
    for (name, kind) in table.columns.iter().filter(|(name, _)| wanted.contains(name)) {
        fields.push(Field::new(*name, kind.data_type(), true));
        arrays.push(match file.column_by_name(name) {
            Some(array) => Arc::clone(array),
            None => {
                let value = partition_value(key, name).flatten();
                Arc::new(StringArray::from_iter(std::iter::repeat_n(value.as_deref(), file.num_rows())))
            }
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(file.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|source| FileError::Rows { table: table.path, source })
}
