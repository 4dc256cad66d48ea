//! Law 5 on a lake: gold agrees with what the generator counted in its own event log.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_flow::Worker;
use metriccare_lake::{
    bronze::BronzeCommit,
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
use crate::{failure::Failure, output::count};

pub(super) async fn check(worker: &Worker, commits: &[BronzeCommit]) -> Result<Check, Failure> {
    let mut check = Check::named("answer key");
    let worlds = match read_keys(worker).await? {
        Ok(worlds) => worlds,
        Err(why) => return Ok(Check { skipped: Some(why), ..check }),
    };
    let accepted: BTreeSet<(&str, &str)> = commits
        .iter()
        .filter(|commit| commit.counts.accepted() > 0)
        .map(|commit| (commit.sourcename.as_str(), commit.content_id.as_str()))
        .collect();
    let covers = |answers: &Answers| -> BTreeSet<(String, String)> {
        answers.covers().iter().map(|covered| (covered.name.clone(), covered.sha256.clone())).collect()
    };
    let whole = worlds.iter().find(|answers| {
        let covered = covers(answers);
        accepted.iter().all(|(name, hash)| covered.contains(&((*name).to_owned(), (*hash).to_owned())))
            && covered.iter().all(|(name, hash)| accepted.contains(&(name.as_str(), hash.as_str())))
    });
    let Some(answers) = whole else {
        let covered: BTreeSet<(String, String)> = worlds.iter().flat_map(covers).collect();
        let foreign =
            accepted.iter().filter(|(name, hash)| !covered.contains(&((*name).to_owned(), (*hash).to_owned()))).count();
        let why = match (worlds.len(), foreign) {
            (0, _) => "the lake has no answer key; its data was not generated".to_owned(),
            (1, 0) => "objects that the answer key covers are not in the lake".to_owned(),
            (worlds, 0) => format!("the lake holds {worlds} worlds, and each has a key of its own"),
            (_, foreign) => format!("{} accepted objects are covered by no answer key", count(foreign as u64)),
        };
        return Ok(Check { skipped: Some(why), ..check });
    };
    let expected = answers.expected_with_beds(&beds(worker).await?);
    let mut cells = 0;
    for table in TABLES.iter().copied().filter(|table| table.path.starts_with("gold/") && table.path != "gold/stay") {
        let rows: Vec<_> = expected.iter().filter(|row| row.table == table.path).collect();
        cells += compare(worker, table, &rows, &mut check.differences).await?;
    }
    check.compared = format!("{} cells of gold, counted by the generator", count(cells));
    Ok(check)
}

/// The answer keys of every world whose shards are all there.
async fn read_keys(worker: &Worker) -> Result<Result<Vec<Answers>, String>, Failure> {
    let mut worlds: BTreeMap<String, (Option<Answers>, BTreeSet<u64>, u64)> = BTreeMap::new();
    for listed in worker.ports.lake.list(keys::ANSWERS).await? {
        let Some((world, k, n)) = parse(&listed.key) else { continue };
        let bytes = worker.ports.lake.get(&listed.key).await?.body.bytes().await?;
        let unreadable = |reason: String| Failure::failed(format!("{} is no answer key: {reason}", listed.key));
        let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let answers = Answers::from_json(text).map_err(|error| unreadable(error.to_string()))?;
        let (sum, parts, of) = worlds.entry(format!("{world} in {n}")).or_insert_with(|| (None, BTreeSet::new(), n));
        *of = n;
        if parts.insert(k) {
            match sum {
                Some(sum) => sum.merge(&answers).map_err(|error| unreadable(error.to_string()))?,
                None => *sum = Some(answers),
            }
        }
    }
    let missing = worlds.iter().find(|(_, (_, parts, of))| parts.len() as u64 != *of);
    if let Some((world, (_, parts, of))) = missing {
        return Ok(Err(format!("{world}: {} of {of} shards have left their answer key", parts.len())));
    }
    Ok(Ok(worlds.into_values().filter_map(|(sum, _, _)| sum).collect()))
}

/// The world, k and n of `reference/_answers/<world>/<k>-of-<n>.json`.
fn parse(key: &str) -> Option<(&str, u64, u64)> {
    let (world, file) = key.strip_prefix(keys::ANSWERS)?.split_once('/')?;
    let (k, n) = file.strip_suffix(".json")?.split_once("-of-")?;
    Some((world, k.parse().ok()?, n.parse().ok()?))
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
