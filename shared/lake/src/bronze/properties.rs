//! How bronze files are written whose rows come as Arrow batches: the ingest log's and the relational tables'; and which
//! columns of a small file are not compressed, in silver and gold too.

use arrow_array::RecordBatch;
use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use crate::schema::{Kind, Table};

/// Rows in a row group: small enough that a writer's buffers stay small, large enough to compress.
const ROW_GROUP: usize = 128 * 1024;
/// A file with fewer rows than this is not worth a compressor for every column.
const SMALL_FILE: usize = 4096;
/// Bytes of a small file's column that are worth a compressor.
const WORTH_COMPRESSING: usize = 8 * 1024;

/// How bronze is written: zstd, and a dictionary but for columns whose values hardly repeat.
///
/// Each compressed column makes a compressor of its own, which in a small file costs more than all of its rows do. There,
/// dictionaries alone are small enough, and other columns are compressed where they hold enough to make up for it.
///
/// Without first rows it is a file of many rows.
pub(crate) fn properties(table: &Table, first_rows: &[RecordBatch]) -> WriterProperties {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd"));
    let mut properties = WriterProperties::builder().set_compression(zstd).set_max_row_group_row_count(Some(ROW_GROUP));
    for (index, (name, kind)) in table.file_columns().enumerate() {
        let column = ColumnPath::from(name);
        let dictionary = !hardly_repeats(name, kind);
        if !worth_compressing(first_rows, index, dictionary) {
            properties = properties.set_column_compression(column.clone(), Compression::UNCOMPRESSED);
        }
        if !dictionary {
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    properties.build()
}

/// Whether a column of a file is compressed: always in a large file, which is one whose first rows are not named here or are many.
pub(crate) fn worth_compressing(first_rows: &[RecordBatch], column: usize, dictionary: bool) -> bool {
    let rows: usize = first_rows.iter().map(RecordBatch::num_rows).sum();
    let large = first_rows.is_empty() || rows >= SMALL_FILE;
    large || (!dictionary && bytes_of(first_rows, column) >= WORTH_COMPRESSING)
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
