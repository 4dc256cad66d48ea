//! What only the whole lake can say: the last date, patient-days, provisional months.

use std::collections::BTreeMap;

use super::counts::{Sums, add};
use super::hospitals::Hospitals;
use super::partial::{Name, Partial};
use metriccare_fhir::calendar::Month;

/// The sums of the whole lake.
pub(super) struct LakeTotals<'a> {
    /// The sums of all buckets, under names that are sorted over all of them.
    pub(super) sums: Partial,
    /// The reference file.
    pub(super) hospitals: &'a Hospitals,
    /// The digest of everything that goes in.
    pub(super) inputs: &'a str,
    /// The census of every department, in order of department and date.
    pub(super) census: Vec<CensusSpan>,
    /// Patient-days by hospital, department and month.
    pub(super) department_days: Sums<(Name, Name, Month), i64>,
    /// Patient-days by hospital and month.
    pub(super) hospital_days: Sums<(Name, Month), i64>,
}

/// Dates on which a department has the same number of inpatients at midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CensusSpan {
    pub(super) hospital: Name,
    pub(super) department: Name,
    /// The first date.
    pub(super) from: i32,
    /// The date after the last.
    pub(super) to: i32,
    /// The inpatients, not 0.
    pub(super) patients: i64,
}

impl<'a> LakeTotals<'a> {
    /// What follows from the sums of all buckets.
    pub(super) fn new(sums: Partial, hospitals: &'a Hospitals, inputs: &'a str) -> Self {
        let census = census(&sums);
        let mut department_days = Sums::new();
        let mut hospital_days = Sums::new();
        for span in &census {
            let mut month = Month::of(span.from);
            while month.first_day() < span.to {
                let days = i64::from(span.to.min(month.next().first_day()) - span.from.max(month.first_day()));
                let patient_days = days.saturating_mul(span.patients);
                add(&mut department_days, (span.hospital, span.department, month), patient_days);
                add(&mut hospital_days, (span.hospital, month), patient_days);
                month = month.next();
            }
        }
        LakeTotals { sums, hospitals, inputs, census, department_days, hospital_days }
    }

    /// The text of a name.
    pub(super) fn name(&self, name: Name) -> Option<&str> {
        Some(self.sums.names.get(name? as usize)?.as_str())
    }

    /// Whether outcomes within 30 days of a month's last day may still be to come.
    pub(super) fn provisional(&self, month: Month) -> bool {
        self.sums.last_date.is_none_or(|last| i64::from(month.last_day()) + 30 > i64::from(last))
    }

    /// The days of a month up to the lake's last date.
    pub(super) fn days(&self, month: Month) -> i64 {
        self.sums.last_date.map_or(0, |last| month.days_until(last))
    }

    /// The staffed beds of a hospital.
    pub(super) fn staffed_beds(&self, hospital: Name) -> Option<i64> {
        self.hospitals.get(self.name(hospital)?)?.staffed_beds
    }
}

/// A share of two counts; none where the denominator is 0.
pub(super) fn rate(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator != 0).then(|| numerator as f64 / denominator as f64)
}

/// The census of every department: what stays and open encounters change, added up over dates.
fn census(sums: &Partial) -> Vec<CensusSpan> {
    let mut changes: BTreeMap<(Name, Name, i32), i64> = sums.census.clone();
    if let Some(last) = sums.last_date {
        for ((hospital, department, from), open) in &sums.open {
            add(&mut changes, (*hospital, *department, *from), *open);
            add(&mut changes, (*hospital, *department, last + 1), -open);
        }
    }
    let mut spans = Vec::with_capacity(changes.len());
    let mut running: Option<CensusSpan> = None;
    for ((hospital, department, date), change) in changes {
        let same = running.filter(|span| (span.hospital, span.department) == (hospital, department));
        let before = same.map_or(0, |span| span.patients);
        if let Some(span) = same.filter(|span| span.patients != 0) {
            spans.push(CensusSpan { to: date, ..span });
        }
        let patients = before.saturating_add(change);
        running = Some(CensusSpan { hospital, department, from: date, to: date, patients });
    }
    spans
}
