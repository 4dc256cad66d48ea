//! Writing a table row by row.
//!
//! Rows become columns, and columns row groups as they fill, so that a table of any length needs the memory of one
//! row group.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use bytes::Bytes;

use crate::cells::Cell;
use crate::schema::{Kind, Table};
use crate::table_file::{FileError, ROW_GROUP, TableWriter};

/// A table's file under construction.
pub(super) struct TableRows {
    table: &'static Table,
    columns: Vec<Column>,
    waiting: usize,
    writer: TableWriter,
}

enum Column {
    Text(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    BigInt(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Money(Decimal128Builder),
}

impl TableRows {
    /// Starts a table whose file names the digest of its inputs.
    pub(super) fn new(table: &'static Table, inputs: &str) -> Self {
        let columns = table.file_columns().map(|(_, kind)| Column::new(kind)).collect();
        TableRows { table, columns, waiting: 0, writer: TableWriter::new(table, Some(inputs)) }
    }

    /// Adds a row: one cell for each of the table's file columns, in order.
    pub(super) fn push<const N: usize>(&mut self, row: [Cell<&str>; N]) -> Result<(), FileError> {
        debug_assert_eq!(N, self.columns.len(), "a row of {} has one cell per column", self.table.path);
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.append(cell);
        }
        self.waiting += 1;
        if self.waiting == ROW_GROUP { self.flush() } else { Ok(()) }
    }

    /// The table's file.
    pub(super) fn finish(mut self) -> Result<Bytes, FileError> {
        self.flush()?;
        self.writer.finish()
    }

    fn flush(&mut self) -> Result<(), FileError> {
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        self.waiting = 0;
        let rows = RecordBatch::try_new(self.table.file_schema(), arrays);
        self.writer.write(&rows.map_err(|source| FileError::Rows { table: self.table.path, source })?)
    }
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Column::Text(StringBuilder::new()),
            Kind::Timestamp => {
                Column::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(Kind::Timestamp.data_type()))
            }
            Kind::Date => Column::Date(Date32Builder::new()),
            Kind::BigInt => Column::BigInt(Int64Builder::new()),
            Kind::Double => Column::Double(Float64Builder::new()),
            Kind::Boolean => Column::Boolean(BooleanBuilder::new()),
            Kind::Money => Column::Money(Decimal128Builder::new().with_data_type(Kind::Money.data_type())),
        }
    }

    fn append(&mut self, cell: Cell<&str>) {
        match (self, cell) {
            (Column::Text(column), Cell::Text(text)) => column.append_value(text),
            (Column::Timestamp(column), Cell::Timestamp(micros)) => column.append_value(micros),
            (Column::Date(column), Cell::Date(date)) => column.append_value(date),
            (Column::BigInt(column), Cell::Int(count)) => column.append_value(count),
            (Column::Double(column), Cell::Float(number)) => column.append_value(number),
            (Column::Boolean(column), Cell::Bool(flag)) => column.append_value(flag),
            (Column::Money(column), Cell::Money(cents)) => column.append_value(cents.into()),
            (column, cell) => {
                debug_assert_eq!(cell, Cell::Null, "a cell has its column's type");
                column.append_null();
            }
        }
    }

    fn append_null(&mut self) {
        match self {
            Column::Text(column) => column.append_null(),
            Column::Timestamp(column) => column.append_null(),
            Column::Date(column) => column.append_null(),
            Column::BigInt(column) => column.append_null(),
            Column::Double(column) => column.append_null(),
            Column::Boolean(column) => column.append_null(),
            Column::Money(column) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Text(column) => Arc::new(column.finish()),
            // A finished timestamp builder forgets its time zone.
            Column::Timestamp(column) => Arc::new(column.finish().with_timezone("UTC")),
            Column::Date(column) => Arc::new(column.finish()),
            Column::BigInt(column) => Arc::new(column.finish()),
            Column::Double(column) => Arc::new(column.finish()),
            Column::Boolean(column) => Arc::new(column.finish()),
            Column::Money(column) => Arc::new(column.finish()),
        }
    }
}
