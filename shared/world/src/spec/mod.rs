//! What world to make: one struct for the command's flags, the TOML file and the Lambda's payload.
//!
//! An unknown field is refused by serde, an impossible value by [`Spec::validate`], which names the field, the value
//! and the range. Every world is made from a validated spec.

use metriccare_fhir::calendar::{Date, Instant};
use serde::{Deserialize, Serialize};

use self::limits::{LIMITS, MOST_CLAIMS, MOST_ENCOUNTERS, limit};
use crate::cohorts::{Cohorts, Shares};
use crate::dirt::Dial;
use crate::spec_error::{InvalidField, SpecError};

mod limits;

/// How many days after it lands the time of a record may lie.
const MOST_DAYS_AHEAD: i32 = 366;

/// What world to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// How many patients.
    pub patients: u64,
    /// Which year is simulated.
    pub year: i32,
    /// The seed of all random streams.
    pub seed: u64,
    /// How many hospitals; the first three are those of Charlotte, Raleigh and Durham.
    pub facilities: u32,
    /// How many clinicians.
    pub providers: u32,
    /// The exact number of encounters; without it 5 per patient on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounters: Option<u64>,
    /// The exact number of claims; without it 10 per patient on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<u64>,
    /// The share of stays that are followed by another one within 30 days, about; chance and plans make a few of them.
    pub readmission_rate: f64,
    /// The share of patients whose spending is called high, about.
    pub high_cost_rate: f64,
    /// The share of claim lines that are fraudulent, about.
    pub fraud_rate: f64,
    /// The share of versions that the day-by-day feed delivers late, by a week on average.
    pub late_rate: f64,
    /// The share of resources that were wrong at first and were corrected within a fortnight, about.
    pub correction_rate: f64,
    /// How much of which faults the FHIR view has: a text such as `duplicates=2%,late=1%,broken=0.5%`, or a table.
    #[serde(skip_serializing_if = "Dial::is_clean")]
    pub dirty: Dial,
    /// The exact share of patients who die in hospital, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mortality_pct: Option<f64>,
    /// The exact share of patients with a hospital-onset infection, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infection_pct: Option<f64>,
    /// The exact share of patients readmitted within 30 days, planned or not, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readmission_pct: Option<f64>,
    /// The exact share of patients with a completed stay, in per cent; it contains the other three cohorts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alos_pct: Option<f64>,
}

/// Why the numbers of encounters and claims are averages where no exact total is asked for: 50,000 encounters and 100,000
/// claims for 10,000 patients, about.
pub const AVERAGE_TOTALS: &str = "about 5 encounters and 10 claims per patient (50,000 and 100,000 for 10,000 patients): a \
    total that is exact without being asked for would make each patient depend on how many others there are";

impl Default for Spec {
    fn default() -> Spec {
        Spec {
            patients: 1_000,
            year: 2025,
            seed: 42,
            facilities: 50,
            providers: 500,
            encounters: None,
            claims: None,
            readmission_rate: 0.15,
            high_cost_rate: 0.20,
            fraud_rate: 0.02,
            late_rate: 0.02,
            correction_rate: 0.01,
            dirty: Dial::default(),
            mortality_pct: None,
            infection_pct: None,
            readmission_pct: None,
            alos_pct: None,
        }
    }
}

