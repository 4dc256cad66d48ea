//! The answer keys of generated tables in a lake, and which of them counts the star's rows.
//!
//! A key names the bytes that it covers by their fingerprint, so it holds under whatever name they landed. A world's tables may
//! have been written in more than one layout (CSV, Parquet, objects of the landing zone), whole or in shards: the same rows
//! merge, so one complete layout has all totals.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_flow::Worker;
use metriccare_lake::{bronze::BronzeCommit, keys, relational::RelationalTable};
use metriccare_world::{TableAnswers, TablePart, TableTotals};

use crate::output::{counted, failure::Failure};

/// The keys of one layout of a world's tables in so many shards, by part.
type Layout = BTreeMap<TablePart, TableAnswers>;

/// All layouts, by the world's name, the layout's, and the number of shards.
type Layouts = BTreeMap<(String, String, u64), Layout>;

/// The totals of the lake's tables, or why there are none; nothing where the lake has no rows of tables.
pub(super) async fn find(
    worker: &Worker,
    commits: &[BronzeCommit],
) -> Result<Option<Result<TableTotals, String>>, Failure> {
    let accepted: BTreeSet<&str> = commits
        .iter()
        .filter(|commit| is_relational(commit) && commit.counts.accepted() > 0)
        .map(|commit| commit.content_id.as_str())
        .collect();
    if accepted.is_empty() {
        return Ok(None);
    }
    let mut layouts = read(worker).await?;
    // Keys of tables that never landed here say nothing of the lake.
    layouts.retain(|_, layout| {
        let mut covers = layout.values().flat_map(TableAnswers::covers);
        covers.any(|covered| accepted.contains(covered.content_id.as_str()))
    });
    let worlds: BTreeSet<&str> = layouts.keys().map(|(world, ..)| world.as_str()).collect();
    let foreign = accepted.difference(&content_ids(&layouts)).count() as u64;
    if foreign > 0 {
        return Ok(Some(Err(format!("no answer key covers {} of tables", counted(foreign, "accepted object")))));
    }
    if worlds.len() > 1 {
        return Ok(Some(Err(format!(
            "the lake holds tables of {} worlds, and each has a key of its own",
            worlds.len()
        ))));
    }
    let complete = layouts.iter().find(|((.., of), layout)| is_complete(layout, *of, &accepted));
    let Some((_, layout)) = complete else {
        return Ok(Some(Err(
            "shards of the tables, or objects that their answer keys cover, are not in the lake".to_owned()
        )));
    };
    let mut totals = TableTotals::default();
    layout.values().for_each(|answers| totals.merge(answers.totals()));
    Ok(Some(Ok(totals)))
}

/// Whether a landed object held rows of relational tables.
pub(super) fn is_relational(commit: &BronzeCommit) -> bool {
    commit.files.iter().any(|file| RelationalTable::of_bronze_key(&file.key).is_some())
}

/// How many of the landed objects the keys cover.
pub(super) async fn covered(worker: &Worker, commits: &[BronzeCommit]) -> Result<usize, Failure> {
    if commits.is_empty() {
        return Ok(0);
    }
    let layouts = read(worker).await?;
    let known = content_ids(&layouts);
    Ok(commits.iter().filter(|commit| known.contains(commit.content_id.as_str())).count())
}

/// Whether all parts have left their keys, and all that they cover was accepted.
fn is_complete(layout: &Layout, of: u64, accepted: &BTreeSet<&str>) -> bool {
    // The shards and the reports.
    layout.len() as u64 == of + 1
        && layout.values().flat_map(TableAnswers::covers).all(|covered| accepted.contains(covered.content_id.as_str()))
}

fn content_ids(layouts: &Layouts) -> BTreeSet<&str> {
    let answers = layouts.values().flat_map(BTreeMap::values);
    answers.flat_map(TableAnswers::covers).map(|covered| covered.content_id.as_str()).collect()
}

async fn read(worker: &Worker) -> Result<Layouts, Failure> {
    let mut layouts = Layouts::new();
    for listed in worker.ports.lake.list(keys::ANSWERS).await? {
        let Some((world, layout, part)) = parse(&listed.key) else { continue };
        let bytes = worker.ports.lake.get(&listed.key).await?.body.bytes().await?;
        let answers = std::str::from_utf8(&bytes)
            .map_err(|error| error.to_string())
            .and_then(|text| TableAnswers::from_json(text).map_err(|error| error.to_string()))
            .map_err(|reason| Failure::failed(format!("{} is no answer key: {reason}", listed.key)))?;
        layouts.entry((world.to_owned(), layout.to_owned(), part.of())).or_default().insert(part, answers);
    }
    Ok(layouts)
}

/// The world, the layout and the part of a key `reference/_answers/<world>/tables/<layout>/<part>.json`.
fn parse(key: &str) -> Option<(&str, &str, TablePart)> {
    let (world, rest) = key.strip_prefix(keys::ANSWERS)?.split_once("/tables/")?;
    let (layout, file) = rest.split_once('/')?;
    let part = TablePart::parse(file.strip_suffix(".json")?)?;
    (layout != SUMS).then_some((world, layout, part))
}

/// The folder of shards' sums, which are no keys.
const SUMS: &str = "sums";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_name_has_its_world_layout_and_part() {
        let shard = ("w", "csv.gz", TablePart::Shard { part: 2, of: 7 });
        assert_eq!(parse("reference/_answers/w/tables/csv.gz/2-of-7.json"), Some(shard));
        let reports = ("w", "csv", TablePart::Reports { of: 1 });
        assert_eq!(parse("reference/_answers/w/tables/csv/reports-of-1.json"), Some(reports));
        for other in ["reference/_answers/w/1-of-1.json", "reference/_answers/w/tables/sums/1-of-2.json"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
