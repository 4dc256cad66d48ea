//! A bronze file without the rows of one patient, for landed objects that are no longer in landing.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{Array, BooleanArray, RecordBatch, cast::AsArray};
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;

use super::{properties::properties, without_patient::holds};
use crate::{
    schema::{BRONZE_DELETION, BRONZE_QUARANTINE, Table},
    table_file::{self, FileError},
};

/// The columns of a bronze file that say which rows are a patient's; none where its table has no patients.
fn columns_of(table: &Table) -> Option<&'static [&'static str]> {
    if table.path == BRONZE_DELETION.path {
        Some(&["resource_type", "resource_id"])
    } else if table.path == BRONZE_QUARANTINE.path {
        Some(&["raw"])
    } else {
        table.file_columns().any(|(name, _)| name == "patient_id").then_some(&["patient_id"])
    }
}

/// A bronze file without the rows of one patient.
#[derive(Debug)]
pub struct FileWithoutPatient {
    /// The file; none where it held no row of the patient.
    pub bytes: Option<Vec<u8>>,
    /// Its rows that are left.
    pub left: u64,
    /// Of the quarantine, the rows that are left by rule.
    pub quarantined: BTreeMap<String, u64>,
}

/// Takes the rows of a patient out of a bronze file: by its id in the lake, and from the quarantine by its id in the landed
/// object, where that may hold one.
///
/// # Errors
/// What is no file of this table.
pub fn without_patient_rows(
    table: &'static Table,
    bytes: &Bytes,
    patient: &str,
    id_in_object: Option<&str>,
) -> Result<FileWithoutPatient, FileError> {
    let mut file =
        FileWithoutPatient { bytes: None, left: table_file::count_rows(table, bytes)?, quarantined: BTreeMap::new() };
    let Some(columns) = columns_of(table) else { return Ok(file) };
    let names: Vec<_> = table.file_columns().map(|(name, _)| name).collect();
    let batch = table_file::read(table, bytes, &names)?;
    let at = |name: &str| batch.column_by_name(name).map(|column| column.as_string::<i32>());
    let cell = |name: &str, row: usize| at(name).filter(|column| column.is_valid(row)).map(|column| column.value(row));
    let is_of_patient = |row: usize| match columns {
        ["raw"] => id_in_object.zip(cell("raw", row)).is_some_and(|(id, raw)| holds(raw.as_bytes(), id)),
        [kind, id] => cell(kind, row) == Some("Patient") && cell(id, row) == Some(patient),
        columns => columns.iter().any(|name| cell(name, row) == Some(patient)),
    };
    let kept = BooleanArray::from_iter((0..batch.num_rows()).map(|row| Some(!is_of_patient(row))));
    let rows = |source| FileError::Rows { table: table.path, source };
    let others = filter_record_batch(&batch, &kept).map_err(rows)?;
    file.left = others.num_rows() as u64;
    if let Some(rules) = others.column_by_name("rule") {
        for rule in rules.as_string::<i32>().iter().flatten() {
            *file.quarantined.entry(rule.to_owned()).or_default() += 1;
        }
    }
    if others.num_rows() < batch.num_rows() {
        let schema = table.file_schema();
        let others = [RecordBatch::try_new(Arc::clone(&schema), others.columns().to_vec()).map_err(rows)?];
        let broken = |source| FileError::Read { table: table.path, source };
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties(table, &others))).map_err(broken)?;
        writer.write(&others[0]).map_err(broken)?;
        file.bytes = Some(writer.into_inner().map_err(broken)?);
    }
    Ok(file)
}