impl Spec {
    /// Refuses impossible values, all at once.
    pub fn validate(&self) -> Result<(), SpecError> {
        let mut faults = Vec::new();
        let mut check = |field, value: String, allowed: String, holds: bool| {
            if !holds {
                faults.push(InvalidField { field, value, allowed });
            }
        };
        for (field, value) in self.whole_numbers() {
            let Some(limit) = limit(field) else { continue };
            check(field, value.to_string(), limit.range(), limit.holds(value));
        }
        for (field, value) in self.numbers() {
            let (Some(limit), Some(value)) = (limit(field), value) else { continue };
            check(field, value.to_string(), limit.range(), limit.holds_number(value));
        }
        let mut total = |field, value: Option<u64>, low: u64, high: u64| {
            let Some(value) = value else { return };
            check(field, value.to_string(), format!("from {low} to {high}"), (low..=high).contains(&value));
        };
        if self.encounters.is_some() {
            let needed = Cohorts::of(&self.cohort_shares()).encounters_needed();
            let most = self.patients.saturating_mul(MOST_ENCOUNTERS).max(needed);
            total("encounters", self.encounters, needed, most);
        }
        total("claims", self.claims, 0, self.patients.saturating_mul(MOST_CLAIMS));
        if let Some(alos) = self.alos_pct {
            for (field, share) in self.shares() {
                let Some(share) = share else { continue };
                let inside = format!("at most alos_pct ({alos}): its patients need a completed stay");
                check(field, share.to_string(), inside, self.count(Some(share)) <= self.count(Some(alos)));
            }
        }
        faults.extend(self.dirty.faults());
        if faults.is_empty() { Ok(()) } else { Err(SpecError { faults }) }
    }

    /// Refuses a world that ends more than 366 days after `now`: the lake would quarantine its last records as
    /// implausible, and could never take a correction of them.
    pub fn refuse_future(&self, now: Instant) -> Result<(), SpecError> {
        let last_day = Date(now.date().0.saturating_add(MOST_DAYS_AHEAD));
        if Date::from_ymd(self.year, 12, 31) <= last_day {
            return Ok(());
        }
        let (year, month, day) = last_day.ymd();
        let latest = if (month, day) == (12, 31) { year } else { year - 1 };
        let allowed = format!(
            "at most {latest}: what lies more than {MOST_DAYS_AHEAD} days after it lands is quarantined as implausible"
        );
        Err(SpecError { faults: vec![InvalidField { field: "year", value: self.year.to_string(), allowed }] })
    }

