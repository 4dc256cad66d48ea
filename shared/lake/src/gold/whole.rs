//! All partials added up, and what only the whole lake can say: the last date, patient-days, provisional months.

use std::collections::{BTreeMap, BTreeSet};

use super::hospitals::Hospitals;
use super::partial::{Name, Partial, Sums, add};
use crate::calendar::Month;

/// The whole lake's sums.
pub(super) struct Whole<'a> {
    /// The sums of all buckets, under names that are sorted over all of them.
    pub(super) sums: Partial,
    /// The reference file.
    pub(super) hospitals: &'a Hospitals,
    /// The digest of everything that goes in.
    pub(super) inputs: &'a str,
    /// Times without change of a census, in order of place and date.
    pub(super) runs: Vec<Run>,
    /// Patient-days by hospital, department and month.
    pub(super) department_days: Sums<(Name, Name, Month), [i64; 1]>,
    /// Patient-days by hospital and month.
    pub(super) hospital_days: Sums<(Name, Month), [i64; 1]>,
}

/// Days on which a department has the same number of inpatients at midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) hospital: Name,
    pub(super) department: Name,
    /// The first date.
    pub(super) from: i32,
    /// The date after the last.
    pub(super) to: i32,
    /// The inpatients, not 0.
    pub(super) patients: i64,
}

impl<'a> Whole<'a> {
    /// Adds partials up, in any order.
    pub(super) fn new(partials: &[Partial], hospitals: &'a Hospitals, inputs: &'a str) -> Self {
        let sums = join(partials);
        let runs = runs(&sums);
        let mut department_days = Sums::new();
        let mut hospital_days = Sums::new();
        for run in &runs {
            let mut month = Month::of(run.from);
            while month.first_day() < run.to {
                let days = i64::from(run.to.min(month.next().first_day()) - run.from.max(month.first_day()));
                let patient_days = [days.saturating_mul(run.patients)];
                add(&mut department_days, (run.hospital, run.department, month), patient_days);
                add(&mut hospital_days, (run.hospital, month), patient_days);
                month = month.next();
            }
        }
        Whole { sums, hospitals, inputs, runs, department_days, hospital_days }
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

fn join(partials: &[Partial]) -> Partial {
    let names: BTreeSet<&String> = partials.iter().flat_map(|partial| &partial.names).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let mut sums = Partial { names, ..Partial::default() };
    for partial in partials {
        let places: Vec<u32> = partial
            .names
            .iter()
            .map(|name| sums.names.binary_search(name).map_or(u32::MAX, |place| place as u32))
            .collect();
        let place = |name: u32| places.get(name as usize).copied().unwrap_or(u32::MAX);
        let at = |name: &Name| name.map(place);
        let total = |sum: &mut i64, count: i64| *sum = sum.saturating_add(count);
        total(&mut sums.patients, partial.patients);
        total(&mut sums.encounters, partial.encounters);
        total(&mut sums.stays, partial.stays);
        total(&mut sums.conditions, partial.conditions);
        sums.last_date = sums.last_date.max(partial.last_date);
        join_map(&mut sums.readmission, &partial.readmission, |(h, month)| (at(h), *month));
        join_map(&mut sums.mortality, &partial.mortality, |(h, month)| (at(h), *month));
        join_map(&mut sums.lengths, &partial.lengths, |(h, d, month, days)| (at(h), at(d), *month, *days));
        join_map(&mut sums.infection, &partial.infection, |(h, month, kind)| (at(h), *month, *kind));
        join_map(&mut sums.load, &partial.load, |(h, d, month)| (at(h), at(d), *month));
        join_map(&mut sums.census, &partial.census, |(h, d, date)| (at(h), at(d), *date));
        join_map(&mut sums.open, &partial.open, |(h, d, date)| (at(h), at(d), *date));
        join_map(&mut sums.demographics, &partial.demographics, |(dimension, v, m)| (*dimension, place(*v), *m));
    }
    sums
}

fn join_map<K: Ord, const N: usize>(sums: &mut Sums<K, [i64; N]>, more: &Sums<K, [i64; N]>, key: impl Fn(&K) -> K) {
    for (old, counts) in more {
        add(sums, key(old), *counts);
    }
}

/// The census of every department as runs of equal days.
fn runs(sums: &Partial) -> Vec<Run> {
    let mut changes: BTreeMap<(Name, Name, i32), [i64; 1]> = sums.census.clone();
    if let Some(last) = sums.last_date {
        for ((hospital, department, from), [open]) in &sums.open {
            add(&mut changes, (*hospital, *department, *from), [*open]);
            add(&mut changes, (*hospital, *department, last + 1), [-open]);
        }
    }
    let mut runs = Vec::with_capacity(changes.len());
    let mut running: Option<Run> = None;
    for ((hospital, department, date), [change]) in changes {
        let same = running.filter(|run| (run.hospital, run.department) == (hospital, department));
        let before = same.map_or(0, |run| run.patients);
        if let Some(run) = same.filter(|run| run.patients != 0) {
            runs.push(Run { to: date, ..run });
        }
        running = Some(Run { hospital, department, from: date, to: date, patients: before.saturating_add(change) });
    }
    runs
}
