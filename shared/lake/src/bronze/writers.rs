//! The bronze files of one landed object, one for each partition of each table. Rows wait in columns until there are enough
//! for a row group; what waits is bounded for all files together.

mod partition;
mod shared;
mod table;

use std::{cmp::Reverse, io::Write};

use parquet::errors::ParquetError;

use self::{partition::Partition, shared::Shared, table::TableWriter};
use super::{Limits, Sinks, row_group::Encoder, rows::Rows, threads::on_threads, wave::ReadChunk};
use crate::keys;

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

/// The open files of one landed object.
pub(super) struct Writers<F: Write + Send> {
    tables: Vec<TableWriter<F>>,
    /// One for each thread.
    encoders: Vec<Encoder>,
    limits: Limits,
}

impl<F: Write + Send> Writers<F> {
    pub(super) fn new(ingest_date: &str, limits: Limits, threads: usize) -> Result<Self, ParquetError> {
        let mut tables = Vec::new();
        for rows in Rows::default().tables() {
            tables.push(TableWriter::new(rows, ingest_date, threads)?);
        }
        let encoders = (0..threads).map(|_| Encoder::new()).collect();
        Ok(Writers { tables, encoders, limits })
    }

    /// Hands rows to their files, in the order of the object, and takes them out of the workers.
    pub(super) fn add<S: Sinks<File = F>>(
        &mut self,
        chunks: &[ReadChunk],
        workers: &mut [Rows],
        sinks: &mut S,
    ) -> Result<(), ParquetError> {
        for (at, table) in self.tables.iter_mut().enumerate() {
            let rows: Vec<_> = workers.iter().map(|worker| worker.tables()[at]).collect();
            if rows.iter().any(|rows| !rows.is_empty()) {
                table.add(&rows, chunks.iter().map(|chunk| chunk.rows_of(at)), &mut self.encoders, sinks)?;
            }
        }
        workers.iter_mut().for_each(Rows::clear);
        self.bound_what_waits(workers)
    }

    /// Where more waits than may: writes the largest partitions until it is half as much, or all of them where it is their
    /// dictionaries that are large.
    fn bound_what_waits(&mut self, workers: &mut [Rows]) -> Result<(), ParquetError> {
        let dictionaries: usize = self.tables.iter().map(TableWriter::dictionary_bytes).sum();
        let mut partitions: Vec<_> = self.tables.iter_mut().flat_map(TableWriter::partitions).collect();
        let mut waiting: usize = partitions.iter().map(|(_, partition)| partition.bytes()).sum();
        if waiting + dictionaries <= self.limits.waiting {
            return Ok(());
        }
        let goal = if dictionaries > self.limits.waiting / 4 { 0 } else { self.limits.waiting / 2 };
        // Of equal ones the first by its key, whatever thread met it first.
        partitions.sort_by_cached_key(|(table, partition)| {
            (Reverse(partition.bytes()), table.path(), partition.value.clone())
        });
        let enough = partitions.iter().position(|(_, partition)| {
            let enough = waiting <= goal;
            waiting -= partition.bytes();
            enough
        });
        partitions.truncate(enough.unwrap_or(usize::MAX));
        let write =
            |encoder: &mut Encoder, (shared, partition): (&Shared, &mut Partition<F>)| partition.write(shared, encoder);
        on_threads(&mut self.encoders, partitions, write).into_iter().collect::<Result<(), _>>()?;
        if goal == 0 {
            self.tables.iter_mut().for_each(TableWriter::forget_texts);
            workers.iter_mut().for_each(Rows::forget_texts);
        }
        Ok(())
    }

    /// Writes what still waits and closes every file; they come sorted by table and partition.
    pub(super) fn finish(mut self, object_id: &str) -> Result<Vec<(BronzeFile, F)>, ParquetError> {
        let mut partitions: Vec<_> = self.tables.iter_mut().flat_map(TableWriter::take_partitions).collect();
        partitions.sort_by(|(table, one), (other_table, other)| {
            (table.path(), &one.value).cmp(&(other_table.path(), &other.value))
        });
        let close = |encoder: &mut Encoder, (shared, mut partition): (&Shared, Partition<F>)| {
            let (table, value) = (shared.table, partition.value.take());
            let file = BronzeFile {
                key: keys::bronze_file(table.path, table.partition.unwrap_or_default(), value.as_deref(), object_id),
                table: table.path,
                partition: value,
                rows: partition.rows,
            };
            Ok((file, partition.close(shared, encoder)?))
        };
        on_threads(&mut self.encoders, partitions, close).into_iter().collect()
    }
}
