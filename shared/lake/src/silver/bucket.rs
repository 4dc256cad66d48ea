//! Which bucket a patient lives in, and dealing bronze rows to their buckets.

use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use xxhash_rust::xxh64::xxh64;

use super::Resource;
use crate::table_file::{Columns, FileError};

/// The number of buckets of a new lake.
pub const DEFAULT_BUCKETS: u16 = 16;

/// The bucket of a resource: that of its patient, or of its own id where it names no patient.
pub fn bucket_of(patient_id: Option<&str>, own_id: &str, buckets: u16) -> u16 {
    let hash = xxh64(patient_id.unwrap_or(own_id).as_bytes(), 0);
    (hash % u64::from(buckets.max(1))) as u16
}

/// Deals the rows of a bronze batch to their buckets, in ascending order of bucket; empty buckets are left out.
pub fn split(resource: Resource, batch: &RecordBatch, buckets: u16) -> Result<Vec<(u16, RecordBatch)>, FileError> {
    let columns = Columns { table: resource.bronze(), batch };
    let patients = columns.text("patient_id")?;
    let own = columns.text(resource.id_column())?;
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); usize::from(buckets.max(1))];
    let mut last: Option<(&str, u16)> = None;
    for row in 0..batch.num_rows() {
        let patient = patients.is_valid(row).then(|| patients.value(row));
        let bucket = match (patient, last) {
            // Exports often list a patient's resources one after the other.
            (Some(id), Some((seen, bucket))) if id == seen => bucket,
            _ => bucket_of(patient, if own.is_valid(row) { own.value(row) } else { "" }, buckets),
        };
        last = patient.map(|id| (id, bucket));
        rows[usize::from(bucket)].push(row as u32);
    }
    let loose = |source| FileError::Rows { table: resource.bronze().path, source };
    let filled = (0u16..).zip(rows).filter(|(_, rows)| !rows.is_empty());
    filled
        .map(|(bucket, rows)| Ok((bucket, take_record_batch(batch, &UInt32Array::from(rows)).map_err(loose)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_the_documented_hash() {
        // xxHash64 of no bytes with seed 0 is published as ef46db3751d8e999.
        assert_eq!(bucket_of(Some(""), "x", 16), (0xef46_db37_51d8_e999_u64 % 16) as u16);
        assert_eq!(bucket_of(None, "e1", 16), bucket_of(Some("e1"), "other", 16));
        assert_eq!(bucket_of(Some("p"), "e", 0), 0);
    }
}
