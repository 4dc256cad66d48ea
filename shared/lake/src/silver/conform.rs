//! Bronze rows in silver's words: classes, statuses, departments, dispositions.
//!
//! Everything here looks at one row alone, so that it may run before the merge: rows that are merged later in another
//! company are the same rows. Rules run once per distinct value, not per row.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;

use super::Resource;
use super::class::encounter_class;
use super::department::department;
use super::disposition::hl7_disposition;
use super::status::r5_status;
use crate::coded::{Coded, map_text};
use crate::table_file::{Columns, FileError};

/// The schema of conformed rows: silver's own columns, without those derived from merged rows.
pub(super) fn own_schema(resource: Resource) -> Arc<Schema> {
    let own = resource.own_columns();
    let fields = resource.silver().columns.iter().filter(|(name, _)| own.contains(name));
    Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(*name, kind.data_type(), true)).collect::<Vec<_>>()))
}

/// Puts bronze batches together and conforms their rows.
pub(super) fn conform(resource: Resource, bronze: &[RecordBatch]) -> Result<RecordBatch, FileError> {
    let table = resource.bronze();
    let loose = |source| FileError::Rows { table: table.path, source };
    let wanted = resource.bronze_columns();
    let fields = table.columns.iter().filter(|(name, _)| wanted.contains(name));
    let schema =
        Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(*name, kind.data_type(), true)).collect::<Vec<_>>()));
    let mut narrowed = Vec::with_capacity(bronze.len());
    for batch in bronze {
        let columns = Columns { table, batch };
        let arrays = wanted.iter().map(|name| columns.get(name).cloned()).collect::<Result<Vec<_>, _>>()?;
        narrowed.push(RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(loose)?);
    }
    let rows = concat_batches(&schema, &narrowed).map_err(loose)?;
    let columns = Columns { table, batch: &rows };
    let arrays = resource.own_columns().into_iter().map(|name| conformed(columns, name));
    RecordBatch::try_new(own_schema(resource), arrays.collect::<Result<Vec<_>, _>>()?).map_err(loose)
}

fn conformed(bronze: Columns<'_>, name: &'static str) -> Result<ArrayRef, FileError> {
    Ok(match name {
        "hospital_name" => Arc::new(map_text(bronze.text(name)?, trimmed)),
        "department" => Arc::new(map_text(bronze.text(name)?, |text| department(text).map(str::to_owned))),
        "status" => Arc::new(map_text(bronze.text(name)?, |text| Some(r5_status(text).to_owned()))),
        "discharge_disposition" => Arc::new(map_text(bronze.text(name)?, |code| {
            trimmed(code).map(|code| hl7_disposition(&code).unwrap_or("oth").to_owned())
        })),
        "encounter_class" => Arc::new(classes(bronze.text(name)?, bronze.text("encounter_type")?)),
        _ => Arc::clone(bronze.get(name)?),
    })
}

fn trimmed(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn classes(class: &StringArray, type_text: &StringArray) -> StringArray {
    let (class, type_text) = (Coded::new(class), Coded::new(type_text));
    let by_class = class.map(|code| code.filter(|code| !code.trim().is_empty()).map(|_| encounter_class(code, None)));
    let by_type = type_text.map(|text| encounter_class(None, text));
    let rows = class.codes.iter().zip(&type_text.codes);
    rows.map(|(class, text)| Some(by_class[*class as usize].unwrap_or(by_type[*text as usize]))).collect()
}
