//! `metriccare explain object`: the way of one landed object through the lake.
//!
//! Its claim is the ledger's, its counts and files are its commit's, its quarantined records are bronze's, and what of it is
//! the latest version is found in silver.

use std::{collections::HashSet, num::NonZeroUsize};

use metriccare_flow::{FileRows, Worker};
use metriccare_lake::{
    bronze::BronzeCommit,
    cells, keys,
    schema::{
        BRONZE_CONDITION, BRONZE_ENCOUNTER, BRONZE_PATIENT, BRONZE_QUARANTINE, SILVER_CONDITION, SILVER_ENCOUNTER,
        SILVER_PATIENT, Table,
    },
};
use metriccare_ports::{ErrorKind, ObjectMeta, WorkId, ledger::State};
use serde::Serialize;

use super::words;
use crate::{
    arguments::ExplainObject,
    commands::verify,
    lake::{
        self,
        rows::{Row, Rows},
    },
    output::{Output, count, counted, failure::Failure, nearest::did_you_mean, size},
};

/// Quarantined records that are printed; all of them are in the JSON.
const LISTED: usize = 20;

/// Each bronze table with its silver table, their id, and what a row is called.
const TABLES: [(&Table, &Table, &str, &str); 3] = [
    (&BRONZE_PATIENT, &SILVER_PATIENT, "patient_id", "patient"),
    (&BRONZE_ENCOUNTER, &SILVER_ENCOUNTER, "encounter_id", "encounter"),
    (&BRONZE_CONDITION, &SILVER_CONDITION, "condition_id", "condition"),
];

/// A landed object.
#[derive(Debug, Serialize)]
struct ObjectReport {
    key: String,
    /// What landing has now; none if the object is gone.
    landed: Option<Landed>,
    /// Every version of the object that bronze has, oldest first.
    versions: Vec<Version>,
}

#[derive(Debug, Serialize)]
struct Landed {
    bytes: u64,
    time: String,
    etag: String,
    /// Whether bronze has this version.
    in_bronze: bool,
    /// What the ledger has of it.
    claim: String,
}

/// A version of the object that bronze has.
#[derive(Debug, Serialize)]
struct Version {
    object_id: String,
    landed: String,
    commit: String,
    records: u64,
    accepted: u64,
    quarantined: u64,
    skipped: u64,
    files: usize,
    quarantine: Vec<Quarantined>,
    /// By type: rows in bronze, and those that are the latest version in silver.
    latest: Vec<Latest>,
}

