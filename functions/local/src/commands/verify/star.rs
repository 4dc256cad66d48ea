//! The star: every row of its dimensions and facts once, and every foreign key with the row that it names.
//!
//! That silver has the latest rows that landed is the check `rebuilt`'s matter.

use std::collections::BTreeSet;

use metriccare_flow::Worker;
use metriccare_lake::{
    cells::{self, Cell},
    relational::{
        CLAIMS, CMS_MEASURES, ENCOUNTERS, FACILITIES, HAI_DATA, PATIENTS, PROVIDERS, REGISTRY, RELATIONAL,
        RelationalTable,
    },
    schema::{SILVER_ENCOUNTER, Table},
};

use super::Check;
use crate::{
    lake::rows::read_file,
    output::{count, counted, failure::Failure},
};

/// How many of a column's ids a difference names.
const NAMED: usize = 5;

/// The dimension that a column of another table names a row of.
struct ForeignKey {
    dimension: &'static RelationalTable,
    tables: &'static [&'static RelationalTable],
}

/// The columns are called as the primary keys that they name.
const FOREIGN_KEYS: [ForeignKey; 3] = [
    ForeignKey { dimension: &PATIENTS, tables: &[&ENCOUNTERS, &CLAIMS, &REGISTRY] },
    ForeignKey { dimension: &PROVIDERS, tables: &[&ENCOUNTERS, &CLAIMS, &REGISTRY] },
    ForeignKey { dimension: &FACILITIES, tables: &[&PROVIDERS, &ENCOUNTERS, &CMS_MEASURES, &HAI_DATA] },
];

/// Checks the star; none where the lake has no relational tables.
pub(super) async fn check(worker: &Worker) -> Result<Option<Check>, Failure> {
    let mut check = Check::named("star");
    let mut sizes = Vec::new();
    for table in RELATIONAL {
        let rows = primary_keys(worker, table, &mut check).await?;
        if rows > 0 {
            sizes.push(format!("{} {}", count(rows), name(table)));
        }
    }
    if sizes.is_empty() {
        return Ok(None);
    }
    let mut references = 0;
    for key in &FOREIGN_KEYS {
        references += foreign_key(worker, key, &mut check).await?;
    }
    both_views(worker, &mut check).await?;
    check.compared = format!("{}; {} followed", sizes.join(", "), counted(references, "foreign key"));
    Ok(Some(check))
}

/// Names primary keys that more than one row has, and says how many rows there are.
async fn primary_keys(worker: &Worker, table: &'static RelationalTable, check: &mut Check) -> Result<u64, Failure> {
    let (mut rows, mut once, mut twice) = (0, BTreeSet::new(), BTreeSet::new());
    each_row(worker, &table.silver, table.key, |key| {
        rows += 1;
        let key = key.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        if !once.insert(key.clone()) {
            twice.insert(key);
        }
    })
    .await?;
    if !twice.is_empty() {
        let key = table.key.join(", ");
        check.differences.push(format!("{}: more than one row of {key} {}", table.silver.path, some(&twice)));
    }
    Ok(rows)
}

/// Names ids that the dimension has no row of, and says how many references were followed.
async fn foreign_key(worker: &Worker, key: &ForeignKey, check: &mut Check) -> Result<u64, Failure> {
    let (dimension, column) = (&key.dimension.silver, key.dimension.key);
    let known = ids(worker, dimension, column).await?;
    let mut followed = 0;
    for table in key.tables {
        let (mut rows, mut dangling, mut unknown) = (0, 0, BTreeSet::new());
        each_row(worker, &table.silver, column, |cells| {
            // An empty cell refers to nothing.
            if let [Cell::Text(id)] = cells {
                rows += 1;
                if !known.contains(id) {
                    dangling += 1;
                    unknown.insert(id.clone());
                }
            }
        })
        .await?;
        if known.is_empty() && rows > 0 {
            let words = format!("{} has no row, so {} of {} is not followed", dimension.path, column[0], name(table));
            check.notes.push(words);
            continue;
        }
        followed += rows;
        if !unknown.is_empty() {
            let words = format!("{} with a {} that {} lacks", counted(dangling, "row"), column[0], dimension.path);
            check.differences.push(format!("{}: {words}: {}", table.silver.path, some(&unknown)));
        }
    }
    Ok(followed)
}

/// Notes how many encounters are in both views, where the lake has both. They may be of different systems, or not all have
/// landed yet: it is no difference.
async fn both_views(worker: &Worker, check: &mut Check) -> Result<(), Failure> {
    let tables = ids(worker, &ENCOUNTERS.silver, ENCOUNTERS.key).await?;
    let fhir = ids(worker, &SILVER_ENCOUNTER, ENCOUNTERS.key).await?;
    if !tables.is_empty() && !fhir.is_empty() {
        let both = tables.intersection(&fhir).count() as u64;
        let (only_tables, only_fhir) = (tables.len() as u64 - both, fhir.len() as u64 - both);
        let words = format!("{} only in the tables, {} only in FHIR", count(only_tables), count(only_fhir));
        check.notes.push(format!("{} in both views, {words}", counted(both, "encounter")));
    }
    Ok(())
}

/// The ids of a column.
async fn ids(worker: &Worker, table: &'static Table, column: &[&str]) -> Result<BTreeSet<String>, Failure> {
    let mut ids = BTreeSet::new();
    each_row(worker, table, column, |cells| {
        if let [Cell::Text(id)] = cells {
            ids.insert(id.clone());
        }
    })
    .await?;
    Ok(ids)
}

/// Gives the cells of some columns of every row of a table. A file that cannot be read is a difference of another check.
pub(super) async fn each_row(
    worker: &Worker,
    table: &'static Table,
    columns: &[&str],
    mut each: impl FnMut(&[Cell]),
) -> Result<(), Failure> {
    let place = |name: &&str| table.file_columns().position(|(column, _)| column == *name);
    let places: Vec<usize> = columns.iter().filter_map(place).collect();
    for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
        if !listed.key.ends_with(".parquet") {
            continue;
        }
        let Some(bytes) = read_file(worker, &listed.key).await? else { continue };
        for row in cells::read_rows(table, &bytes).unwrap_or_default() {
            let cells: Vec<Cell> = places.iter().filter_map(|at| row.get(*at).cloned()).collect();
            each(&cells);
        }
    }
    Ok(())
}

/// The table's name without its folder.
fn name(table: &RelationalTable) -> &'static str {
    table.silver.path.trim_start_matches("silver/")
}

/// The first ids, and how many more there are.
fn some(ids: &BTreeSet<String>) -> String {
    let names = ids.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = ids.len().saturating_sub(NAMED);
    if more == 0 { names } else { format!("{names} and {} more", count(more as u64)) }
}
