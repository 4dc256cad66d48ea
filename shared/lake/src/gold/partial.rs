//! What a bucket adds to the final tables: integers that add up, under names that every bucket shares.
//!
//! A partial is small, and its JSON always lists the same sums in the same order, so that equal buckets make equal
//! bytes. Nothing in it depends on other buckets: last dates, open stays and census changes become patient-days, rates
//! and provisional months only in the fold.

use serde::{Deserialize, Serialize};

use super::counts::{
    CohortCounts, DemographicCounts, InfectionCounts, LoadCounts, MortalityCounts, ReadmissionCounts, Sums,
    UnlinkedCounts,
};
use metriccare_fhir::calendar::{Month, date_of};

/// The dates of the first and the last instant that 64 bits of microseconds hold.
const FIRST_DATE: i32 = date_of(i64::MIN);
const LAST_DATE: i32 = date_of(i64::MAX);

/// A place in [`Partial::names`], or none for a missing value.
pub type Name = Option<u32>;

/// Counts up when the rules of gold change, so that a lake measured by the rules before is measured again.
pub const RULES: u32 = 4;

/// What one bucket adds to gold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    /// The bucket.
    pub bucket: u16,
    /// The rules that the bucket was measured by.
    pub rules: u32,
    /// The digest of the silver objects that were measured.
    pub inputs: String,
    /// Patients in silver.
    pub patients: i64,
    /// Encounters in silver.
    pub encounters: i64,
    /// Stays in the ledger.
    pub stays: i64,
    /// Conditions in silver.
    pub conditions: i64,
    /// The greatest admission or discharge date of completed and open encounters.
    pub last_date: Option<i32>,
    /// What is not linked.
    pub unlinked: UnlinkedCounts,
    /// Hospitals, departments and values of dimensions, sorted.
    pub names: Vec<String>,
    /// By hospital and month of discharge.
    #[serde(with = "pairs")]
    pub readmission: Sums<(Name, Month), ReadmissionCounts>,
    /// By hospital and month.
    #[serde(with = "pairs")]
    pub mortality: Sums<(Name, Month), MortalityCounts>,
    /// By hospital, department, month of discharge and days of stay: stays.
    #[serde(with = "pairs")]
    pub lengths: Sums<(Name, Name, Month, i64), i64>,
    /// By hospital, month and type.
    #[serde(with = "pairs")]
    pub infection: Sums<(Name, Month, u8), InfectionCounts>,
    /// By hospital, department and month of admission.
    #[serde(with = "pairs")]
    pub load: Sums<(Name, Name, Option<Month>), LoadCounts>,
    /// By hospital, department and date: the change of the census by completed stays.
    #[serde(with = "pairs")]
    pub census: Sums<(Name, Name, i32), i64>,
    /// By hospital, department and date of admission: open inpatient encounters.
    #[serde(with = "pairs")]
    pub open: Sums<(Name, Name, i32), i64>,
    /// By dimension, value and month of discharge.
    #[serde(with = "pairs")]
    pub demographics: Sums<(u8, u32, Month), DemographicCounts>,
    /// By hospital, month of discharge and place in [`COHORTS`](super::cohorts::COHORTS).
    #[serde(with = "pairs")]
    pub cohort: Sums<(Name, Month, u8), CohortCounts>,
}

impl Partial {
    /// The partial as compact JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a partial has no map keys and no floats, the two things JSON refuses")
    }

    /// Reads a partial back.
    pub fn from_json(bytes: &[u8]) -> Result<Partial, PartialError> {
        let partial: Partial = serde_json::from_slice(bytes)?;
        if !partial.names_hold() {
            return Err(PartialError::Name);
        }
        if partial.times_hold() { Ok(partial) } else { Err(PartialError::Time) }
    }

    /// Whether every date and month is one that an instant of 64 bits can have.
    fn times_hold(&self) -> bool {
        let date = |date: &i32| (FIRST_DATE..=LAST_DATE).contains(date);
        let month = |month: &Month| (Month::of(FIRST_DATE)..=Month::of(LAST_DATE)).contains(month);
        self.last_date.as_ref().is_none_or(date)
            && self.readmission.keys().chain(self.mortality.keys()).all(|(_, at)| month(at))
            && self.lengths.keys().all(|(_, _, at, _)| month(at))
            && self.infection.keys().chain(self.cohort.keys()).all(|(_, at, _)| month(at))
            && self.load.keys().all(|(_, _, at)| at.as_ref().is_none_or(month))
            && self.census.keys().chain(self.open.keys()).all(|(_, _, at)| date(at))
            && self.demographics.keys().all(|(_, _, at)| month(at))
    }

    /// Whether every name that a key points to is there.
    fn names_hold(&self) -> bool {
        let holds = |name: &Name| name.is_none_or(|name| (name as usize) < self.names.len());
        self.readmission.keys().chain(self.mortality.keys()).all(|(hospital, _)| holds(hospital))
            && self.lengths.keys().all(|(hospital, department, ..)| holds(hospital) && holds(department))
            && self.infection.keys().chain(self.cohort.keys()).all(|(hospital, ..)| holds(hospital))
            && self.load.keys().all(|(hospital, department, _)| holds(hospital) && holds(department))
            && self.census.keys().chain(self.open.keys()).all(|(h, department, _)| holds(h) && holds(department))
            && self.demographics.keys().all(|(_, value, _)| holds(&Some(*value)))
    }
}

/// Why a partial could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PartialError {
    /// The bytes are not a partial's JSON.
    #[error("a gold partial is not the expected JSON")]
    Json(#[from] serde_json::Error),
    /// A sum belongs to a name that is not listed.
    #[error("a gold partial refers to a name that it does not list")]
    Name,
    /// A date or month is out of range.
    #[error("a gold partial has a date that no instant has")]
    Time,
}

/// Maps as lists of `[key, value]`, because JSON's own keys are text.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gold::counts::add;

    #[test]
    fn a_partial_comes_back_from_its_json() {
        let mut partial = Partial { bucket: 3, names: vec!["A".into()], last_date: Some(20_000), ..Partial::default() };
        add(&mut partial.census, (Some(0), None, 19_999), 1);
        add(&mut partial.census, (Some(0), None, 19_999), 2);
        add(
            &mut partial.load,
            (None, None, None),
            LoadCounts { encounters: 1, micros: 3_600_000_000, ..LoadCounts::default() },
        );
        let json = partial.to_json();
        assert_eq!(Partial::from_json(&json).unwrap(), partial);
        assert!(String::from_utf8(json).unwrap().contains(r#""census":[[[0,null,19999],3]]"#));
    }

    #[test]
    fn a_damaged_partial_is_refused() {
        assert!(matches!(Partial::from_json(b"{"), Err(PartialError::Json(_))));
        let mut partial = Partial::default();
        add(&mut partial.open, (Some(7), None, 0), 1);
        assert!(matches!(Partial::from_json(&partial.to_json()), Err(PartialError::Name)));
        let partial = Partial { last_date: Some(i32::MAX), ..Partial::default() };
        assert!(matches!(Partial::from_json(&partial.to_json()), Err(PartialError::Time)));
    }
}
