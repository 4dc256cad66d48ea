//! The answer key: what every cell of the gold tables has to be, counted from the event log.
//!
//! It shares no code with silver and gold: the rules are written down here a second time, from the truth of the log
//! instead of from resources. A key is a sum (counts, histograms, census changes, the greatest date), so shards write
//! one each and [`Answers::merge`] adds them up; [`Answers::expected`] then makes the rows with their rates.

mod causes;
mod cells;
mod expected;
mod summary;
mod tally;
#[cfg(test)]
mod tests;

pub use cells::{ExpectedRow, Value};

use std::collections::BTreeMap;

use metriccare_fhir::write::Date;
use serde::{Deserialize, Serialize};

use crate::department::Department;
use crate::dirt::{Dirt, ExpectedOutcome};
use crate::life::{Life, LifeFaults, LifeObserver};
use crate::world::World;

/// A month as a number: twelve times the year, plus the month from 0.
pub(crate) type Month = i32;

/// A landed object that a key covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Covered {
    /// The object's key.
    pub name: String,
    /// Its ETag, as the store that it was landed in first gave it.
    pub etag: String,
    /// How many of its records have to be accepted.
    #[serde(default)]
    pub accepted: u64,
    /// How many of its records the quarantine has to hold, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quarantined: BTreeMap<String, u64>,
    /// How many of its records are of types that the lake does not keep.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How often a fault was injected, and what the lake has to make of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCount {
    /// `accepted`, `merged away`, `deleted`, `skipped` or `quarantined`.
    #[serde(rename = "becomes")]
    pub outcome: String,
    /// The rule that the quarantine has to name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How often.
    pub count: u64,
}

/// Why two keys cannot be added up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer keys are of different worlds: {0} and {1}")]
pub struct DifferentWorlds(
    /// The world of the one.
    pub String,
    /// The world of the other.
    pub String,
);

/// Counts of stays and events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) of: i64,
    pub(crate) events: i64,
}

/// Encounters of a department and month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) encounters: i64,
    pub(crate) emergency: i64,
    pub(crate) inpatient: i64,
    /// Time of completed encounters, in microseconds.
    pub(crate) micros: i64,
}

/// Stays of a group of patients and a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) stays: i64,
    pub(crate) index: i64,
    pub(crate) readmissions: i64,
    pub(crate) deaths: i64,
    pub(crate) patients: i64,
}

/// Stays of 65 and over of a cause that CMS follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CauseCounts {
    /// Index stays of hwr_65plus, and how many of them were readmitted.
    pub(crate) readmission: Share,
    /// Stays that nobody transferred in, and how many ended in death within 30 days of admission.
    pub(crate) mortality: Share,
}

/// The plain counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) patients: i64,
    pub(crate) encounters: i64,
    pub(crate) stays: i64,
    pub(crate) conditions: i64,
}

/// An answer key: sums over the patients that were added to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// The world's name, [`crate::Spec::slug`].
    world: String,
    /// The landed objects that hold these patients.
    covers: Vec<Covered>,
    /// The injected faults, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    faults: BTreeMap<String, FaultCount>,
    /// The hospitals' names and staffed beds; the numbers below are places in this list.
    hospitals: Vec<(String, i64)>,
    /// The departments' names; the numbers below are places in this list.
    departments: Vec<String>,
    last_date: Option<i32>,
    totals: Totals,
    /// By hospital, month and definition.
    #[serde(with = "pairs")]
    readmission: BTreeMap<(u16, Month, u8), Share>,
    /// By hospital, month and definition.
    #[serde(with = "pairs")]
    mortality: BTreeMap<(u16, Month, u8), Share>,
    /// How many stays had how many days, by hospital, department and month.
    #[serde(with = "pairs")]
    lengths: BTreeMap<(u16, u8, Month), BTreeMap<i64, i64>>,
    /// Hospital-onset and present on admission, by hospital, month and type.
    #[serde(with = "pairs")]
    infections: BTreeMap<(u16, Month, u8), (i64, i64)>,
    /// By hospital, department and month of admission.
    #[serde(with = "pairs")]
    loads: BTreeMap<(u16, u8, Month), Load>,
    /// Changes of the census by hospital, department and date.
    #[serde(with = "pairs")]
    census: BTreeMap<(u16, u8, i32), i64>,
    /// Inpatient encounters that are open, by hospital, department and date of admission.
    #[serde(with = "pairs")]
    open: BTreeMap<(u16, u8, i32), i64>,
    /// By dimension, value and month.
    #[serde(with = "pairs")]
    groups: BTreeMap<(u8, String, Month), Group>,
    /// By hospital, month of discharge and cohort.
    #[serde(with = "pairs")]
    cohorts: BTreeMap<(u16, Month, u8), CauseCounts>,
}

impl Answers {
    /// An empty key of a world.
    pub fn new(world: &World) -> Answers {
        let hospitals = world.directory.hospitals();
        Answers {
            world: world.slug(),
            covers: Vec::new(),
            faults: BTreeMap::new(),
            hospitals: hospitals.iter().map(|h| (h.name.clone(), i64::from(h.staffed_beds))).collect(),
            departments: Department::ALL.iter().map(|d| d.name().to_owned()).collect(),
            last_date: None,
            totals: Totals::default(),
            readmission: BTreeMap::new(),
            mortality: BTreeMap::new(),
            lengths: BTreeMap::new(),
            infections: BTreeMap::new(),
            loads: BTreeMap::new(),
            census: BTreeMap::new(),
            open: BTreeMap::new(),
            groups: BTreeMap::new(),
            cohorts: BTreeMap::new(),
        }
    }

