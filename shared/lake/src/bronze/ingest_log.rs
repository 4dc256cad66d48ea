//! The ingest log: one row for each landed object, in a file of its own.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::{arrow::ArrowWriter, errors::ParquetError};

use super::{Counts, Source, properties::properties, records::Measured};
use crate::{keys, schema::BRONZE_INGEST_LOG};

/// How a landed object was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestStatus {
    /// Its records are in the lake or in the quarantine.
    Completed,
    /// The same bytes had landed before under another key or time; they were merged all the same.
    Duplicate,
    /// It held nothing that could be read: all its records are in the quarantine.
    Rejected,
}

impl IngestStatus {
    /// The status as it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            IngestStatus::Completed => "COMPLETED",
            IngestStatus::Duplicate => "DUPLICATE",
            IngestStatus::Rejected => "REJECTED",
        }
    }
}

/// The key and the Parquet bytes of a landed object's row in the ingest log.
///
/// # Errors
/// Where the Parquet writer fails.
pub fn ingest_log(
    source: &Source,
    measured: &Measured,
    counts: &Counts,
    status: IngestStatus,
) -> Result<(String, Vec<u8>), ParquetError> {
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let count = |value: u64| -> ArrayRef { Arc::new(Int64Array::from(vec![i64::try_from(value).unwrap_or(i64::MAX)])) };
    let columns = vec![
        text(&source.key),
        text(&measured.content_id),
        text(&source.etag),
        count(measured.bytes),
        text(status.name()),
        count(counts.records),
        count(counts.accepted()),
        count(counts.quarantined()),
        count(counts.skipped()),
        count(counts.patients),
        count(counts.encounters),
        count(counts.conditions),
        count(counts.deletions),
        Arc::new(TimestampMicrosecondArray::from(vec![source.landed_micros]).with_timezone("UTC")),
    ];
    let schema = BRONZE_INGEST_LOG.file_schema();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let batches = [batch];
    let properties = properties(&BRONZE_INGEST_LOG, &batches);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batches[0])?;
    let date = source.ingest_date();
    let key = keys::bronze_file(BRONZE_INGEST_LOG.path, "ingest_date", Some(&date), &source.object_id);
    Ok((key, writer.into_inner()?))
}
