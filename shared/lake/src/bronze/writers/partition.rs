//! One bronze file that is being written: the rows that wait for it, and what is written already.

use std::io::Write;

use parquet::{errors::ParquetError, file::writer::SerializedFileWriter};

use super::shared::Shared;
use crate::bronze::{
    columns::{Column, Picked, Waiting},
    row_group::Encoder,
};

/// Rows in a row group: small enough that what waits stays small, large enough to compress.
const ROW_GROUP: usize = 128 * 1024;
/// Bytes that wait for one file before a row group is written.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

pub(super) struct Partition<F: Write + Send> {
    /// The value of the partition column; `None` is NULL.
    pub(super) value: Option<String>,
    /// The rows, written or waiting.
    pub(super) rows: u64,
    file: SerializedFileWriter<F>,
    waiting: Vec<Waiting>,
    waiting_rows: usize,
    /// Rows of workers that are to be appended, and whose they are.
    picked: Vec<u32>,
    by_worker: Vec<Picked>,
}

impl<F: Write + Send> Partition<F> {
    pub(super) fn new(
        value: Option<String>,
        file: F,
        shared: &Shared,
        columns: &[Column<'_>],
    ) -> Result<Self, ParquetError> {
        Ok(Partition {
            value,
            rows: 0,
            file: SerializedFileWriter::new(file, shared.schema.clone(), shared.properties.clone())?,
            waiting: columns.iter().map(|column| Waiting::like(*column)).collect(),
            waiting_rows: 0,
            picked: Vec::new(),
            by_worker: Vec::new(),
        })
    }

    /// Says that a worker's row is the next one of this partition.
    pub(super) fn pick(&mut self, worker: usize, row: usize) {
        let at = self.picked.len();
        match self.by_worker.last_mut() {
            Some(last) if last.worker == worker => last.rows.end = at + 1,
            _ => self.by_worker.push(Picked { worker, rows: at..at + 1 }),
        }
        self.picked.push(u32::try_from(row).unwrap_or(u32::MAX));
    }

    pub(super) fn is_picked_for(&self) -> bool {
        !self.picked.is_empty()
    }

    /// Appends the rows that were picked, and writes a row group where enough wait.
    pub(super) fn append(
        &mut self,
        shared: &Shared,
        workers: &[Vec<Column<'_>>],
        encoder: &mut Encoder,
    ) -> Result<(), ParquetError> {
        for (at, column) in self.waiting.iter_mut().enumerate() {
            for Picked { worker, rows } in &self.by_worker {
                column.append(workers[*worker][at], &self.picked[rows.clone()], &shared.ids[*worker][at]);
            }
        }
        self.rows += self.picked.len() as u64;
        self.waiting_rows += self.picked.len();
        self.picked.clear();
        self.by_worker.clear();
        if self.waiting_rows >= ROW_GROUP || self.bytes() >= GROUP_BYTES {
            self.write(shared, encoder)?;
        }
        Ok(())
    }

    /// The bytes of the rows that wait.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.iter().map(Waiting::bytes).sum()
    }

    /// Writes the rows that wait as a row group.
    pub(super) fn write(&mut self, shared: &Shared, encoder: &mut Encoder) -> Result<(), ParquetError> {
        if self.waiting_rows == 0 {
            return Ok(());
        }
        self.waiting_rows = 0;
        encoder.write(&mut self.file, shared.table, &mut self.waiting, &shared.dictionaries)
    }

    /// Writes what waits and the footer.
    pub(super) fn close(mut self, shared: &Shared, encoder: &mut Encoder) -> Result<F, ParquetError> {
        self.write(shared, encoder)?;
        self.file.into_inner()
    }
}
