//! The table of staffed beds, `reference_hospitals`: all columns are text, as infra/athena/reference_hospitals.sql has it.

use std::{path::Path, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    },
    common::{Result, exec_datafusion_err},
    datasource::MemTable,
    prelude::SessionContext,
};
use metriccare_lake::{gold::Hospitals, keys};

/// The table's name in Glue.
pub(super) const NAME: &str = "reference_hospitals";
/// The table's columns, in order.
pub(super) const COLUMNS: [&str; 4] = ["hospital_name", "staffed_beds", "city", "state"];

/// Makes the hospitals' reference file known as a table; without rows where there is no file.
pub(super) fn register(context: &SessionContext, lake: &Path) -> Result<()> {
    let bytes = match std::fs::read(lake.join(keys::HOSPITALS)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(exec_datafusion_err!("{}: {error}", keys::HOSPITALS)),
    };
    let hospitals =
        Hospitals::parse_csv(&bytes).map_err(|error| exec_datafusion_err!("{}: {error}", keys::HOSPITALS))?;
    let mut columns: [Vec<Option<String>>; COLUMNS.len()] = Default::default();
    for (name, hospital) in hospitals.iter() {
        let beds = hospital.staffed_beds.map(|beds| beds.to_string());
        let cells = [Some(name.to_owned()), beds, hospital.city.clone(), hospital.state.clone()];
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
    }
    let schema = Arc::new(Schema::new(COLUMNS.map(|name| Field::new(name, DataType::Utf8, true)).to_vec()));
    let arrays = columns.map(|column| Arc::new(StringArray::from(column)) as ArrayRef).to_vec();
    let rows = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    context.register_table(NAME, Arc::new(MemTable::try_new(schema, vec![vec![rows]])?))?;
    Ok(())
}
