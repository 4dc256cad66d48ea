//! Rows on their way through a temporary file: Arrow's own stream format, which is read back without decoding.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{reader::StreamDecoder, writer::StreamWriter};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;

use crate::table_file::FileError;

/// Puts batches of one schema together and appends them as bytes; none for no batches.
///
/// # Errors
/// Batches whose columns differ, or whose texts outgrow 2 GiB together.
pub fn encode_rows(table: &'static str, batches: &[RecordBatch]) -> Result<Vec<u8>, FileError> {
    encode(batches).map_err(|source| FileError::Rows { table, source })
}

fn encode(batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let schema = first.schema();
    let rows = concat_batches(&schema, batches)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&rows)?;
    writer.into_inner()
}

/// The rows of bytes that [`encode_rows`] made.
///
/// # Errors
/// Other bytes.
pub fn decode_rows(table: &'static str, bytes: Vec<u8>) -> Result<Vec<RecordBatch>, FileError> {
    decode(bytes).map_err(|source| FileError::Rows { table, source })
}

fn decode(bytes: Vec<u8>) -> Result<Vec<RecordBatch>, ArrowError> {
    let (mut buffer, mut decoder) = (Buffer::from(bytes), StreamDecoder::new());
    let mut batches = Vec::new();
    while !buffer.is_empty() {
        batches.extend(decoder.decode(&mut buffer)?);
    }
    decoder.finish()?;
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{EncounterRow, encounters};

    #[test]
    fn rows_come_back_as_they_were() {
        let rows = encounters(&[EncounterRow::default(), EncounterRow::default()]);
        let bytes = encode_rows("t", &[rows.slice(0, 1), rows.slice(1, 1)]).expect("of one schema");
        assert_eq!(decode_rows("t", bytes).expect("our own bytes"), [rows]);
        assert!(encode_rows("t", &[]).expect("nothing").is_empty());
        assert_eq!(decode_rows("t", Vec::new()).expect("nothing"), []);
        decode_rows("t", vec![7; 100]).expect_err("no stream");
    }
}
