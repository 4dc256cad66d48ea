//! Law 5 on a lake: gold agrees with what the generator counted in its own event log.

use std::collections::BTreeMap;

use metriccare_flow::Worker;
use metriccare_lake::{
    cells::{self, Cell},
    gold::Hospitals,
    keys,
    schema::{TABLES, Table},
};
use metriccare_ports::ErrorKind;
use metriccare_world::{Answers, ExpectedRow, Value};

use super::{
    Check,
    rows::{Named, close, name, shown},
};
use crate::output::{counted, failure::Failure};

pub(super) async fn check(worker: &Worker, key: &Result<Answers, String>) -> Result<Check, Failure> {
    let mut check = Check::named("answer key");
    let answers = match key {
        Ok(answers) => answers,
        Err(why) => return Ok(Check { skipped: Some(why.clone()), ..check }),
    };
    let expected = answers.expected_with_beds(&beds(worker).await?);
    let mut cells = 0;
    for table in TABLES.iter().copied().filter(|table| table.path.starts_with("gold/") && table.path != "gold/stay") {
        let rows: Vec<_> = expected.iter().filter(|row| row.table == table.path).collect();
        cells += compare(worker, table, &rows, &mut check.differences).await?;
    }
    check.compared = format!("{} of gold, counted by the generator", counted(cells, "cell"));
    Ok(check)
}

/// Staffed beds as the lake's reference file has them now: people may edit it.
async fn beds(worker: &Worker) -> Result<BTreeMap<String, i64>, Failure> {
    let bytes = match worker.ports.lake.get(keys::HOSPITALS).await {
        Ok(object) => object.body.bytes().await?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let hospitals =
        Hospitals::parse_csv(&bytes).map_err(|error| Failure::failed(format!("{}: {error}", keys::HOSPITALS)))?;
    Ok(hospitals.iter().filter_map(|(name, hospital)| Some((name.to_owned(), hospital.staffed_beds?))).collect())
}

async fn compare(
    worker: &Worker,
    table: &'static Table,
    expected: &[&ExpectedRow],
    differences: &mut Vec<String>,
) -> Result<u64, Failure> {
    let key = keys::gold_file(table.path);
    let bytes = match worker.ports.lake.get(&key).await {
        Ok(object) => object.body.bytes().await?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            differences.push(format!("{key} is missing"));
            return Ok(0);
        }
        Err(error) => return Err(error.into()),
    };
    let rows = match cells::read_rows(table, &bytes) {
        Ok(rows) => rows,
        Err(error) => {
            differences.push(format!("{key}: {error}"));
            return Ok(0);
        }
    };
    let mut found = Named::of(table, &rows);
    let mut cells = 0;
    for row in expected {
        let dimensions = row.dimensions.iter();
        let named =
            name(dimensions.map(|(column, value)| (*column, value.clone().unwrap_or_else(|| "null".to_owned()))));
        cells += row.values.len() as u64;
        let Some(cells) = found.take(&named) else {
            differences.push(format!("{} {named}: the generator counted this row", table.path));
            continue;
        };
        let at = |column: &str| table.file_columns().position(|(name, _)| name == column).and_then(|at| cells.get(at));
        for (column, value) in &row.values {
            let is = at(column).unwrap_or(&Cell::Null);
            if !agrees(is, value) {
                differences.push(format!(
                    "{} {named}: {column} is {}, the generator counted {}",
                    table.path,
                    shown(is),
                    words(value)
                ));
            }
        }
    }
    differences.extend(found.left().map(|name| format!("{} {name}: the generator counted no such row", table.path)));
    Ok(cells)
}

fn agrees(cell: &Cell, value: &Value) -> bool {
    match (cell, value) {
        (Cell::Int(is), Value::Count(should)) => is == should,
        (Cell::Float(is), Value::Float(should)) => close(*is, *should),
        (Cell::Text(is), Value::Text(should)) => is == should,
        (Cell::Bool(is), Value::Flag(should)) => is == should,
        (Cell::Null, Value::Null) => true,
        _ => false,
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Count(count) => count.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => (*text).to_owned(),
        Value::Flag(flag) => flag.to_string(),
        Value::Null => "null".to_owned(),
    }
}