/// A quarantined record, without its content, which may be personal.
#[derive(Debug, Serialize)]
struct Quarantined {
    line: i64,
    rule: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Latest {
    #[serde(rename = "type")]
    noun: &'static str,
    rows: u64,
    latest: u64,
}

pub(super) async fn explain(arguments: &ExplainObject, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_with_tables(&arguments.lake, &arguments.tables, NonZeroUsize::MIN).await?;
    let key = arguments.key.trim_start_matches("landing/");
    let commits = verify::commits(&worker).await?;
    let mut of_object: Vec<&BronzeCommit> = commits.iter().filter(|commit| commit.sourcename == key).collect();
    of_object.sort_by_key(|commit| commit.landed_micros);
    let landed = landed(&worker, arguments, key, &of_object).await?;
    if landed.is_none() && of_object.is_empty() {
        let known = worker.ports.landing.list("").await?;
        let known = known.iter().map(|listed| listed.key.as_str()).chain(commits.iter().map(|c| c.sourcename.as_str()));
        let meant = did_you_mean(key, known);
        return Err(Failure::usage(format!("there is no object {key:?} in landing, and none in bronze{meant}")));
    }
    let mut versions = Vec::new();
    for commit in of_object {
        versions.push(version(&worker, commit).await?);
    }
    let report = ObjectReport { key: key.to_owned(), landed, versions };
    if arguments.json {
        output.json(&report)?;
    } else {
        report.print(output)?;
    }
    output.flush()
}

async fn landed(
    worker: &Worker,
    arguments: &ExplainObject,
    key: &str,
    commits: &[&BronzeCommit],
) -> Result<Option<Landed>, Failure> {
    let meta = match worker.ports.landing.head(key).await {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let object_id = meta.object_id();
    Ok(Some(Landed {
        bytes: meta.size,
        time: words::time(meta.last_modified_micros),
        etag: meta.etag.as_str().to_owned(),
        in_bronze: commits.iter().any(|commit| commit.object_id == object_id),
        claim: claim(arguments, worker, &meta).await,
    }))
}

/// What the ledger has of an object, as text: another command may be using the ledger, and this one waits for none.
async fn claim(arguments: &ExplainObject, worker: &Worker, meta: &ObjectMeta) -> String {
    let work = WorkId::on("bronze", worker.ports.landing.bucket(), meta);
    let ledger = match lake::ledger_to_read(&arguments.lake).await {
        Ok(ledger) => ledger,
        Err(reason) => return format!("unknown: {reason}"),
    };
    match ledger.look(&work).await {
        Ok(None) => "none".to_owned(),
        Err(error) => format!("unknown: {error}"),
        Ok(Some(record)) => {
            let state = match &record.state {
                State::InProgress { .. } => "in progress".to_owned(),
                State::Completed { .. } => "completed".to_owned(),
                State::Rejected { reason } => format!("rejected: {reason}"),
                State::Failed { why } => format!("failed: {why}"),
            };
            format!("{state}, attempt {}, by {}", record.attempt, record.owner)
        }
    }
}

async fn version(worker: &Worker, commit: &BronzeCommit) -> Result<Version, Failure> {
    let mut quarantine = Vec::new();
    each_row(worker, commit, &BRONZE_QUARANTINE, |row| {
        let text = |column| row.text(column).unwrap_or_default().to_owned();
        quarantine.push(Quarantined { line: row.count("line"), rule: text("rule"), reason: text("reason") });
    })
    .await?;
    let mut latest = Vec::new();
    for (bronze, silver, id, noun) in TABLES {
        let name = |row: &Row<'_>| {
            let text = |column| row.text(column).unwrap_or_default().to_owned();
            (text(id), text("content_id"), row.time("precombine_ts"))
        };
        let (mut rows, mut names) = (0, HashSet::new());
        each_row(worker, commit, bronze, |row| {
            rows += 1;
            names.insert(name(&row));
        })
        .await?;
        if rows == 0 {
            continue;
        }
        let mut found = 0;
        Rows::of_each_file(worker, silver, |file| {
            found += file.iter().filter(|row| names.contains(&name(row))).count() as u64;
        })
        .await?;
        latest.push(Latest { noun, rows, latest: found });
    }
    Ok(Version {
        object_id: commit.object_id.clone(),
        landed: words::time(commit.landed_micros),
        commit: keys::bronze_commit(&commit.object_id),
        records: commit.counts.records,
        accepted: commit.counts.accepted(),
        quarantined: commit.counts.quarantined(),
        skipped: commit.counts.skipped(),
        files: commit.files.len(),
        quarantine,
        latest,
    })
}

/// Gives every row that an object has in a bronze table.
async fn each_row(
    worker: &Worker,
    commit: &BronzeCommit,
    table: &'static Table,
    mut take: impl FnMut(Row<'_>),
) -> Result<(), Failure> {
    for file in commit.files.iter().filter(|file| file.table == table.path) {
        if let Some(bytes) = FileRows::from(file).read_opt(&*worker.ports.lake).await? {
            let damaged = |error| Failure::failed(format!("{}: {error}; see `metriccare verify`", file.key));
            Rows::new(table, cells::read_rows(table, &bytes).map_err(damaged)?).iter().for_each(&mut take);
        }
    }
    Ok(())
}

impl ObjectReport {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        output.line(&self.key)?;
        match &self.landed {
            None => output.line("  landing     no longer there")?,
            Some(landed) => {
                let bronze = if landed.in_bronze { "in bronze" } else { "not in bronze yet" };
                let (bytes, time, etag) = (size(landed.bytes), &landed.time, &landed.etag);
                output.line(format!("  landing     {bytes}, landed {time} UTC, ETag {etag}: {bronze}"))?;
                output.line(format!("  claim       {}", landed.claim))?;
            }
        }
        for version in &self.versions {
            version.print(output)?;
        }
        Ok(())
    }
}

impl Version {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        output.line(format!("  version     landed {} UTC", self.landed))?;
        output.line(format!("    commit    {}, {}", self.commit, counted(self.files as u64, "file")))?;
        output.line(format!(
            "    bronze    {}: {} accepted, {} quarantined, {} skipped",
            counted(self.records, "record"),
            count(self.accepted),
            count(self.quarantined),
            count(self.skipped)
        ))?;
        for record in self.quarantine.iter().take(LISTED) {
            output.line(format!("              line {}: {}: {}", record.line, record.rule, record.reason))?;
        }
        let more = self.quarantine.len().saturating_sub(LISTED);
        if more > 0 {
            output.line(format!("              and {} more; --json has all of them", count(more as u64)))?;
        }
        for Latest { noun, rows, latest } in &self.latest {
            output.line(format!(
                "    silver    {} of {} are the latest version",
                count(*latest),
                counted(*rows, noun)
            ))?;
        }
        Ok(())
    }
}
