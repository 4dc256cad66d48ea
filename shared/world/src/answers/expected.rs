//! From a key's sums to the rows of the gold tables, rates and intervals included.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_fhir::calendar::{Date, HOUR};

use super::causes::COHORTS;
use super::cells::{ExpectedRow, Value, next_month, provisional};
use super::tally::{DIMENSIONS, MORTALITY, READMISSION};
use super::{Answers, CauseCounts, Group, Load, Month, Share};
use crate::intervals::{byar, wilson};
use crate::life::Infection;

/// CMS's national rate of hospital-wide readmission: Care Compare, discharges of July 2022 to June 2023.
const NATIONAL_READMISSION: f64 = 0.146;

type Cells = Vec<(&'static str, Value)>;

impl Answers {
    /// The rows of all gold tables but the stay ledger, in the order of tables and dimensions.
    pub fn expected(&self) -> Vec<ExpectedRow> {
        let beds: BTreeMap<String, i64> = self.hospitals.iter().cloned().collect();
        self.expected_with_beds(&beds)
    }

    /// The same as [`Answers::expected`] with other staffed beds, where somebody has edited `reference/hospitals.csv`.
    pub fn expected_with_beds(&self, beds: &BTreeMap<String, i64>) -> Vec<ExpectedRow> {
        let Some(last) = self.last_date else { return self.plain_counts() };
        let out = Builder { key: self, beds, last: Date(last), census: self.daily_census(Date(last)) };
        let mut rows = out.readmission();
        rows.extend(out.mortality());
        rows.extend(out.length_of_stay());
        rows.extend(out.infection());
        rows.extend(out.occupancy());
        rows.extend(out.department_load());
        rows.extend(out.demographics());
        rows.extend(out.cohort());
        rows.extend(out.census());
        rows.extend(super::summary::rows(self, &rows, Date(last)));
        rows
    }

    fn plain_counts(&self) -> Vec<ExpectedRow> {
        super::summary::counts(self)
    }

    /// Inpatients at midnight by hospital, department and date, from the changes and the open stays.
    fn daily_census(&self, last: Date) -> BTreeMap<(u16, u8, i32), i64> {
        let mut changes = self.census.clone();
        for (&(hospital, unit, from), &count) in &self.open {
            *changes.entry((hospital, unit, from)).or_default() += count;
            *changes.entry((hospital, unit, last.0 + 1)).or_default() -= count;
        }
        let mut days = BTreeMap::new();
        let mut before: Option<((u16, u8, i32), i64)> = None;
        for (key, change) in changes {
            let mut patients = 0;
            if let Some(((hospital, unit, from), there)) = before
                && (hospital, unit) == (key.0, key.1)
            {
                if there != 0 {
                    days.extend((from..key.2).map(|day| ((hospital, unit, day), there)));
                }
                patients = there;
            }
            before = Some((key, patients + change));
        }
        days
    }
}

/// What the tables are built from.
struct Builder<'a> {
    key: &'a Answers,
    beds: &'a BTreeMap<String, i64>,
    last: Date,
    census: BTreeMap<(u16, u8, i32), i64>,
}

