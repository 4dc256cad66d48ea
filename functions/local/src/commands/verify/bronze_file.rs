//! Decodes a bronze file completely: a footer alone does not show damage in the rows before it.
//!
//! Few rows are in memory at once, whatever the file holds.

use std::sync::Arc;

use bytes::Bytes;
use metriccare_flow::FileRows;
use metriccare_lake::schema::Table;
use metriccare_ports::{ErrorKind, ObjectStore};
use parquet::{
    arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    errors::ParquetError,
};

use crate::output::failure::Failure;

/// Rows that are decoded at once: a refused record stands in its row whole, and may be large.
const ROWS: usize = 1_024;

/// A file's bytes and its number of rows, or what is wrong with it.
pub(super) async fn decoded(
    lake: Arc<dyn ObjectStore>,
    rows_of: FileRows,
    table: &'static Table,
) -> Result<Result<(Bytes, u64), String>, Failure> {
    let bytes = match lake.get(&rows_of.key).await {
        Ok(object) => object.body.bytes().await?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Err("is missing".to_owned())),
        Err(error) => return Err(error.into()),
    };
    let held = bytes.clone();
    // The reader panics on some damaged files.
    Ok(match tokio::task::spawn_blocking(move || rows(table, held)).await {
        Ok(Ok(rows)) if !rows_of.is_shared() => Ok((bytes, rows)),
        Ok(Ok(_)) => match rows_of.select(bytes).await {
            Ok(own) => {
                rows(table, own.clone()).map(|rows| (own, rows)).map_err(|reason| format!("cannot be read: {reason}"))
            }
            Err(error) => Err(format!("cannot be read: {error}")),
        },
        Ok(Err(reason)) => Err(format!("cannot be read: {reason}")),
        Err(_) => Err("is a damaged Parquet file".to_owned()),
    })
}

fn rows(table: &Table, bytes: Bytes) -> Result<u64, String> {
    let broken = |error: ParquetError| error.to_string();
    // Only the Parquet types count, not the Arrow schema that an engine may have added.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).map_err(broken)?;
    for (column, kind) in table.file_columns() {
        let found = builder.schema().field_with_name(column).ok();
        if found.is_none_or(|field| *field.data_type() != kind.data_type()) {
            return Err(format!("it has no column {column} of type {}", kind.data_type()));
        }
    }
    let mut rows = 0;
    for batch in builder.with_batch_size(ROWS).build().map_err(broken)? {
        rows += batch.map_err(|error| error.to_string())?.num_rows() as u64;
    }
    Ok(rows)
}
