//! Reading and writing one table's Parquet file, in memory.
//!
//! Every silver and gold object goes through here, so that all have the same compression, row groups, statistics and
//! metadata, and the same rows always make the same bytes. A file that lacks a column or has another type is refused
//! with the table's and the column's name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, TimestampMicrosecondType};
use arrow_array::{BooleanArray, PrimitiveArray, RecordBatch, RecordBatchReader, StringArray};
use arrow_schema::{ArrowError, DataType, Schema};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::bronze::properties::worth_compressing;
use crate::schema::{Kind, Table};

/// The key of a file's metadata that names the digest of what the file was computed from.
pub const INPUTS: &str = "metriccare.inputs";

/// The key of a file's metadata that says where its attachment stands: offset and length, in bytes.
const ATTACHMENT: &str = "metriccare.attachment";

/// Rows of a row group: few enough that a month of a bucket can be read alone.
pub(crate) const ROW_GROUP: usize = 16_384;

/// Why a table's file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The bytes are no Parquet file, or a broken one.
    #[error("{table} cannot be read as Parquet: {source}")]
    Read {
        /// The table's path.
        table: &'static str,
        /// What the reader found.
        source: ParquetError,
    },
    /// The bytes are so damaged that the Parquet reader gave up.
    #[error("{table} is a damaged Parquet file")]
    Damaged {
        /// The table's path.
        table: &'static str,
    },
    /// The rows could not be encoded.
    #[error("{table} cannot be written as Parquet: {source}")]
    Write {
        /// The table's path.
        table: &'static str,
        /// What the writer refused.
        source: ParquetError,
    },
    /// The columns could not be put together, for instance because a text column outgrows 2 GiB.
    #[error("rows of {table} cannot be read or put together: {source}")]
    Rows {
        /// The table's path.
        table: &'static str,
        /// What Arrow refused.
        source: ArrowError,
    },
    /// A column is missing or has another type.
    #[error("{table} has no column {column} of type {expected}")]
    Column {
        /// The table's path.
        table: &'static str,
        /// The column's name.
        column: &'static str,
        /// The type that the column must have.
        expected: DataType,
    },
}

/// Runs a reader that panics on some damaged files, and makes an error of it.
///
/// Offsets in a footer or a page header are trusted by the Parquet reader; a flipped byte there ends in a slice out of
/// bounds. Nothing is shared with the closure that a panic could leave half done.
pub(crate) fn guarded<T>(table: &'static Table, read: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(FileError::Damaged { table: table.path }))
}

/// Decodes the named columns of a file into one batch, in the order of `columns`.
pub fn read(table: &'static Table, bytes: &Bytes, columns: &[&'static str]) -> Result<RecordBatch, FileError> {
    guarded(table, || decode(table, bytes, columns))
}

fn decode(table: &'static Table, bytes: &Bytes, columns: &[&'static str]) -> Result<RecordBatch, FileError> {
    let broken = |source| FileError::Read { table: table.path, source };
    let loose = |source| FileError::Rows { table: table.path, source };
    let builder = open(table, bytes)?;
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    // One batch of all rows is cheapest; the cap keeps a lying footer from reserving memory.
    let reader = builder.with_projection(mask).with_batch_size(rows.clamp(1, 1 << 20)).build().map_err(broken)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(loose)?;
    let batch = match <[RecordBatch; 1]>::try_from(batches) {
        Ok([batch]) => batch,
        Err(batches) => concat_batches(&schema, &batches).map_err(loose)?,
    };
    let wanted = Columns { table, batch: &batch };
    let arrays = columns.iter().map(|name| wanted.get(name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let fields = columns.iter().filter_map(|name| schema.field_with_name(name).ok().cloned()).collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(loose)
}

fn open(table: &'static Table, bytes: &Bytes) -> Result<ParquetRecordBatchReaderBuilder<Bytes>, FileError> {
    guarded(table, || {
        // Another engine's own notes on its types say nothing here: the Parquet types do.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options)
            .map_err(|source| FileError::Read { table: table.path, source })
    })
}

/// The number of rows that a file says it holds.
pub fn count_rows(table: &'static Table, bytes: &Bytes) -> Result<u64, FileError> {
    let builder = open(table, bytes)?;
    Ok(u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0))
}

/// The text that a file's metadata holds under a key, such as [`INPUTS`].
pub fn metadata(table: &'static Table, bytes: &Bytes, key: &str) -> Result<Option<String>, FileError> {
    let builder = open(table, bytes)?;
    let pairs = builder.metadata().file_metadata().key_value_metadata();
    Ok(pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == key)?.value.clone()))
}

