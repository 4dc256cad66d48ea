//! One Parquet writer for each partition of a landed object, fed wave by wave.

use std::{collections::BTreeMap, io::Write};

use arrow_array::RecordBatch;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use super::{Sinks, chunk_rows::ChunkRows};
use crate::{
    keys,
    schema::{BRONZE_CONDITION, BRONZE_ENCOUNTER, BRONZE_PATIENT, BRONZE_QUARANTINE, Kind, Table},
};

/// A bronze file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BronzeFile {
    /// Its key in the lake bucket.
    pub key: String,
    /// Its table's folder.
    pub table: &'static str,
    /// The value of its partition column; `None` is NULL.
    pub partition: Option<String>,
    /// Its rows.
    pub rows: u64,
}

/// Rows in a row group: small enough that a writer's buffers stay small, large enough to compress.
const ROW_GROUP: usize = 128 * 1024;
/// Bytes that one writer may hold before it closes a row group.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

type PartitionKey = (&'static str, Option<String>);

struct Partition<F: Write + Send> {
    table: &'static Table,
    writer: ArrowWriter<F>,
    waiting: Vec<RecordBatch>,
    rows: u64,
}

/// The open files of one landed object.
pub(super) struct Writers<F: Write + Send> {
    partitions: BTreeMap<PartitionKey, Partition<F>>,
    ingest_date: String,
}

impl<F: Write + Send> Writers<F> {
    pub(super) fn new(ingest_date: String) -> Self {
        Writers { partitions: BTreeMap::new(), ingest_date }
    }

    /// Hands a chunk's rows to their partitions; chunks come in the order of the object.
    pub(super) fn add<S: Sinks<File = F>>(&mut self, rows: ChunkRows, sinks: &mut S) -> Result<(), ParquetError> {
        for (value, mut rows) in rows.encounters.into_values() {
            self.wait(&BRONZE_ENCOUNTER, value, rows.finish(), sinks)?;
        }
        for (value, mut rows) in rows.patients.into_values() {
            self.wait(&BRONZE_PATIENT, value, rows.finish(), sinks)?;
        }
        for (value, mut rows) in rows.conditions.into_values() {
            self.wait(&BRONZE_CONDITION, value, rows.finish(), sinks)?;
        }
        let mut quarantine = rows.quarantine;
        let batch = quarantine.finish();
        let date = self.ingest_date.clone();
        self.wait(&BRONZE_QUARANTINE, Some(date), batch, sinks)
    }

    fn wait<S: Sinks<File = F>>(
        &mut self,
        table: &'static Table,
        value: Option<String>,
        batch: RecordBatch,
        sinks: &mut S,
    ) -> Result<(), ParquetError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let key = (table.path, value);
        let partition = match self.partitions.get_mut(&key) {
            Some(partition) => partition,
            None => {
                let writer = ArrowWriter::try_new(sinks.create()?, table.file_schema(), Some(properties(table)))?;
                let fresh = Partition { table, writer, waiting: Vec::new(), rows: 0 };
                self.partitions.entry(key).or_insert(fresh)
            }
        };
        partition.rows += batch.num_rows() as u64;
        partition.waiting.push(batch);
        Ok(())
    }

    /// Encodes everything that waits, each partition on one thread.
    pub(super) fn encode(&mut self, threads: usize) -> Result<(), ParquetError> {
        let waiting: Vec<_> = self.partitions.values_mut().filter(|partition| !partition.waiting.is_empty()).collect();
        super::flatten::on_threads(threads, waiting, |partition| {
            for batch in partition.waiting.drain(..) {
                partition.writer.write(&batch)?;
                if partition.writer.in_progress_size() > GROUP_BYTES {
                    partition.writer.flush()?;
                }
            }
            Ok(())
        })
        .into_iter()
        .collect()
    }

    /// Closes every file.
    pub(super) fn finish(self, object_id: &str) -> Result<Vec<(BronzeFile, F)>, ParquetError> {
        let close = |((_, value), partition): (PartitionKey, Partition<F>)| {
            let column = partition.table.partition.unwrap_or_default();
            let file = BronzeFile {
                key: keys::bronze_file(partition.table.path, column, value.as_deref(), object_id),
                table: partition.table.path,
                partition: value,
                rows: partition.rows,
            };
            Ok((file, partition.writer.into_inner()?))
        };
        self.partitions.into_iter().map(close).collect()
    }
}

/// How bronze is written: zstd, and a dictionary but for columns whose values hardly repeat.
pub(super) fn properties(table: &Table) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd")))
        .set_max_row_group_row_count(Some(ROW_GROUP));
    for (name, kind) in table.file_columns() {
        let unique = matches!(name, "content_id" | "raw" | "patient_ref" | "patient_id" | "encounter_ref" | "mrn")
            || name.ends_with("_id") && name != "version_id";
        if unique || kind == Kind::Timestamp {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
    }
    properties.build()
}
