//! The answer keys that the generator left in a lake, and which of them is the lake's.
//!
//! A key says which landed objects it covers; a year's batch has a key per shard, a feed one per day and shard. A world may
//! have landed more than once (the year at once and its feed, the whole and its shards): the same resources again merge
//! away, so its key holds as soon as one landing is complete and nothing of another world is in the lake.

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest, Md5};
use metriccare_fhir::{read::time, write::Date};
use metriccare_flow::Worker;
use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{ETag, ErrorKind};
use metriccare_world::Answers;

use super::table_keys::{self, is_relational};
use crate::output::{count, failure::Failure};

/// A landed object: its name and its ETag.
type Landed<'a> = (&'a str, &'a str);

/// All landings that left keys, by world.
type Worlds = BTreeMap<String, Vec<Landing>>;

/// The key that covers all of the lake, or why there is none.
pub(super) async fn find(worker: &Worker, commits: &[BronzeCommit]) -> Result<Result<Answers, String>, Failure> {
    let worlds = read(worker).await?;
    // A key counts gold, into which no relational table goes; the star has a check of its own.
    let resources: Vec<BronzeCommit> = commits.iter().filter(|commit| !is_relational(commit)).cloned().collect();
    if resources.is_empty() && !commits.is_empty() {
        return Ok(Err("the lake has relational tables and no resources of FHIR".to_owned()));
    }
    let landed = landed(worker, &resources, &worlds).await?;
    let accepted: BTreeSet<Landed<'_>> = landed.iter().map(|(name, etag)| (*name, etag.as_str())).collect();
    if let Some(answers) = worlds.values().find_map(|landings| key_of(landings, &accepted)) {
        return Ok(Ok(answers));
    }
    let complete = |landings: &&Vec<Landing>| landings.iter().any(|landing| landing.missing().is_none());
    let unfinished = worlds.values().filter(|landings| !complete(landings)).flatten().find_map(Landing::missing);
    let known: BTreeSet<Landed<'_>> = covered(&worlds).collect();
    let foreign = accepted.difference(&known).count();
    Ok(Err(match (unfinished, worlds.len(), foreign) {
        (Some(why), ..) => why,
        (None, 0, _) => "the lake has no answer key; its data was not generated".to_owned(),
        (None, 1, 0) => "objects that the answer key covers are not in the lake".to_owned(),
        (None, worlds, 0) => format!("the lake holds {worlds} worlds, and each has a key of its own"),
        (None, _, foreign) => format!("{} accepted objects are covered by no answer key", count(foreign as u64)),
    }))
}

/// Whose data a lake holds, as far as its answer keys show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No key covers any of it: unknown.
    Unknown,
    /// Generators': keys cover every object of which a record was accepted.
    Generated,
    /// Keys cover some of the objects, and others are of unknown origin.
    Mixed,
}

/// Whose data a lake holds. The keys need not be complete for that, and may be of several worlds.
pub(crate) async fn origin(worker: &Worker, commits: &[BronzeCommit]) -> Result<Origin, Failure> {
    let worlds = read(worker).await?;
    let (tables, resources): (Vec<BronzeCommit>, Vec<BronzeCommit>) = commits.iter().cloned().partition(is_relational);
    let landed = landed(worker, &resources, &worlds).await?;
    let known: BTreeSet<Landed<'_>> = covered(&worlds).collect();
    let generated = landed.iter().filter(|(name, etag)| known.contains(&(*name, etag.as_str()))).count();
    let of_tables = table_keys::covered(worker, &tables).await?;
    Ok(match generated + of_tables {
        0 => Origin::Unknown,
        all if all == landed.len() + tables.len() => Origin::Generated,
        _ => Origin::Mixed,
    })
}

/// The objects of which a record was accepted, each with the ETag that it had where it was generated.
async fn landed<'a>(
    worker: &Worker,
    commits: &'a [BronzeCommit],
    worlds: &Worlds,
) -> Result<Vec<(&'a str, String)>, Failure> {
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, etag) in covered(worlds) {
        named.entry(name).or_default().insert(etag);
    }
    let mut landed = Vec::new();
    for commit in commits.iter().filter(|commit| commit.counts.accepted() > 0) {
        let known = named.get(commit.sourcename.as_str());
        landed.push((commit.sourcename.as_str(), etag_as_generated(worker, commit, known).await?));
    }
    Ok(landed)
}