/// The bytes that [`write_with`] attached to a file.
pub(crate) fn attachment(table: &'static Table, bytes: &Bytes) -> Result<Option<Bytes>, FileError> {
    let Some(place) = metadata(table, bytes, ATTACHMENT)? else { return Ok(None) };
    let range = || {
        let (offset, length) = place.split_once(',')?;
        let (offset, length) = (offset.parse::<usize>().ok()?, length.parse::<usize>().ok()?);
        let end = offset.checked_add(length)?;
        (end <= bytes.len()).then_some(offset..end)
    };
    range().map(|range| Some(bytes.slice(range))).ok_or(FileError::Damaged { table: table.path })
}

/// The columns of a batch by name, with their types checked.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    /// The table whose column types hold.
    pub(crate) table: &'static Table,
    /// The rows.
    pub(crate) batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    /// A column of the type that the table documents.
    pub(crate) fn get(self, name: &str) -> Result<&'a arrow_array::ArrayRef, FileError> {
        let Some(&(column, kind)) = self.table.columns.iter().find(|(column, _)| *column == name) else {
            return Err(self.missing("(not in the table)", DataType::Null));
        };
        match self.batch.column_by_name(name) {
            Some(array) if *array.data_type() == kind.data_type() => Ok(array),
            _ => Err(self.missing(column, kind.data_type())),
        }
    }

    /// A text column.
    pub(crate) fn text(self, name: &'static str) -> Result<&'a StringArray, FileError> {
        self.get(name)?.as_string_opt().ok_or_else(|| self.missing(name, DataType::Utf8))
    }

    /// A column of UTC microseconds.
    pub(crate) fn time(self, name: &'static str) -> Result<&'a PrimitiveArray<TimestampMicrosecondType>, FileError> {
        self.primitive(name, Kind::Timestamp)
    }

    /// A column of dates.
    pub(crate) fn date(self, name: &'static str) -> Result<&'a PrimitiveArray<Date32Type>, FileError> {
        self.primitive(name, Kind::Date)
    }

    /// A column of flags.
    pub(crate) fn boolean(self, name: &'static str) -> Result<&'a BooleanArray, FileError> {
        self.get(name)?.as_boolean_opt().ok_or_else(|| self.missing(name, DataType::Boolean))
    }

    fn primitive<T: ArrowPrimitiveType>(
        self,
        name: &'static str,
        kind: Kind,
    ) -> Result<&'a PrimitiveArray<T>, FileError> {
        self.get(name)?.as_primitive_opt().ok_or_else(|| self.missing(name, kind.data_type()))
    }

    fn missing(self, column: &'static str, expected: DataType) -> FileError {
        FileError::Column { table: self.table.path, column, expected }
    }
}

/// Encodes rows as the table's file.
pub fn write(table: &'static Table, rows: &RecordBatch, inputs: Option<&str>) -> Result<Bytes, FileError> {
    let mut writer = TableWriter::new(table, inputs);
    writer.write(rows)?;
    writer.finish()
}

/// Encodes rows as the table's file, with bytes that stand after the last row group: only this program reads them.
pub(crate) fn write_with(
    table: &'static Table,
    rows: &RecordBatch,
    attached: Option<&[u8]>,
) -> Result<Bytes, FileError> {
    let mut writer = TableWriter::new(table, None);
    writer.write(rows)?;
    if let Some(attached) = attached {
        writer.attach(attached)?;
    }
    writer.finish()
}

/// Encodes rows batch by batch; the bytes depend on the rows alone as long as the batches are cut alike.
pub struct TableWriter {
    table: &'static Table,
    inputs: Option<String>,
    /// Made with the first rows, which decide how the columns are written.
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl TableWriter {
    /// Starts a file whose metadata names the digest of its inputs, where there is one.
    pub fn new(table: &'static Table, inputs: Option<&str>) -> Self {
        TableWriter { table, inputs: inputs.map(str::to_owned), writer: None }
    }

    /// Adds rows with the table's file schema.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), FileError> {
        let table = self.table.path;
        self.started(Some(rows))?.write(rows).map_err(|source| FileError::Write { table, source })
    }

    fn started(&mut self, first_rows: Option<&RecordBatch>) -> Result<&mut ArrowWriter<Vec<u8>>, FileError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let properties = properties(self.table, self.inputs.as_deref(), first_rows);
                ArrowWriter::try_new(Vec::new(), self.table.file_schema(), Some(properties))
                    .map_err(|source| FileError::Write { table: self.table.path, source })?
            }
        };
        Ok(self.writer.insert(writer))
    }

    /// Puts bytes behind the rows so far; the file's metadata says where they stand.
    fn attach(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let table = self.table.path;
        let unwritten = |source| FileError::Write { table, source };
        let writer = self.started(None)?;
        writer.flush().map_err(unwritten)?;
        let place = format!("{},{}", writer.bytes_written(), bytes.len());
        writer.write_all(bytes).map_err(|error| unwritten(error.into()))?;
        writer.append_key_value_metadata(KeyValue::new(ATTACHMENT.to_owned(), place));
        Ok(())
    }

    /// Ends the file.
    pub fn finish(mut self) -> Result<Bytes, FileError> {
        self.started(None)?;
        let bytes = self.writer.map_or_else(|| Ok(Vec::new()), ArrowWriter::into_inner);
        bytes.map(Bytes::from).map_err(|source| FileError::Write { table: self.table.path, source })
    }
}

