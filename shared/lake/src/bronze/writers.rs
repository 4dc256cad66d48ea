//! One Parquet writer for each partition of a landed object. Rows wait until there are enough of them to be encoded.

use std::{collections::BTreeMap, io::Write};

use arrow_array::RecordBatch;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use super::{Limits, Sinks, chunk_rows::ChunkRows};
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
/// A file with fewer rows than this is not worth a compressor for every column.
const SMALL_FILE: usize = 4096;
/// Bytes of a small file's column that are worth a compressor.
const WORTH_COMPRESSING: usize = 8 * 1024;
/// Bytes that one writer may hold before it closes a row group.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

type PartitionKey = (&'static str, Option<String>);

struct Partition<F: Write + Send> {
    table: &'static Table,
    file: Open<F>,
    waiting: Vec<RecordBatch>,
    rows: u64,
}

/// A file before and after its first rows are encoded.
enum Open<F: Write + Send> {
    Sink(F),
    Writer(Box<ArrowWriter<F>>),
}

/// The open files of one landed object.
pub(super) struct Writers<F: Write + Send> {
    partitions: BTreeMap<PartitionKey, Partition<F>>,
    ingest_date: String,
    limits: Limits,
    /// Bytes of the batches that wait.
    waiting: usize,
}

impl<F: Write + Send> Partition<F> {
    /// The file's writer, where some of its rows are encoded.
    fn writer(&mut self) -> Option<&mut ArrowWriter<F>> {
        match &mut self.file {
            Open::Writer(writer) => Some(writer),
            Open::Sink(_) => None,
        }
    }

    /// The file's writer, its rows up to now encoded.
    fn encoded(self) -> Result<Box<ArrowWriter<F>>, ParquetError> {
        let mut writer = match self.file {
            Open::Writer(writer) => writer,
            Open::Sink(sink) => {
                let properties = properties(self.table, &self.waiting);
                Box::new(ArrowWriter::try_new(sink, self.table.file_schema(), Some(properties))?)
            }
        };
        for batch in self.waiting {
            writer.write(&batch)?;
            if writer.in_progress_size() > GROUP_BYTES {
                writer.flush()?;
            }
        }
        Ok(writer)
    }
}

impl<F: Write + Send> Writers<F> {
    pub(super) fn new(ingest_date: String, limits: Limits) -> Self {
        Writers { partitions: BTreeMap::new(), ingest_date, limits, waiting: 0 }
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
                let fresh = Partition { table, file: Open::Sink(sinks.create()?), waiting: Vec::new(), rows: 0 };
                self.partitions.entry(key).or_insert(fresh)
            }
        };
        partition.rows += batch.num_rows() as u64;
        self.waiting += batch.get_array_memory_size();
        partition.waiting.push(batch);
        Ok(())
    }

    /// Encodes everything that waits where it is enough, each partition on one thread.
    pub(super) fn encode(&mut self, threads: usize) -> Result<(), ParquetError> {
        if self.waiting < self.limits.rows {
            return Ok(());
        }
        self.waiting = 0;
        let (waiting, idle): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.partitions).into_iter().partition(|(_, partition)| !partition.waiting.is_empty());
        let encode = |(key, partition): (PartitionKey, Partition<F>)| {
            let (table, rows) = (partition.table, partition.rows);
            let file = Open::Writer(partition.encoded()?);
            Ok((key, Partition { table, file, waiting: Vec::new(), rows }))
        };
        let encoded: Result<Vec<_>, ParquetError> =
            super::flatten::on_threads(threads, waiting, encode).into_iter().collect();
        self.partitions = idle.into_iter().chain(encoded?).collect();
        self.close_row_groups()
    }

    /// Closes the largest row groups until half of what may be held is free, where all of it is taken.
    fn close_row_groups(&mut self) -> Result<(), ParquetError> {
        let mut open: Vec<_> = self.partitions.values_mut().filter_map(Partition::writer).collect();
        let mut held: usize = open.iter().map(|writer| writer.in_progress_size()).sum();
        if held <= self.limits.encoded {
            return Ok(());
        }
        // A stable sort: of equal ones, the first by key.
        open.sort_by_key(|writer| std::cmp::Reverse(writer.in_progress_size()));
        for writer in open {
            if held <= self.limits.encoded / 2 {
                break;
            }
            held -= writer.in_progress_size();
            writer.flush()?;
        }
        Ok(())
    }

    /// Encodes what still waits and closes every file, each on one thread.
    pub(super) fn finish(self, object_id: &str, threads: usize) -> Result<Vec<(BronzeFile, F)>, ParquetError> {
        let close = |((_, value), partition): (PartitionKey, Partition<F>)| {
            let column = partition.table.partition.unwrap_or_default();
            let file = BronzeFile {
                key: keys::bronze_file(partition.table.path, column, value.as_deref(), object_id),
                table: partition.table.path,
                partition: value,
                rows: partition.rows,
            };
            Ok((file, partition.encoded()?.into_inner()?))
        };
        super::flatten::on_threads(threads, self.partitions.into_iter().collect(), close).into_iter().collect()
    }
}

/// How bronze is written: zstd, and a dictionary but for columns whose values hardly repeat.
///
/// Each compressed column makes a compressor of its own, which in a small file costs more than all of its rows do. There,
/// dictionaries alone are small enough, and other columns are compressed where they hold enough to make up for it.
pub(crate) fn properties(table: &Table, first_rows: &[RecordBatch]) -> WriterProperties {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd"));
    let mut properties = WriterProperties::builder().set_compression(zstd).set_max_row_group_row_count(Some(ROW_GROUP));
    let small = first_rows.iter().map(RecordBatch::num_rows).sum::<usize>() < SMALL_FILE;
    for (index, (name, kind)) in table.file_columns().enumerate() {
        let column = ColumnPath::from(name);
        let dictionary = !hardly_repeats(name, kind);
        if small && (dictionary || bytes_of(first_rows, index) < WORTH_COMPRESSING) {
            properties = properties.set_column_compression(column.clone(), Compression::UNCOMPRESSED);
        }
        if !dictionary {
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    properties.build()
}

/// The bytes of a column's values.
fn bytes_of(rows: &[RecordBatch], column: usize) -> usize {
    rows.iter().map(|batch| batch.column(column).to_data().get_slice_memory_size().unwrap_or(usize::MAX / 2)).sum()
}

fn hardly_repeats(name: &str, kind: Kind) -> bool {
    // One object has one landed time.
    let time = kind == Kind::Timestamp && name != "precombine_ts";
    let id = name.ends_with("_id") && name != "version_id";
    time || id || matches!(name, "raw" | "patient_ref" | "encounter_ref" | "mrn")
}