impl Builder<'_> {
    fn hospital(&self, at: u16) -> (&'static str, Option<String>) {
        ("hospital_name", Some(self.key.hospitals[usize::from(at)].0.clone()))
    }

    fn department(&self, at: u8) -> (&'static str, Option<String>) {
        ("department", Some(self.key.departments[usize::from(at)].clone()))
    }

    fn readmission(&self) -> Vec<ExpectedRow> {
        let row = |(&(hospital, month, definition), share): (&(u16, Month, u8), &Share)| {
            let cms = definition == 2;
            let limits = wilson(share.events, share.of);
            let mut values =
                vec![("index_stays", Value::Count(share.of)), ("readmissions", Value::Count(share.events))];
            values.extend(rate_with_limits(share, limits));
            values.push(("national_rate", if cms { Value::Float(NATIONAL_READMISSION) } else { Value::Null }));
            let comparison =
                if cms { Value::Text(compare(share.of, limits, NATIONAL_READMISSION)) } else { Value::Null };
            values.push(("comparison", comparison));
            values.push(("provisional", Value::Flag(provisional(month, self.last))));
            let definition = ("definition", Some(READMISSION[usize::from(definition)].to_owned()));
            let dimensions = vec![self.hospital(hospital), month_cell(month), definition];
            ExpectedRow { table: "gold/readmission", dimensions, values }
        };
        self.key.readmission.iter().map(row).collect()
    }

    fn mortality(&self) -> Vec<ExpectedRow> {
        let row = |(&(hospital, month, definition), share): (&(u16, Month, u8), &Share)| {
            let mut values = vec![("stays", Value::Count(share.of)), ("deaths", Value::Count(share.events))];
            values.extend(rate_with_limits(share, wilson(share.events, share.of)));
            values.push(("provisional", Value::Flag(provisional(month, self.last))));
            let definition = ("definition", Some(MORTALITY[usize::from(definition)].to_owned()));
            let dimensions = vec![self.hospital(hospital), month_cell(month), definition];
            ExpectedRow { table: "gold/mortality", dimensions, values }
        };
        self.key.mortality.iter().map(row).collect()
    }

    fn length_of_stay(&self) -> Vec<ExpectedRow> {
        let row = |(&(hospital, unit, month), lengths): (&(u16, u8, Month), &BTreeMap<i64, i64>)| {
            let stays: i64 = lengths.values().sum();
            let days: i64 = lengths.iter().map(|(days, count)| days * count).sum();
            let logs: f64 = lengths.iter().map(|(&days, &count)| count as f64 * libm::log(days as f64)).sum();
            let nth = |n: i64| {
                let mut before = 0;
                lengths.iter().find(|&(_, &count)| (before += count, n < before).1).map_or(0, |(&days, _)| days)
            };
            let median = (nth((stays - 1) / 2) + nth(stays / 2)) as f64 / 2.0;
            ExpectedRow {
                table: "gold/length_of_stay",
                dimensions: vec![self.hospital(hospital), self.department(unit), month_cell(month)],
                values: vec![
                    ("discharges", Value::Count(stays)),
                    ("total_days", Value::Count(days)),
                    ("alos", Value::Float(days as f64 / stays as f64)),
                    ("median_days", Value::Float(median)),
                    ("geometric_mean_days", Value::Float(libm::exp(logs / stays as f64))),
                ],
            }
        };
        self.key.lengths.iter().map(row).collect()
    }

    fn infection(&self) -> Vec<ExpectedRow> {
        let exposure = self.hospital_days();
        let mut keys: BTreeSet<(u16, Month, u8)> = self.key.infections.keys().copied().collect();
        for &(hospital, month) in exposure.keys() {
            keys.extend(Infection::ALL.map(|kind| (hospital, month, kind as u8)));
        }
        let row = |(hospital, month, kind): (u16, Month, u8)| {
            let (acquired, present) = self.key.infections.get(&(hospital, month, kind)).copied().unwrap_or_default();
            let days = exposure.get(&(hospital, month)).copied().unwrap_or_default();
            let kind = Infection::ALL[usize::from(kind)];
            let per = if kind == Infection::Cdi { 10_000 } else { 1_000 };
            let scaled = |count: f64| {
                if days == 0 { Value::Null } else { Value::Float(count / days as f64 * per as f64) }
            };
            let (low, high) = byar(acquired);
            ExpectedRow {
                table: "gold/infection",
                dimensions: vec![
                    self.hospital(hospital),
                    month_cell(month),
                    ("infection_type", Some(kind.name().to_owned())),
                ],
                values: vec![
                    ("infections", Value::Count(acquired)),
                    ("present_on_admission", Value::Count(present)),
                    ("patient_days", Value::Count(days)),
                    ("rate", scaled(acquired as f64)),
                    ("per", Value::Count(per)),
                    ("ci_low", scaled(low)),
                    ("ci_high", scaled(high)),
                ],
            }
        };
        keys.into_iter().map(row).collect()
    }

    fn occupancy(&self) -> Vec<ExpectedRow> {
        let row = |((hospital, month), patient_days): ((u16, Month), i64)| {
            let days = days_until(month, self.last);
            let staffed = self.beds.get(&self.key.hospitals[usize::from(hospital)].0).copied();
            let bed_days = staffed.map(|beds| beds * days);
            let rate = bed_days.filter(|&bed_days| bed_days > 0).map(|bed_days| patient_days as f64 / bed_days as f64);
            ExpectedRow {
                table: "gold/occupancy",
                dimensions: vec![self.hospital(hospital), month_cell(month)],
                values: vec![
                    ("patient_days", Value::Count(patient_days)),
                    ("average_daily_census", Value::Float(patient_days as f64 / days as f64)),
                    ("staffed_beds", staffed.map_or(Value::Null, Value::Count)),
                    ("bed_days", bed_days.map_or(Value::Null, Value::Count)),
                    ("occupancy_rate", rate.map_or(Value::Null, Value::Float)),
                ],
            }
        };
        self.hospital_days().into_iter().map(row).collect()
    }

    fn department_load(&self) -> Vec<ExpectedRow> {
        let mut rows: BTreeMap<(u16, u8, Month), (Load, i64)> = BTreeMap::new();
        let mut hospital_total: BTreeMap<(u16, Month), i64> = BTreeMap::new();
        for (&(hospital, unit, month), &load) in &self.key.loads {
            rows.entry((hospital, unit, month)).or_default().0 = load;
            *hospital_total.entry((hospital, month)).or_default() += load.encounters;
        }
        for (&(hospital, unit, day), &patients) in &self.census {
            rows.entry((hospital, unit, super::tally::month(Date(day)))).or_default().1 += patients;
        }
        let row = |((hospital, unit, month), (load, patient_days)): ((u16, u8, Month), (Load, i64))| {
            let all = hospital_total.get(&(hospital, month)).copied().unwrap_or_default();
            let share = if all == 0 { Value::Null } else { Value::Float(load.encounters as f64 / all as f64) };
            ExpectedRow {
                table: "gold/department_load",
                dimensions: vec![self.hospital(hospital), self.department(unit), month_cell(month)],
                values: vec![
                    ("encounters", Value::Count(load.encounters)),
                    ("emergency_encounters", Value::Count(load.emergency)),
                    ("inpatient_encounters", Value::Count(load.inpatient)),
                    ("total_hours", Value::Float(load.micros as f64 / HOUR as f64)),
                    ("patient_days", Value::Count(patient_days)),
                    ("average_daily_census", Value::Float(patient_days as f64 / days_until(month, self.last) as f64)),
                    ("share_of_hospital", share),
                ],
            }
        };
        rows.into_iter().map(row).collect()
    }

    fn demographics(&self) -> Vec<ExpectedRow> {
        let row = |((dimension, value, month), group): (&(u8, String, Month), &Group)| {
            let of = |events: i64, of: i64| {
                if of == 0 { Value::Null } else { Value::Float(events as f64 / of as f64) }
            };
            ExpectedRow {
                table: "gold/demographics",
                dimensions: vec![
                    ("dimension", Some(DIMENSIONS[usize::from(*dimension)].to_owned())),
                    ("value", Some(value.clone())),
                    month_cell(*month),
                ],
                values: vec![
                    ("stays", Value::Count(group.stays)),
                    ("index_stays", Value::Count(group.index)),
                    ("readmissions", Value::Count(group.readmissions)),
                    ("readmission_rate", of(group.readmissions, group.index)),
                    ("deaths", Value::Count(group.deaths)),
                    ("mortality_rate", of(group.deaths, group.stays)),
                    ("patients", Value::Count(group.patients)),
                ],
            }
        };
        self.key.groups.iter().map(row).collect()
    }

    fn census(&self) -> Vec<ExpectedRow> {
        let row = |(&(hospital, unit, day), &patients): (&(u16, u8, i32), &i64)| ExpectedRow {
            table: "gold/census",
            dimensions: vec![self.hospital(hospital), self.department(unit), ("date", Some(Date(day).to_string()))],
            values: vec![("patients", Value::Count(patients))],
        };
        self.census.iter().map(row).collect()
    }

    fn cohort(&self) -> Vec<ExpectedRow> {
        let row = |(&(hospital, month, cohort), counts): (&(u16, Month, u8), &CauseCounts)| {
            let cohort = &COHORTS[usize::from(cohort)];
            let mut values = Cells::new();
            let mut outcome = |names: [&'static str; 7], share: &Share, national: Option<f64>| {
                let limits = wilson(share.events, share.of);
                let [of, events, rate, low, high, national_rate, comparison] = names;
                values.extend([(of, Value::Count(share.of)), (events, Value::Count(share.events))]);
                let cells = rate_with_limits(share, limits).into_iter().map(|(_, value)| value);
                values.extend([rate, low, high].into_iter().zip(cells));
                values.push((national_rate, national.map_or(Value::Null, Value::Float)));
                let words = national.map(|national| Value::Text(compare(share.of, limits, national)));
                values.push((comparison, words.unwrap_or(Value::Null)));
            };
            outcome(
                [
                    "index_stays",
                    "readmissions",
                    "readmission_rate",
                    "readmission_ci_low",
                    "readmission_ci_high",
                    "national_readmission_rate",
                    "readmission_comparison",
                ],
                &counts.readmission,
                cohort.readmission,
            );
            outcome(
                [
                    "stays",
                    "deaths_30d",
                    "mortality_rate",
                    "mortality_ci_low",
                    "mortality_ci_high",
                    "national_mortality_rate",
                    "mortality_comparison",
                ],
                &counts.mortality,
                cohort.mortality,
            );
            let dimensions = vec![self.hospital(hospital), month_cell(month), ("cohort", Some(cohort.name.to_owned()))];
            ExpectedRow { table: "gold/cohort", dimensions, values }
        };
        self.key.cohorts.iter().map(row).collect()
    }

    fn hospital_days(&self) -> BTreeMap<(u16, Month), i64> {
        let mut days: BTreeMap<(u16, Month), i64> = BTreeMap::new();
        for (&(hospital, _, day), &patients) in &self.census {
            *days.entry((hospital, super::tally::month(Date(day)))).or_default() += patients;
        }
        days
    }
}

fn rate_with_limits(share: &Share, limits: Option<(f64, f64)>) -> Cells {
    let float = |value: Option<f64>| value.map_or(Value::Null, Value::Float);
    let rate = limits.map(|_| share.events as f64 / share.of as f64);
    vec![("rate", float(rate)), ("ci_low", float(limits.map(|l| l.0))), ("ci_high", float(limits.map(|l| l.1)))]
}

fn compare(of: i64, limits: Option<(f64, f64)>, national: f64) -> &'static str {
    match limits {
        Some((_, high)) if of >= 25 && high < national => "Better Than the National Rate",
        Some((low, _)) if of >= 25 && low > national => "Worse Than the National Rate",
        Some(_) if of >= 25 => "No Different Than the National Rate",
        _ => "Number of Cases Too Small",
    }
}

fn month_cell(month: Month) -> (&'static str, Option<String>) {
    ("month", Some(format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)))
}

/// The days of a month up to the last date.
fn days_until(month: Month, last: Date) -> i64 {
    let first = Date::from_ymd(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1);
    i64::from(next_month(month).0.min(last.0 + 1) - first.0)
}
