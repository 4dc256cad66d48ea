//! Tables as Parquet: the same rows as the CSV, with dates, times, numbers, amounts and flags as such.
//!
//! A row group is made from a part's lines on the thread that made them, and appended in turn; what a group holds
//! depends on the population and the shard alone. An empty cell is null, an amount a decimal with two places, a time
//! is in UTC.

use std::{fs::File, sync::Arc};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use metriccare_world::view::tables::{Kind, Table};
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::ColumnPath,
};

use super::cells::{Cells, each_cell};
use crate::output::failure::Failure;

/// Encodes lines of one table; each thread has its own.
pub(super) struct Encoder {
    table: &'static Table,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
}

/// A row group, encoded and not yet in a file.
pub(super) struct Group {
    columns: Vec<ArrowColumnChunk>,
}

/// A Parquet file that row groups are appended to.
pub(super) struct GroupFile {
    writer: SerializedFileWriter<File>,
}

impl Encoder {
    pub(super) fn new(table: &'static Table) -> Result<Self, Failure> {
        let schema = schema(table);
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties(table)));
        let (_, factory) = writer.and_then(ArrowWriter::into_serialized_writer).map_err(failure)?;
        Ok(Encoder { table, schema, factory })
    }

    /// Encodes lines of the table's CSV, without a header; nothing where there are none.
    pub(super) fn encode(&self, lines: &[u8]) -> Result<Option<Group>, Failure> {
        if lines.is_empty() {
            return Ok(None);
        }
        let wrong = |why: &str| Failure::failed(format!("{} has a row that is not its own: {why}", self.table.name));
        let mut columns: Vec<Cells> = self.table.columns.iter().map(|(_, kind)| Cells::new(*kind)).collect();
        let mut at = 0;
        each_cell(lines, |cell, last| {
            let column = columns.get_mut(at).ok_or_else(|| wrong("too many cells"))?;
            column.push(cell).ok_or_else(|| wrong(cell))?;
            at += 1;
            if last && at != self.table.columns.len() {
                return Err(wrong("too few cells"));
            }
            at = if last { 0 } else { at };
            Ok(())
        })?;
        let mut writers = self.factory.create_column_writers(0).map_err(failure)?;
        for ((column, writer), field) in columns.into_iter().zip(&mut writers).zip(self.schema.fields()) {
            // No column is nested: each has one leaf.
            for leaf in compute_leaves(field, &column.finish()).map_err(failure)? {
                writer.write(&leaf).map_err(failure)?;
            }
        }
        let columns = writers.into_iter().map(|writer| writer.close()).collect::<Result<_, _>>().map_err(failure)?;
        Ok(Some(Group { columns }))
    }
}

impl GroupFile {
    pub(super) fn new(table: &Table, file: File) -> Result<Self, Failure> {
        let writer = ArrowWriter::try_new(file, schema(table), Some(properties(table)));
        let (writer, _) = writer.and_then(ArrowWriter::into_serialized_writer).map_err(failure)?;
        Ok(GroupFile { writer })
    }

    pub(super) fn append(&mut self, group: Group) -> Result<(), Failure> {
        let mut row_group = self.writer.next_row_group().map_err(failure)?;
        for column in group.columns {
            column.append_to_row_group(&mut row_group).map_err(failure)?;
        }
        row_group.close().map_err(failure)?;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        self.writer.close().map_err(failure)?;
        Ok(())
    }
}

fn schema(table: &Table) -> SchemaRef {
    let field = |(name, kind): &(&str, Kind)| {
        let kind = match kind {
            Kind::Text => DataType::Utf8,
            Kind::Date => DataType::Date32,
            Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Whole => DataType::Int64,
            Kind::Amount => DataType::Decimal128(12, 2),
            Kind::Decimal => DataType::Float64,
            Kind::Flag => DataType::Boolean,
        };
        Field::new(*name, kind, true)
    };
    Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()))
}

fn properties(table: &Table) -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_created_by("metriccare".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(None);
    // A row's own id, its times and its amounts hardly repeat: a dictionary would cost time and save nothing.
    let unlike = table
        .columns
        .iter()
        .enumerate()
        .filter(|(at, (_, kind))| *at == 0 || matches!(kind, Kind::Time | Kind::Amount));
    for (_, (name, _)) in unlike {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(*name), false);
    }
    properties.build()
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn failure(error: ParquetError) -> Failure {
    Failure::failed(format!("the Parquet file cannot be written: {error}"))
}
