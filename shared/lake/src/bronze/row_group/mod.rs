//! Writes the waiting rows of a file as one row group of Parquet.
//!
//! Parquet's own writer for columns hashes every value of a column that repeats, and makes a compressor for every column of
//! every file. Here the texts have their ids already, and one compressor serves all columns of all files of a thread.
//! The container (headers of pages, metadata, footer) is written by the `parquet` crate.

mod hybrid;
mod pages;

use std::io::Write;

use bytes::Bytes;
use parquet::{arrow::ArrowSchemaConverter, errors::ParquetError, file::writer::SerializedFileWriter};

use self::pages::{LocalIds, Pages};
use super::{
    columns::{Column, Dictionary, Waiting},
    rows::TableRows,
};
use crate::schema::Table;

/// Writes all rows of a table as one file.
pub(crate) fn write_file<W: Write + Send>(rows: &dyn TableRows, file: W) -> Result<W, ParquetError> {
    let all: Vec<u32> = (0..u32::try_from(rows.len()).unwrap_or(u32::MAX)).collect();
    let (mut columns, mut dictionaries) = (Vec::new(), Vec::new());
    for column in rows.columns() {
        let dictionary = match column {
            Column::Dictionary(column) => column.dictionary().clone(),
            _ => Dictionary::default(),
        };
        let mut waiting = Waiting::like(column);
        let same: Vec<u32> = (0..=u32::try_from(dictionary.len()).unwrap_or(u32::MAX)).collect();
        waiting.append(column, &all, &same);
        columns.push(waiting);
        dictionaries.push(dictionary);
    }
    let schema = ArrowSchemaConverter::new().convert(&rows.table().file_schema())?.root_schema_ptr();
    let mut file = SerializedFileWriter::new(file, schema, Default::default())?;
    Encoder::new().write(&mut file, rows.table(), &mut columns, &dictionaries)?;
    file.into_inner()
}

/// What one thread keeps from row group to row group.
pub(super) struct Encoder {
    /// Made when a column is first large enough for it.
    compressor: Option<zstd::bulk::Compressor<'static>>,
    /// The body of a page before and after it is compressed.
    body: Vec<u8>,
    compressed: Vec<u8>,
    /// Levels of a page.
    levels: Vec<u32>,
    local: LocalIds,
}

impl Encoder {
    /// An encoder that compresses by zstd on its fastest level.
    pub(super) fn new() -> Self {
        Encoder {
            compressor: None,
            body: Vec::new(),
            compressed: Vec::new(),
            levels: Vec::new(),
            local: LocalIds::default(),
        }
    }

    /// Writes a row group of a table's columns, and takes the rows out of them.
    pub(super) fn write<W: Write + Send>(
        &mut self,
        file: &mut SerializedFileWriter<W>,
        table: &'static Table,
        columns: &mut [Waiting],
        dictionaries: &[Dictionary],
    ) -> Result<(), ParquetError> {
        let schema = file.schema_descr().columns().to_vec();
        let mut group = file.next_row_group()?;
        for (((description, (_, kind)), column), dictionary) in
            schema.into_iter().zip(table.file_columns()).zip(columns).zip(dictionaries)
        {
            let mut pages = Pages::new(self, description);
            match column {
                Waiting::Text(column) => pages.texts(column)?,
                Waiting::Dictionary(ids) => pages.ids(ids, dictionary)?,
                Waiting::Number(column) => pages.numbers(column.values(), kind)?,
            }
            let (bytes, closed) = pages.close()?;
            group.append_column(&Bytes::from(bytes), closed)?;
            column.clear();
        }
        group.close()?;
        Ok(())
    }
}
