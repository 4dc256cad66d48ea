//! Folding the partials of all buckets into the final tables.

use bytes::Bytes;

use super::hospitals::Hospitals;
use super::partial::Partial;
use super::tables;
use super::whole::Whole;
use crate::schema::Table;
use crate::table_file::FileError;

/// Folds partials, in any order, into gold's final tables; `inputs` is the [`super::inputs_digest`] of the partials and
/// of the hospitals' file, and is named in each file's metadata.
pub fn fold(
    partials: &[Partial],
    hospitals: &Hospitals,
    inputs: &str,
) -> Result<Vec<(&'static Table, Bytes)>, FileError> {
    let whole = Whole::new(partials, hospitals, inputs);
    tables::ALL.iter().map(|(table, write)| Ok((*table, write(&whole)?))).collect()
}
