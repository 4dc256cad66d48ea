//! How the records of a landed object were handled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Records counted once each: `records = accepted + quarantined + skipped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Everything that the object held.
    pub records: u64,
    /// Patients that became a row.
    pub patients: u64,
    /// Encounters that became a row.
    pub encounters: u64,
    /// Conditions that became a row.
    pub conditions: u64,
    /// Rows of the relational set that became a row, by table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relational: BTreeMap<String, u64>,
    /// Deletions of such resources.
    #[serde(default)]
    pub deletions: u64,
    /// Records that could not be read, by rule.
    pub quarantined: BTreeMap<String, u64>,
    /// Resources of other types by type, and Bundle entries without anything for the lake by the reason.
    pub skipped: BTreeMap<String, u64>,
    /// References by a business identifier that nobody, or more than one resource, in the object carries, and references to
    /// an address that several resources have, by the element that holds them. Their records are accepted without them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unresolved: BTreeMap<String, u64>,
}

impl Counts {
    /// Records that became a row of a resource or of its deletion.
    pub fn accepted(&self) -> u64 {
        let relational = self.relational.values().sum::<u64>();
        self.patients + self.encounters + self.conditions + self.deletions + relational
    }

    /// Records that were set aside whole.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.values().sum()
    }

    /// Records that are none of the lake's tables.
    pub fn skipped(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Adds another count to this one.
    pub fn add(&mut self, other: &Counts) {
        self.records += other.records;
        self.patients += other.patients;
        self.encounters += other.encounters;
        self.conditions += other.conditions;
        for (table, count) in &other.relational {
            *self.relational.entry(table.clone()).or_default() += count;
        }
        self.deletions += other.deletions;
        for (rule, count) in &other.quarantined {
            *self.quarantined.entry(rule.clone()).or_default() += count;
        }
        for (kind, count) in &other.skipped {
            *self.skipped.entry(kind.clone()).or_default() += count;
        }
        for (element, count) in &other.unresolved {
            *self.unresolved.entry(element.clone()).or_default() += count;
        }
    }

    pub(crate) fn quarantine(&mut self, rule: &str) {
        increment(&mut self.quarantined, rule);
    }

    pub(crate) fn skip(&mut self, kind: &str) {
        increment(&mut self.skipped, kind);
    }

    pub(super) fn unresolve(&mut self, element: &str) {
        increment(&mut self.unresolved, element);
    }
}

fn increment(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => _ = counts.insert(name.to_owned(), 1),
    }
}