fn properties(table: &Table, inputs: Option<&str>, first_rows: Option<&RecordBatch>) -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_created_by("metriccare".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_key_value_metadata(inputs.map(|digest| vec![KeyValue::new(INPUTS.to_owned(), digest.to_owned())]));
    let first_rows = first_rows.map(std::slice::from_ref).unwrap_or_default();
    for (index, (name, _)) in table.file_columns().enumerate() {
        let column = ColumnPath::from(name);
        let dictionary = !mostly_unique(table, name);
        if !worth_compressing(first_rows, index, dictionary) {
            properties = properties.set_column_compression(column.clone(), Compression::UNCOMPRESSED);
        }
        if !dictionary {
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    // Nobody looks for a range of hashes: their bounds would take time and room.
    properties.set_column_statistics_enabled(ColumnPath::from("content_id"), EnabledStatistics::None).build()
}

/// Whether a column's values hardly repeat, so that a dictionary would cost time and save nothing.
fn mostly_unique(table: &Table, column: &str) -> bool {
    let own_id = table.columns[0].0 == column && column.ends_with("_id");
    own_id
        || matches!(
            column,
            "content_id"
                | "mrn"
                | "prior_encounter_id"
                | "next_stay_id"
                | "admission_time"
                | "discharge_time"
                | "onset_time"
                | "recorded_time"
                | "last_updated"
                | "length_hours"
        )
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Float64Array, Int64Array, LargeStringArray};
    use arrow_schema::Field;
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::{cells, schema::GOLD_SUMMARY};

    #[test]
    fn a_file_that_another_engine_wrote_is_read() {
        let text = |words: &[&str]| -> ArrayRef { Arc::new(LargeStringArray::from(words.to_vec())) };
        let counts = |numbers: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(numbers.to_vec())) };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("metric", text(&["stays"])),
            ("definition", text(&[""])),
            ("numerator", counts(&[7])),
            ("denominator", counts(&[8])),
            ("value", Arc::new(Float64Array::from(vec![0.5]))),
            ("provisional", Arc::new(arrow_array::BooleanArray::from(vec![true]))),
        ];
        let fields: Vec<_> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let rows =
            RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect());
        let rows = rows.expect("the columns are as long as each other");
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).expect("memory");
        writer.write(&rows).expect("memory");
        let bytes = Bytes::from(writer.into_inner().expect("memory"));
        let read = cells::read_rows(&GOLD_SUMMARY, &bytes).expect("it has the table's columns");
        assert_eq!(read[0].iter().map(ToString::to_string).collect::<Vec<_>>(), ["stays", "", "7", "8", "0.5", "true"]);
    }

    #[test]
    fn only_what_a_compressor_makes_smaller_by_more_than_it_costs_is_compressed() {
        let file = |rows: usize, text: &str| {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![text; rows]));
            let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
            let arrays = GOLD_SUMMARY.file_columns().map(|(_, kind)| match kind {
                Kind::Text => Arc::clone(&texts),
                Kind::BigInt => Arc::clone(&counts),
                Kind::Double => Arc::new(Float64Array::from(vec![0.5; rows])),
                _ => Arc::new(BooleanArray::from(vec![true; rows])),
            });
            let rows = RecordBatch::try_new(GOLD_SUMMARY.file_schema(), arrays.collect()).expect("equal lengths");
            write(&GOLD_SUMMARY, &rows, Some("digest")).expect("memory")
        };
        let compressed = |bytes: &Bytes| {
            let metadata = open(&GOLD_SUMMARY, bytes).expect("our own file").metadata().clone();
            let group = metadata.row_group(0);
            group.columns().iter().filter(|column| column.compression() != Compression::UNCOMPRESSED).count()
        };
        let (small, large) = (file(100, "stays"), file(5000, "stays"));
        assert_eq!((compressed(&small), compressed(&large)), (0, 6), "of six columns");
        for (bytes, rows) in [(&small, 100), (&large, 5000)] {
            let read = cells::read_rows(&GOLD_SUMMARY, bytes).expect("our own file");
            assert_eq!((read.len(), read[rows - 1][2].to_string()), (rows, (rows - 1).to_string()));
            assert_eq!(metadata(&GOLD_SUMMARY, bytes, INPUTS).expect("our own file").as_deref(), Some("digest"));
        }
    }
}