    /// The names of all fields, in their order.
    pub fn fields() -> impl Iterator<Item = &'static str> {
        LIMITS.into_iter().map(|(name, _)| name)
    }

    /// What a field may be by itself, in words; nothing where there is no such field.
    pub fn allowed(field: &str) -> Option<String> {
        limit(field).map(|limit| limit.to_string())
    }

    /// Whether an exact total or share is asked for, so that a patient depends on the population's size.
    pub fn is_exact(&self) -> bool {
        self.encounters.is_some() || self.shares().iter().any(|(_, share)| share.is_some())
    }

    /// A name for the world, safe in a path: year, seed, size and a digest of all fields.
    pub fn slug(&self) -> String {
        let text = serde_json::to_string(self).expect("a spec is numbers, which JSON can hold");
        let digest = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("y{}-s{}-p{}-{digest:016x}", self.year, self.seed, self.patients)
    }

    /// The number of patients that a share means.
    pub(crate) fn count(&self, share: Option<f64>) -> u64 {
        share.map_or(0, |share| libm::round(share / 100.0 * self.patients as f64) as u64).min(self.patients)
    }

    /// The sizes of the cohorts that the exact shares mean.
    pub(crate) fn cohort_shares(&self) -> Shares {
        let count = |share: Option<f64>| share.map(|_| self.count(share));
        Shares {
            patients: self.patients,
            stays: count(self.alos_pct),
            infection: count(self.infection_pct),
            readmission: count(self.readmission_pct),
            mortality: count(self.mortality_pct),
        }
    }

    fn whole_numbers(&self) -> [(&'static str, i128); 5] {
        [
            ("patients", self.patients.into()),
            ("year", self.year.into()),
            ("seed", self.seed.into()),
            ("facilities", self.facilities.into()),
            ("providers", self.providers.into()),
        ]
    }

    fn numbers(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> {
        let rates = [
            ("readmission_rate", Some(self.readmission_rate)),
            ("high_cost_rate", Some(self.high_cost_rate)),
            ("fraud_rate", Some(self.fraud_rate)),
            ("late_rate", Some(self.late_rate)),
            ("correction_rate", Some(self.correction_rate)),
        ];
        rates.into_iter().chain(self.shares())
    }

    fn shares(&self) -> [(&'static str, Option<f64>); 4] {
        [
            ("mortality_pct", self.mortality_pct),
            ("infection_pct", self.infection_pct),
            ("readmission_pct", self.readmission_pct),
            ("alos_pct", self.alos_pct),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_possible_and_reads_back() {
        let spec = Spec::default();
        assert_eq!(spec.validate(), Ok(()));
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
        assert_eq!(serde_json::from_str::<Spec>(r#"{"patients":7}"#).unwrap().patients, 7);
    }

    #[test]
    fn impossible_values_are_refused_with_name_value_and_range() {
        let spec = Spec { patients: 0, year: 3000, mortality_pct: Some(120.0), ..Spec::default() };
        let text = spec.validate().unwrap_err().to_string();
        assert!(text.contains("patients is 0: it must be from 1 to 100000000"), "{text}");
        assert!(text.contains("year is 3000: it must be from 1900 to 2200"), "{text}");
        assert!(text.contains("mortality_pct is 120: it must be from 0 to 100"), "{text}");
        assert!(serde_json::from_str::<Spec>(r#"{"patiens":7}"#).unwrap_err().to_string().contains("patiens"));
    }

    #[test]
    fn a_world_that_ends_too_far_ahead_is_refused_with_the_last_possible_year() {
        let refused = |year: i32, now: Date| {
            let error = Spec { year, ..Spec::default() }.refuse_future(now.midnight()).err();
            error.map(|error| error.to_string())
        };
        let date = Date::from_ymd;
        // 366 days after 2024-12-30 is 2025-12-31.
        assert_eq!(refused(2025, date(2024, 12, 30)), None);
        let text = refused(2025, date(2024, 12, 29)).unwrap();
        assert!(text.starts_with("year is 2025: it must be at most 2024: what lies more than 366 days"), "{text}");
        assert_eq!((refused(1900, date(2025, 6, 1)), refused(2026, date(2026, 1, 1))), (None, None));
        assert!(refused(2200, Instant(i64::MAX).date()).is_none());
    }

    #[test]
    fn a_cohort_outside_the_stays_is_refused_with_the_reason() {
        let spec = Spec { alos_pct: Some(10.0), readmission_pct: Some(15.0), ..Spec::default() };
        let text = spec.validate().unwrap_err().to_string();
        assert_eq!(text, "readmission_pct is 15: it must be at most alos_pct (10): its patients need a completed stay");
        let spec = Spec { alos_pct: Some(100.0), encounters: Some(10), ..Spec::default() };
        assert!(spec.validate().is_err());
    }

    #[test]
    fn every_field_has_its_limit_and_its_words() {
        let all = Spec {
            encounters: Some(5_000),
            claims: Some(10_000),
            dirty: "late=1%".parse().unwrap(),
            mortality_pct: Some(1.0),
            infection_pct: Some(1.0),
            readmission_pct: Some(1.0),
            alos_pct: Some(1.0),
            ..Spec::default()
        };
        let serde_json::Value::Object(written) = serde_json::to_value(all).unwrap() else { panic!("a map") };
        let mut listed: Vec<&str> = Spec::fields().collect();
        listed.sort_unstable();
        assert!(written.keys().map(String::as_str).eq(listed));
        assert_eq!(Spec::allowed("facilities").as_deref(), Some("a whole number from 1 to 1000"));
        assert_eq!(Spec::allowed("fraud_rate").as_deref(), Some("a number from 0 to 0.035"));
        assert_eq!(Spec::allowed("facility"), None);
    }

    #[test]
    fn another_spec_has_another_slug() {
        let other = Spec { facilities: 3, ..Spec::default() };
        assert_ne!(Spec::default().slug(), other.slug());
        assert!(Spec::default().slug().starts_with("y2025-s42-p1000-"));
    }
}
