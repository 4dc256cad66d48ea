//! The answer keys that the generator left in a lake, and which of them is the lake's.
//!
//! A key says which landed objects it covers. It is the lake's where those are all accepted objects, and all of them are
//! there: a year's batch has a key per shard, a feed one per day and shard.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_fhir::{read::time, write::Date};
use metriccare_flow::Worker;
use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_world::Answers;

use crate::{failure::Failure, output::count};

/// The key that covers all of the lake, or why there is none.
pub(super) async fn find(worker: &Worker, commits: &[BronzeCommit]) -> Result<Result<Answers, String>, Failure> {
    let mut worlds = Vec::new();
    let mut unfinished = None;
    for (name, sum) in read(worker).await? {
        match sum.missing(&name) {
            None => worlds.extend(sum.answers),
            Some(why) => unfinished = Some(why),
        }
    }
    let accepted: BTreeSet<(&str, &str)> = commits
        .iter()
        .filter(|commit| commit.counts.accepted() > 0)
        .map(|commit| (commit.sourcename.as_str(), commit.content_id.as_str()))
        .collect();
    if let Some(at) = worlds.iter().position(|answers| covered(answers).collect::<BTreeSet<_>>() == accepted) {
        return Ok(Ok(worlds.swap_remove(at)));
    }
    let known: BTreeSet<(&str, &str)> = worlds.iter().flat_map(covered).collect();
    let foreign = accepted.difference(&known).count();
    Ok(Err(match (unfinished, worlds.len(), foreign) {
        (Some(why), ..) => why,
        (None, 0, _) => "the lake has no answer key; its data was not generated".to_owned(),
        (None, 1, 0) => "objects that the answer key covers are not in the lake".to_owned(),
        (None, worlds, 0) => format!("the lake holds {worlds} worlds, and each has a key of its own"),
        (None, _, foreign) => format!("{} accepted objects are covered by no answer key", count(foreign as u64)),
    }))
}

fn covered(answers: &Answers) -> impl Iterator<Item = (&str, &str)> {
    answers.covers().iter().map(|covered| (covered.name.as_str(), covered.sha256.as_str()))
}

/// The keys of one world's batch or feed, added up.
struct Sum {
    answers: Option<Answers>,
    /// Which shards have left a key, of which day.
    parts: BTreeSet<(Option<Date>, u64)>,
    /// How many shards there are.
    of: u64,
}

impl Sum {
    /// What is not there yet, in words.
    fn missing(&self, name: &str) -> Option<String> {
        let Some((Some(day), _)) = self.parts.first() else {
            let missing = self.parts.len() as u64 != self.of;
            return missing
                .then(|| format!("{name}: {} of {} shards have left their answer key", self.parts.len(), self.of));
        };
        let year = day.ymd().0;
        let days = (Date::from_ymd(year + 1, 1, 1).0 - Date::from_ymd(year, 1, 1).0) as u64;
        let there: BTreeSet<_> = self.parts.iter().map(|(day, _)| day).collect();
        let missing = self.parts.len() as u64 != self.of * days;
        missing.then(|| format!("{name}: {} of {days} days have been delivered", there.len()))
    }
}

async fn read(worker: &Worker) -> Result<BTreeMap<String, Sum>, Failure> {
    let mut worlds: BTreeMap<String, Sum> = BTreeMap::new();
    for listed in worker.ports.lake.list(keys::ANSWERS).await? {
        let Some(Name { world, day, k, n }) = Name::parse(&listed.key) else { continue };
        let bytes = worker.ports.lake.get(&listed.key).await?.body.bytes().await?;
        let unreadable = |reason: String| Failure::failed(format!("{} is no answer key: {reason}", listed.key));
        let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let answers = Answers::from_json(text).map_err(|error| unreadable(error.to_string()))?;
        let form = if day.is_some() { "feed" } else { "year" };
        let sum = worlds.entry(format!("{world}, {form} in {n}")).or_insert_with(|| Sum {
            answers: None,
            parts: BTreeSet::new(),
            of: n,
        });
        if sum.parts.insert((day, k)) {
            match &mut sum.answers {
                Some(sum) => sum.merge(&answers).map_err(|error| unreadable(error.to_string()))?,
                None => sum.answers = Some(answers),
            }
        }
    }
    Ok(worlds)
}

/// The name of a key: `<world>/<k>-of-<n>.json` or `<world>/feed/<day>/<k>-of-<n>.json`.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    world: &'a str,
    day: Option<Date>,
    k: u64,
    n: u64,
}

impl<'a> Name<'a> {
    fn parse(key: &'a str) -> Option<Self> {
        let (world, file) = key.strip_prefix(keys::ANSWERS)?.split_once('/')?;
        let (day, file) = match file.strip_prefix("feed/") {
            Some(rest) => {
                let (day, file) = rest.split_once('/')?;
                (Some(Date(time::parse_date(day)?)), file)
            }
            None => (None, file),
        };
        let (k, n) = file.strip_suffix(".json")?.split_once("-of-")?;
        Some(Name { world, day, k: k.parse().ok()?, n: n.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_name_tells_its_world_day_and_shard() {
        let year = Name { world: "w", day: None, k: 2, n: 7 };
        assert_eq!(Name::parse("reference/_answers/w/2-of-7.json"), Some(year));
        let day = Some(Date::from_ymd(2025, 3, 1));
        let feed = Name { world: "w", day, k: 1, n: 1 };
        assert_eq!(Name::parse("reference/_answers/w/feed/2025-03-01/1-of-1.json"), Some(feed));
        assert_eq!(Name::parse("reference/hospitals.csv"), None);
    }
}