    /// The name of the world that the key belongs to.
    pub fn world(&self) -> &str {
        &self.world
    }

    /// The landed objects that the key covers.
    pub fn covers(&self) -> &[Covered] {
        &self.covers
    }

    /// Says that a landed object holds patients of this key, and what the lake has to make of its records.
    pub fn cover(&mut self, object: Covered) {
        self.covers.push(object);
        self.covers.sort();
    }

    /// The injected faults, by kind.
    pub fn faults(&self) -> &BTreeMap<String, FaultCount> {
        &self.faults
    }

    /// Says that a kind of fault was injected so many times.
    pub fn inject(&mut self, dirt: Dirt, count: u64) {
        if count == 0 {
            return;
        }
        let (outcome, rule) = match dirt.expected_outcome() {
            ExpectedOutcome::Accepted => ("accepted", None),
            ExpectedOutcome::MergedAway => ("merged away", None),
            ExpectedOutcome::Deleted => ("deleted", None),
            ExpectedOutcome::Skipped => ("skipped", None),
            ExpectedOutcome::Quarantined(rule) => ("quarantined", Some(rule.to_owned())),
        };
        let fault = FaultCount { outcome: outcome.to_owned(), rule, count: 0 };
        self.faults.entry(dirt.name().to_owned()).or_insert(fault).count += count;
    }

    /// Where a key lies in the lake bucket: `reference/_answers/<spec>/<k>-of-<n>.json`.
    pub fn key(&self, k: u64, n: u64) -> String {
        format!("reference/_answers/{}/{k}-of-{n}.json", self.world)
    }

    /// Where the key of one day of the feed lies: `reference/_answers/<spec>/feed/<day>/<k>-of-<n>.json`.
    ///
    /// A day's key says what the day delivered. The year's last day counts the patients as well, so that the days add
    /// up to the key of the whole.
    pub fn day_key(&self, day: Date, k: u64, n: u64) -> String {
        format!("reference/_answers/{}/feed/{day}/{k}-of-{n}.json", self.world)
    }

    /// The key as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a key is numbers and text, which JSON can hold")
    }

    /// Reads a key from JSON.
    pub fn from_json(text: &str) -> Result<Answers, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Says that the same patients landed once more: in other objects, and with the faults of those. They are counted
    /// already, so that the sums stay as they are.
    pub fn land_also(&mut self, other: &Answers) {
        self.covers.extend(other.covers.iter().cloned());
        self.covers.sort();
        self.covers.dedup();
        for (name, fault) in &other.faults {
            let none = FaultCount { count: 0, ..fault.clone() };
            self.faults.entry(name.clone()).or_insert(none).count += fault.count;
        }
    }

    /// Adds another shard's key; both have to be of the same world.
    pub fn merge(&mut self, other: &Answers) -> Result<(), DifferentWorlds> {
        if self.world != other.world {
            return Err(DifferentWorlds(self.world.clone(), other.world.clone()));
        }
        self.land_also(other);
        self.last_date = self.last_date.max(other.last_date);
        self.totals.patients += other.totals.patients;
        self.totals.encounters += other.totals.encounters;
        self.totals.stays += other.totals.stays;
        self.totals.conditions += other.totals.conditions;
        add(&mut self.readmission, &other.readmission, |a, b| (a.of, a.events) = (a.of + b.of, a.events + b.events));
        add(&mut self.mortality, &other.mortality, |a, b| (a.of, a.events) = (a.of + b.of, a.events + b.events));
        add(&mut self.lengths, &other.lengths, |a, b| add(a, b, |a, b| *a += b));
        add(&mut self.infections, &other.infections, |a, b| *a = (a.0 + b.0, a.1 + b.1));
        add(&mut self.loads, &other.loads, |a, b| {
            a.encounters += b.encounters;
            a.emergency += b.emergency;
            a.inpatient += b.inpatient;
            a.micros += b.micros;
        });
        add(&mut self.census, &other.census, |a, b| *a += b);
        add(&mut self.open, &other.open, |a, b| *a += b);
        add(&mut self.groups, &other.groups, |a, b| {
            a.stays += b.stays;
            a.index += b.index;
            a.readmissions += b.readmissions;
            a.deaths += b.deaths;
            a.patients += b.patients;
        });
        add(&mut self.cohorts, &other.cohorts, |a, b| {
            a.readmission.of += b.readmission.of;
            a.readmission.events += b.readmission.events;
            a.mortality.of += b.mortality.of;
            a.mortality.events += b.mortality.events;
        });
        Ok(())
    }
}

impl LifeObserver for Answers {
    fn observe(&mut self, world: &World, life: &Life, faults: LifeFaults) {
        self.add(world, life);
        self.inject(Dirt::EnteredInError, faults.entered_in_error);
        self.inject(Dirt::Overlaps, faults.overlaps);
    }
}

fn add<K: Ord + Clone, V: Default>(into: &mut BTreeMap<K, V>, from: &BTreeMap<K, V>, sum: impl Fn(&mut V, &V)) {
    for (key, value) in from {
        sum(into.entry(key.clone()).or_default(), value);
    }
}

/// Maps as lists of pairs, since JSON's keys are text.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
