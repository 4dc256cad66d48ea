//! Law 2 on a lake: every landed object is in bronze, and all its records are accounted for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_flow::{FileRows, Worker, withdrawn_objects};
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::{self, Cell},
    keys,
    schema::{BRONZE_INGEST_LOG, TABLES},
};

use super::{Check, bronze_file::decoded};
use crate::output::{counted, failure::Failure, progress::Bars};

/// At most this many objects are named in a note.
const LISTED: usize = 5;

/// The lake's bronze commits.
pub(crate) async fn commits(worker: &Worker) -> Result<Vec<BronzeCommit>, Failure> {
    let mut commits = Vec::new();
    for listed in worker.ports.lake.list(keys::BRONZE_COMMITS).await? {
        let bytes = worker.ports.lake.get(&listed.key).await?.body.bytes().await?;
        let commit = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::failed(format!("{} cannot be read: {error}", listed.key)))?;
        commits.push(commit);
    }
    Ok(commits)
}

pub(super) async fn check(worker: &Worker, commits: &[BronzeCommit], bars: &Bars) -> Result<Check, Failure> {
    let mut check = Check::named("conservation");
    bars.start("counting", commits.len());
    let by_id: BTreeMap<&str, &BronzeCommit> =
        commits.iter().map(|commit| (commit.object_id.as_str(), commit)).collect();
    let withdrawn = withdrawn_objects(&*worker.ports.lake).await?;
    let (mut landed, mut excluded) = (BTreeSet::new(), Vec::new());
    for listed in worker.ports.landing.list("").await? {
        if !keys::is_data(&listed.key) {
            continue;
        }
        let meta = worker.ports.landing.head(&listed.key).await?;
        let id = meta.object_id();
        if withdrawn.get(&listed.key).is_some_and(|ids| ids.contains(&id)) {
            excluded.push(listed.key);
            continue;
        }
        if !by_id.contains_key(id.as_str()) {
            check.differences.push(format!("{} landed and is not in bronze", listed.key));
        }
        landed.insert(id);
    }
    let gone: Vec<_> = commits.iter().filter(|commit| !landed.contains(&commit.object_id)).collect();
    if !gone.is_empty() {
        let names = named(gone.iter().map(|commit| commit.sourcename.as_str()), gone.len());
        check.notes.push(format!("{} of bronze no longer in landing: {names}", counted(gone.len() as u64, "object")));
    }
    if !excluded.is_empty() {
        let names = named(excluded.iter().map(String::as_str), excluded.len());
        check
            .notes
            .push(format!("{} withdrawn and still in landing: {names}", counted(excluded.len() as u64, "object")));
    }
    let mut records = 0;
    for commit in commits {
        records += commit.counts.records;
        one(worker, commit, &mut check).await?;
        bars.step(1);
    }
    check.compared = format!("{} of {}", counted(records, "record"), counted(landed.len() as u64, "landed object"));
    Ok(check)
}

/// The first names of so many.
fn named<'a>(names: impl Iterator<Item = &'a str>, all: usize) -> String {
    let more = if all > LISTED { ", …" } else { "" };
    format!("{}{more}", names.take(LISTED).collect::<Vec<_>>().join(", "))
}

/// One landed object: its commit, its row in the ingest log, and its files say the same.
async fn one(worker: &Worker, commit: &BronzeCommit, check: &mut Check) -> Result<(), Failure> {
    let (source, counts) = (&commit.sourcename, &commit.counts);
    let parts = counts.accepted() + counts.quarantined() + counts.skipped();
    if counts.records != parts {
        check.differences.push(format!("{source}: {}, but {parts} accounted for", counted(counts.records, "record")));
    }
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    // As many files are in memory as there are threads.
    for files in commit.files.chunks(worker.threads.get()) {
        let mut decoding = Vec::new();
        for file in files {
            let Some(table) = TABLES.iter().copied().find(|table| table.path == file.table) else {
                check.differences.push(format!("{source}: its commit names an unknown table, {}", file.table));
                continue;
            };
            let lake = Arc::clone(&worker.ports.lake);
            decoding.push((file, table, tokio::spawn(decoded(lake, FileRows::from(file), table))));
        }
        for (file, table, decoded) in decoding {
            let (bytes, found) = match decoded.await.map_err(|error| Failure::failed(error.to_string()))?? {
                Ok(read) => read,
                Err(reason) => {
                    check.differences.push(format!("{source}: {} {reason}", file.key));
                    continue;
                }
            };
            *rows.entry(table.path).or_default() += found;
            if found != file.rows {
                check.differences.push(format!("{}: {} instead of {}", file.key, counted(found, "row"), file.rows));
            }
            if table.path == BRONZE_INGEST_LOG.path {
                log_row(commit, &file.key, &bytes, check);
            }
        }
    }
    for (table, expected) in [
        ("bronze/patient", counts.patients),
        ("bronze/encounter", counts.encounters),
        ("bronze/condition", counts.conditions),
        ("bronze/deletion", counts.deletions),
        ("bronze/quarantine", counts.quarantined()),
        ("bronze/ingest_log", 1),
    ] {
        let found = rows.get(table).copied().unwrap_or_default();
        if found != expected {
            check
                .differences
                .push(format!("{source}: {} in {table}, its commit counts {expected}", counted(found, "row")));
        }
    }
    Ok(())
}

fn log_row(commit: &BronzeCommit, key: &str, bytes: &bytes::Bytes, check: &mut Check) {
    let counts = &commit.counts;
    let wanted = [
        ("records", counts.records),
        ("accepted", counts.accepted()),
        ("quarantined", counts.quarantined()),
        ("skipped", counts.skipped()),
        ("patients", counts.patients),
        ("encounters", counts.encounters),
        ("conditions", counts.conditions),
        ("deletions", counts.deletions),
    ];
    let rows = match cells::read_rows(&BRONZE_INGEST_LOG, bytes) {
        Ok(rows) => rows,
        Err(error) => return check.differences.push(format!("{key}: {error}")),
    };
    for row in rows {
        for (column, wanted) in wanted {
            let at = BRONZE_INGEST_LOG.file_columns().position(|(name, _)| name == column);
            let found = at.and_then(|at| row.get(at));
            if found != Some(&Cell::Int(i64::try_from(wanted).unwrap_or(i64::MAX))) {
                let found = found.map(ToString::to_string).unwrap_or_default();
                check.differences.push(format!("{key}: {column} is {found}, its commit counts {wanted}"));
            }
        }
    }
}
