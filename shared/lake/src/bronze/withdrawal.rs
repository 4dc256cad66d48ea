//! Withdrawals: what was taken out of a lake, when and why. One file for each withdrawn object, of one row.
//!
//! The file has the object's id as its name, so that a withdrawal that was interrupted knows what it has begun.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bytes::Bytes;
use metriccare_fhir::calendar::date_of;
use parquet::{arrow::ArrowWriter, errors::ParquetError};

use super::properties::properties;
use crate::{
    cells::{self, Cell},
    keys,
    schema::BRONZE_WITHDRAWAL,
    table_file::FileError,
};

/// A row of `bronze/withdrawal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The key of the landed object; none where a patient was withdrawn.
    pub sourcename: Option<String>,
    /// The keyed digest of the patient's id; none where an object was withdrawn.
    pub patient_digest: Option<String>,
    /// Why it was withdrawn.
    pub reason: String,
    /// The records that were withdrawn.
    pub records: u64,
    /// When it was withdrawn, in UTC microseconds.
    pub withdrawn_micros: i64,
}

impl Withdrawal {
    /// The key of the row's file; `id` is that of the landed object.
    pub fn key(&self, id: &str) -> String {
        let date = Cell::<&str>::Date(date_of(self.withdrawn_micros)).to_string();
        keys::bronze_file(BRONZE_WITHDRAWAL.path, "ingest_date", Some(&date), id)
    }

    /// The Parquet bytes of the row's file.
    ///
    /// # Errors
    /// Where the Parquet writer fails.
    pub fn to_parquet(&self) -> Result<Vec<u8>, ParquetError> {
        let text = |value: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
        let columns = vec![
            text(self.sourcename.as_deref()),
            text(self.patient_digest.as_deref()),
            text(Some(&self.reason)),
            Arc::new(Int64Array::from(vec![i64::try_from(self.records).unwrap_or(i64::MAX)])),
            Arc::new(TimestampMicrosecondArray::from(vec![self.withdrawn_micros]).with_timezone("UTC")),
        ];
        let schema = BRONZE_WITHDRAWAL.file_schema();
        let batches = [RecordBatch::try_new(Arc::clone(&schema), columns)?];
        let properties = properties(&BRONZE_WITHDRAWAL, &batches);
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
        writer.write(&batches[0])?;
        writer.into_inner()
    }

    /// Reads the rows of a file.
    ///
    /// # Errors
    /// What is no file of this table.
    pub fn read(bytes: &Bytes) -> Result<Vec<Self>, FileError> {
        let mut withdrawals = Vec::new();
        for row in cells::read_rows(&BRONZE_WITHDRAWAL, bytes)? {
            let [sourcename, patient_digest, reason, records, time] = row.as_slice() else { continue };
            let text = |cell: &Cell| match cell {
                Cell::Text(text) => Some(text.clone()),
                _ => None,
            };
            withdrawals.push(Withdrawal {
                sourcename: text(sourcename),
                patient_digest: text(patient_digest),
                reason: text(reason).unwrap_or_default(),
                records: if let Cell::Int(count) = records { u64::try_from(*count).unwrap_or(0) } else { 0 },
                withdrawn_micros: if let Cell::Timestamp(micros) = time { *micros } else { 0 },
            });
        }
        Ok(withdrawals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withdrawal_is_read_as_it_was_written() {
        let withdrawal = Withdrawal {
            sourcename: Some("patient/2025/01/01/a.ndjson".to_owned()),
            patient_digest: None,
            reason: "sent by mistake".to_owned(),
            records: 7,
            withdrawn_micros: 1_764_028_800_000_001,
        };
        let bytes = Bytes::from(withdrawal.to_parquet().expect("written"));
        assert_eq!(Withdrawal::read(&bytes).expect("read"), std::slice::from_ref(&withdrawal));
        assert_eq!(withdrawal.key("ab"), "bronze/withdrawal/ingest_date=2025-11-25/ab.parquet");
    }
}
