//! One table of the object that is flattened: its open files, and the dictionaries that they share.

use std::{io::Write, ops::Range};

use parquet::{arrow::ArrowSchemaConverter, errors::ParquetError, file::properties::WriterProperties};

use super::{partition::Partition, shared::Shared};
use crate::bronze::{
    Sinks,
    columns::{Column, Dictionary},
    row_group::Encoder,
    rows::TableRows,
    threads::on_threads,
};

/// A table's open files.
pub(super) struct TableWriter<F: Write + Send> {
    shared: Shared,
    /// The values of the partition column; their ids are the partitions' numbers.
    values: Dictionary,
    partitions: Vec<Option<Partition<F>>>,
    /// The partition of all rows, in a table that is partitioned by the day of its object.
    ingest_date: Option<String>,
}

impl<F: Write + Send> TableWriter<F> {
    pub(super) fn new(rows: &dyn TableRows, ingest_date: &str, workers: usize) -> Result<Self, ParquetError> {
        let table = rows.table();
        let schema = ArrowSchemaConverter::new().convert(&table.file_schema())?.root_schema_ptr();
        let columns = table.file_columns().count();
        Ok(TableWriter {
            shared: Shared {
                table,
                schema,
                properties: WriterProperties::builder().build().into(),
                dictionaries: (0..columns).map(|_| Dictionary::default()).collect(),
                // One more than there are columns, for the partition.
                ids: vec![vec![vec![Dictionary::NULL]; columns + 1]; workers],
            },
            values: Dictionary::default(),
            partitions: Vec::new(),
            ingest_date: (table.partition == Some("ingest_date")).then(|| ingest_date.to_owned()),
        })
    }

    /// Hands each worker's rows to their partitions; `chunks` says whose rows come next in the object.
    pub(super) fn add<S: Sinks<File = F>>(
        &mut self,
        workers: &[&dyn TableRows],
        chunks: impl Iterator<Item = (usize, Range<usize>)>,
        encoders: &mut [Encoder],
        sinks: &mut S,
    ) -> Result<(), ParquetError> {
        let columns: Vec<_> = workers.iter().map(|rows| rows.columns()).collect();
        self.learn_texts(workers, &columns);
        for (worker, rows) in chunks {
            self.pick(worker, rows, workers[worker], &columns[worker], sinks)?;
        }
        let shared = &self.shared;
        let picked = self.partitions.iter_mut().flatten().filter(|partition| partition.is_picked_for()).collect();
        let append = |encoder: &mut Encoder, partition: &mut Partition<F>| partition.append(shared, &columns, encoder);
        on_threads(encoders, picked, append).into_iter().collect()
    }

    /// Gives the texts that are new in the workers' dictionaries their ids in the table's.
    fn learn_texts(&mut self, workers: &[&dyn TableRows], columns: &[Vec<Column<'_>>]) {
        let learn = |from: &Dictionary, to: &mut Dictionary, ids: &mut Vec<u32>| {
            let known = ids.len() - 1;
            ids.extend(from.texts_from(known).map(|text| to.id(text)));
        };
        for ((rows, columns), ids) in workers.iter().zip(columns).zip(&mut self.shared.ids) {
            let (of_partitions, of_columns) = ids.split_last_mut().expect("one more than there are columns");
            learn(rows.partitions().dictionary(), &mut self.values, of_partitions);
            for ((column, to), ids) in columns.iter().zip(&mut self.shared.dictionaries).zip(of_columns) {
                if let Column::Dictionary(column) = column {
                    learn(column.dictionary(), to, ids);
                }
            }
        }
    }

    /// Tells the partitions which rows are theirs, and opens the files of those that are new.
    fn pick<S: Sinks<File = F>>(
        &mut self,
        worker: usize,
        rows: Range<usize>,
        from: &dyn TableRows,
        columns: &[Column<'_>],
        sinks: &mut S,
    ) -> Result<(), ParquetError> {
        let by_worker = self.shared.ids[worker].last().expect("one more than there are columns");
        let of_rows = from.partitions().ids();
        for row in rows {
            let number = if self.ingest_date.is_some() { 0 } else { by_worker[of_rows[row] as usize] as usize };
            if self.partitions.len() <= number {
                self.partitions.resize_with(number + 1, || None);
            }
            let partition = match &mut self.partitions[number] {
                Some(partition) => partition,
                none => {
                    let value = match number {
                        0 => self.ingest_date.clone(),
                        number => Some(String::from_utf8_lossy(self.values.text(number as u32)).into_owned()),
                    };
                    none.insert(Partition::new(value, sinks.create()?, &self.shared, columns)?)
                }
            };
            partition.pick(worker, row);
        }
        Ok(())
    }

    /// About what the dictionaries take.
    pub(super) fn dictionary_bytes(&self) -> usize {
        self.shared.dictionaries.iter().map(Dictionary::bytes).sum()
    }

    /// Forgets the texts of columns, of which no row waits, here and in the workers' ids.
    pub(super) fn forget_texts(&mut self) {
        self.shared.dictionaries.iter_mut().for_each(Dictionary::clear);
        self.shared.ids.iter_mut().flatten().for_each(|ids| ids.truncate(1));
    }

    /// The partitions, each with what it shares with the others.
    pub(super) fn partitions(&mut self) -> impl Iterator<Item = (&Shared, &mut Partition<F>)> {
        let shared = &self.shared;
        self.partitions.iter_mut().flatten().map(move |partition| (shared, partition))
    }

    /// Takes the partitions out.
    pub(super) fn take_partitions(&mut self) -> impl Iterator<Item = (&Shared, Partition<F>)> {
        let shared = &self.shared;
        self.partitions.drain(..).flatten().map(move |partition| (shared, partition))
    }
}