/// What any of the keys covers.
fn covered(worlds: &Worlds) -> impl Iterator<Item = Landed<'_>> {
    worlds.values().flatten().flat_map(Landing::covered)
}

/// The ETag that an object had where it was generated. Folders and S3 give other ETags to the same bytes, so where a key names
/// the object with another one than its present store gives, both are worked out.
async fn etag_as_generated(
    worker: &Worker,
    commit: &BronzeCommit,
    known: Option<&BTreeSet<&str>>,
) -> Result<String, Failure> {
    let etag = &commit.etag;
    if known.is_none_or(|known| known.contains(etag.as_str())) {
        return Ok(etag.clone());
    }
    let found = match worker.ports.landing.get_if(&commit.sourcename, Some(&ETag::new(etag))).await {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Precondition) => return Ok(etag.clone()),
        other => other?,
    };
    let bytes = found.body.bytes().await?;
    let (folders, s3s) = (ETag::of_bytes(&bytes).as_str().to_owned(), keys::hex(&Md5::digest(&bytes)));
    Ok(if known.is_some_and(|known| known.contains(s3s.as_str())) { s3s } else { folders })
}

/// A world's key, where one of its landings is all there and the lake holds nothing but its landings.
fn key_of(landings: &[Landing], accepted: &BTreeSet<Landed<'_>>) -> Option<Answers> {
    let all_there =
        |landing: &&Landing| landing.missing().is_none() && landing.covered().all(|it| accepted.contains(&it));
    let complete = landings.iter().position(|landing| all_there(&landing))?;
    let known: BTreeSet<Landed<'_>> = landings.iter().flat_map(Landing::covered).collect();
    if !accepted.is_subset(&known) {
        return None;
    }
    let mut answers = landings[complete].answers.clone();
    for (_, other) in landings.iter().enumerate().filter(|(at, _)| *at != complete) {
        if other.covered().any(|it| accepted.contains(&it)) {
            answers.land_also(&other.answers);
        }
    }
    Some(answers)
}

/// The keys of one landing of a world, its batch or its feed in so many shards, added up.
struct Landing {
    name: String,
    answers: Answers,
    /// Which shards have left a key, of which day.
    parts: BTreeSet<(Option<Date>, u64)>,
    /// How many shards there are.
    of: u64,
}

impl Landing {
    fn covered(&self) -> impl Iterator<Item = Landed<'_>> {
        self.answers.covers().iter().map(|covered| (covered.name.as_str(), covered.etag.as_str()))
    }

    /// What is not there yet, as text.
    fn missing(&self) -> Option<String> {
        let (name, there) = (&self.name, self.parts.len() as u64);
        let Some((Some(day), _)) = self.parts.first() else {
            return (there != self.of)
                .then(|| format!("{name}: {there} of {} shards have left their answer key", self.of));
        };
        let year = day.ymd().0;
        let days = (Date::from_ymd(year + 1, 1, 1).0 - Date::from_ymd(year, 1, 1).0) as u64;
        let delivered: BTreeSet<_> = self.parts.iter().map(|(day, _)| day).collect();
        (there != self.of * days).then(|| format!("{name}: {} of {days} days have been delivered", delivered.len()))
    }
}

/// All landings that left keys, by world.
async fn read(worker: &Worker) -> Result<Worlds, Failure> {
    let mut landings: BTreeMap<(String, String), Landing> = BTreeMap::new();
    for listed in worker.ports.lake.list(keys::ANSWERS).await? {
        let Some(Name { world, day, k, n }) = Name::parse(&listed.key) else { continue };
        let bytes = worker.ports.lake.get(&listed.key).await?.body.bytes().await?;
        let unreadable = |reason: String| Failure::failed(format!("{} is no answer key: {reason}", listed.key));
        let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let answers = Answers::from_json(text).map_err(|error| unreadable(error.to_string()))?;
        let form = if day.is_some() { "feed" } else { "year" };
        let name = format!("{world}, {form} in {n}");
        match landings.get_mut(&(world.to_owned(), name.clone())) {
            None => {
                let parts = BTreeSet::from([(day, k)]);
                landings.insert((world.to_owned(), name.clone()), Landing { name, answers, parts, of: n });
            }
            Some(landing) => {
                if landing.parts.insert((day, k)) {
                    landing.answers.merge(&answers).map_err(|error| unreadable(error.to_string()))?;
                }
            }
        }
    }
    let mut worlds = Worlds::new();
    for ((world, _), landing) in landings {
        worlds.entry(world).or_default().push(landing);
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
