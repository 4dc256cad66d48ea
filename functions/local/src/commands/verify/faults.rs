//! Compares the faults that the generator injected with how the lake handled them.
//!
//! For every object that the answer key covers: how many records were accepted and skipped, how many stand in the quarantine under
//! which rule, and how many objects of the same bytes are labelled as duplicates. What has to be merged away is in the
//! plain counts of gold, which the answer key holds.

use std::collections::BTreeMap;

use metriccare_flow::{FileRows, FlowError, Worker};
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::{self, Cell},
    schema::{BRONZE_INGEST_LOG, BRONZE_QUARANTINE, Table},
};
use metriccare_world::{Answers, Covered};

use super::Check;
use crate::output::{count, failure::Failure};

pub(super) async fn check(
    worker: &Worker,
    commits: &[BronzeCommit],
    key: &Result<Answers, String>,
) -> Result<Check, Failure> {
    let mut check = Check::named("faults");
    let answers = match key {
        Ok(answers) => answers,
        Err(why) => return Ok(Check { skipped: Some(why.clone()), ..check }),
    };
    let by_name: BTreeMap<&str, &BronzeCommit> =
        commits.iter().map(|commit| (commit.sourcename.as_str(), commit)).collect();
    let mut same_bytes: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for object in answers.covers() {
        let Some(commit) = by_name.get(object.name.as_str()) else {
            check.differences.push(format!("{}: the object is missing", object.name));
            continue;
        };
        let duplicate = one(worker, object, commit, &mut check.differences).await?;
        let (objects, duplicates) = same_bytes.entry(commit.content_id.as_str()).or_default();
        *objects += 1;
        *duplicates += u64::from(duplicate);
    }
    for (content_id, (objects, duplicates)) in same_bytes {
        if duplicates + 1 != objects {
            let words = "objects of the same bytes, but the ingest log has";
            check.differences.push(format!("{objects} {words} {duplicates} duplicates of them ({content_id})"));
        }
    }
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for fault in answers.faults().values() {
        *sums.entry(fault.outcome.as_str()).or_default() += fault.count;
    }
    let words: Vec<_> = sums.iter().map(|(outcome, sum)| format!("{} {outcome}", count(*sum))).collect();
    check.compared = if words.is_empty() { "none were injected, none found".to_owned() } else { words.join(", ") };
    Ok(check)
}

/// Compares one object; returns whether the ingest log labels it a duplicate.
async fn one(
    worker: &Worker,
    object: &Covered,
    commit: &BronzeCommit,
    differences: &mut Vec<String>,
) -> Result<bool, Failure> {
    let accepted = commit.counts.accepted();
    if accepted != object.accepted {
        let words = format!("{accepted} records accepted, the generator wrote {} good ones", object.accepted);
        differences.push(format!("{}: {words}", object.name));
    }
    let skipped = commit.counts.skipped();
    if skipped != object.skipped {
        let words = format!("{skipped} records skipped, the generator wrote {} of foreign types", object.skipped);
        differences.push(format!("{}: {words}", object.name));
    }
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for rule in texts(worker, commit, &BRONZE_QUARANTINE, "rule").await? {
        *found.entry(rule).or_default() += 1;
    }
    for rule in found.keys().chain(object.quarantined.keys()).collect::<std::collections::BTreeSet<_>>() {
        let of = |counts: &BTreeMap<String, u64>| counts.get(rule).copied().unwrap_or_default();
        let (is, should) = (of(&found), of(&object.quarantined));
        if is != should {
            let words = format!("{is} records quarantined as {rule}, the generator broke {should}");
            differences.push(format!("{}: {words}", object.name));
        }
    }
    let statuses = texts(worker, commit, &BRONZE_INGEST_LOG, "status").await?;
    Ok(statuses.iter().any(|status| status == "DUPLICATE"))
}

/// A text column of the rows that an object has in a table; what cannot be read is a difference of another check.
async fn texts(
    worker: &Worker,
    commit: &BronzeCommit,
    table: &'static Table,
    column: &str,
) -> Result<Vec<String>, Failure> {
    let at = table.file_columns().position(|(name, _)| name == column);
    let mut texts = Vec::new();
    for file in commit.files.iter().filter(|file| file.table == table.path) {
        // What cannot be read is a difference of another check.
        let bytes = match FileRows::from(file).read_opt(&*worker.ports.lake).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(FlowError::File { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let rows = cells::read_rows(table, &bytes).unwrap_or_default();
        texts.extend(rows.iter().filter_map(|row| match row.get(at?) {
            Some(Cell::Text(text)) => Some(text.clone()),
            _ => None,
        }));
    }
    Ok(texts)
}
