//! Which bucket a patient lives in, and partitioning bronze rows by it.

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

/// The bucket of each row of a bronze batch.
pub(super) fn buckets_of(resource: Resource, bronze: &RecordBatch, buckets: u16) -> Result<Vec<u16>, FileError> {
    let columns = Columns { table: resource.bronze(), batch: bronze };
    let patients = columns.text("patient_id")?;
    let own = columns.text(resource.id_column())?;
    let mut last: Option<(&str, u16)> = None;
    let bucket = |row: usize| {
        let patient = patients.is_valid(row).then(|| patients.value(row));
        let bucket = match (patient, last) {
            // Exports often list a patient's resources one after the other.
            (Some(id), Some((seen, bucket))) if id == seen => bucket,
            _ => bucket_of(patient, if own.is_valid(row) { own.value(row) } else { "" }, buckets),
        };
        last = patient.map(|id| (id, bucket));
        bucket
    };
    Ok((0..bronze.num_rows()).map(bucket).collect())
}

/// Takes rows apart by their buckets, in ascending order of bucket; empty buckets are left out.
pub(super) fn by_bucket(
    resource: Resource,
    rows: &RecordBatch,
    buckets: &[u16],
) -> Result<Vec<(u16, RecordBatch)>, FileError> {
    let mut places: Vec<Vec<u32>> = vec![Vec::new(); buckets.iter().max().map_or(0, |last| usize::from(*last) + 1)];
    for (row, bucket) in (0_u32..).zip(buckets) {
        places[usize::from(*bucket)].push(row);
    }
    let loose = |source| FileError::Rows { table: resource.bronze().path, source };
    let filled = (0u16..).zip(places).filter(|(_, rows)| !rows.is_empty());
    filled
        .map(|(bucket, places)| Ok((bucket, take_record_batch(rows, &UInt32Array::from(places)).map_err(loose)?)))
        .collect()
}

/// Partitions the rows of a bronze batch by their buckets, in ascending order of bucket; empty buckets are left out.
pub fn split(resource: Resource, bronze: &RecordBatch, buckets: u16) -> Result<Vec<(u16, RecordBatch)>, FileError> {
    by_bucket(resource, bronze, &buckets_of(resource, bronze, buckets)?)
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
