//! A landed table without the rows of one patient; every other row of a CSV object keeps its bytes.

use arrow_array::{Array, BooleanArray};
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use csv::{ByteRecord, ReaderBuilder};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use super::{header::Header, parquet_rows, sink::PATIENT_ID};

/// A landed table without the rows of a patient.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RowsLeft {
    pub(crate) bytes: Vec<u8>,
    pub(crate) removed: u64,
    pub(crate) left: u64,
}

/// Where the column that names a row's patient stands in an object; none where the table has none.
fn patient_column(header: &Header) -> Option<usize> {
    let at = header.table.columns.iter().position(|(name, _)| *name == PATIENT_ID)?;
    header.positions.get(at).copied()
}

/// A CSV table (without its compression) without the rows of a patient, whose id is looked for in rows of another width too.
/// None where its columns are those of no table, and so its rows cannot be told apart.
pub(crate) fn csv(text: &[u8], names: &[String], id: &str, holds: impl Fn(&[u8], &str) -> bool) -> Option<RowsLeft> {
    let header = super::csv::table_of(names).ok()?;
    let column = patient_column(&header);
    let mut reader = ReaderBuilder::new().has_headers(true).flexible(true).from_reader(text);
    reader.byte_headers().ok()?;
    let mut rows = RowsLeft { bytes: Vec::with_capacity(text.len()), removed: 0, left: 0 };
    let mut record = ByteRecord::new();
    let mut start = usize::try_from(reader.position().byte()).ok()?;
    rows.bytes.extend_from_slice(&text[..start]);
    while reader.read_byte_record(&mut record).ok()? {
        let end = usize::try_from(reader.position().byte()).ok()?;
        let row = &text[start..end];
        let is_of_patient = match column {
            Some(column) if record.len() == header.width => {
                record.get(column).is_some_and(|cell| cell.trim_ascii() == id.as_bytes())
            }
            _ => holds(row, id),
        };
        if is_of_patient && (column.is_some() || record.len() != header.width) {
            rows.removed += 1;
        } else {
            rows.left += 1;
            rows.bytes.extend_from_slice(row);
        }
        start = end;
    }
    rows.bytes.extend_from_slice(&text[start..]);
    Some(rows)
}

/// A Parquet table without the rows of a patient; none where it has none of them, or is no table with patients.
///
/// # Errors
/// A damaged file.
pub(crate) fn parquet(object: &[u8], id: &str) -> Result<Option<RowsLeft>, String> {
    let bytes = Bytes::copy_from_slice(object);
    let Ok(header) = parquet_rows::columns_of(&bytes).and_then(|names| super::csv::table_of(&names)) else {
        return Ok(None);
    };
    let Some(column) = patient_column(&header) else { return Ok(None) };
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| error.to_string())?;
    let schema = reader.schema().clone();
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(|error| error.to_string())?;
    let (mut removed, mut left) = (0, 0);
    for batch in reader.build().map_err(|error| error.to_string())? {
        let batch = batch.map_err(|error| error.to_string())?;
        let ids = batch.column(column);
        let is_other = |row: usize| ids.is_null(row) || parquet_rows::text(ids, row).map(str::trim) != Some(id);
        let kept = BooleanArray::from_iter((0..batch.num_rows()).map(|row| Some(is_other(row))));
        let others = filter_record_batch(&batch, &kept).map_err(|error| error.to_string())?;
        removed += (batch.num_rows() - others.num_rows()) as u64;
        left += others.num_rows() as u64;
        writer.write(&others).map_err(|error| error.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    Ok((removed > 0).then_some(RowsLeft { bytes, removed, left }))
}
