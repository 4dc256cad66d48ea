//! cms_measures.csv and hai_data.csv: sums over the stays of a run, made into each facility's measures.
//!
//! Sums add up over shards. Device days, predicted infections and the standardised infection ratio are CMS's
//! `HAI_n_DOPC`, `HAI_n_ELIGCASES` and `HAI_n_SIR`; the ratio is given only where at least one infection was predicted.

use std::collections::BTreeMap;

use metriccare_fhir::write::Date;
use serde::{Deserialize, Serialize};

use crate::answers::{Answers, DifferentWorlds, Value};
use crate::ids::IdKind;
use crate::intervals::{byar, wilson};
use crate::life::{Infection, Life, LifeFaults, LifeObserver};
use crate::rules::{Stay, between, hospital_onset, infection, judge, planned};
use crate::tables::{Benchmark, benchmark};
use crate::view::tables::{CMS_MEASURES, HAI_DATA, Row, TableTotals};
use crate::world::World;

/// Outcome measures, and the codes of the stays that count; names and national rates are those of the benchmarks.
const OUTCOMES: [(&str, &[&str]); 10] = [
    ("READM_30_HOSP_WIDE", &[""]),
    ("READM_30_AMI", &["I21"]),
    ("READM_30_COPD", &["J44"]),
    ("READM_30_HF", &["I50"]),
    ("READM_30_PN", &["J18"]),
    ("MORT_30_AMI", &["I21"]),
    ("MORT_30_COPD", &["J44"]),
    ("MORT_30_HF", &["I50"]),
    ("MORT_30_PN", &["J18"]),
    ("MORT_30_STK", &["I63"]),
];

/// Infection measures: CMS's id, the type, a national rate per day or procedure, and the unit of its rate.
const INFECTIONS: [(&str, Infection, f64, f64); 6] = [
    ("HAI_1", Infection::Clabsi, 0.000_98, 1_000.0),
    ("HAI_2", Infection::Cauti, 0.000_95, 1_000.0),
    ("HAI_3", Infection::Ssi, 0.034, 100.0),
    ("HAI_4", Infection::Ssi, 0.011, 100.0),
    ("HAI_5", Infection::Mrsa, 0.000_085, 1_000.0),
    ("HAI_6", Infection::Cdi, 0.000_597, 10_000.0),
];

/// Measures that are reported of a type of infection.
const INFECTION_COLUMNS: i64 = 6;

/// A column of an infection measure: its suffix, its words, each facility's value, and the benchmark.
type Column = (&'static str, &'static str, Vec<Option<f64>>, Option<f64>);

/// Sums of one hospital.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    outcomes: [(i64, i64); OUTCOMES.len()],
    /// Infections and days or procedures, by measure.
    infections: [(i64, i64); INFECTIONS.len()],
}

/// Sums over the lives of a run, for the two reporting tables; keys of shards add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    answers: Answers,
    hospitals: Vec<Sums>,
}

impl Measures {
    /// Sums of nothing, for a world.
    pub fn new(world: &World) -> Measures {
        Measures { answers: Answers::new(world), hospitals: vec![Sums::default(); world.directory.hospitals().len()] }
    }

    /// Adds a life.
    pub fn add(&mut self, world: &World, life: &Life) {
        self.answers.add_infections(world, life);
        let now = world.year.end();
        let completed: Vec<_> = life.encounters.iter().filter(|e| e.is_stay() && e.end < now).collect();
        if completed.is_empty() {
            return;
        }
        let death = life.death.filter(|&death| death < now);
        let stays = judge(&completed, life.person.birth, death);
        for stay in &stays {
            let sums = &mut self.hospitals[usize::from(stay.encounter.hospital)];
            outcomes(sums, life, stay, &stays);
            exposure(sums, life, stay);
        }
    }

    /// Adds another shard's sums; both have to be of the same world.
    pub fn merge(&mut self, other: &Measures) -> Result<(), DifferentWorlds> {
        self.answers.merge(&other.answers)?;
        let add = |a: &mut (i64, i64), b: &(i64, i64)| *a = (a.0 + b.0, a.1 + b.1);
        for (sums, more) in self.hospitals.iter_mut().zip(&other.hospitals) {
            sums.outcomes.iter_mut().zip(&more.outcomes).for_each(|(a, b)| add(a, b));
            sums.infections.iter_mut().zip(&more.infections).for_each(|(a, b)| add(a, b));
        }
        Ok(())
    }

    /// The sums as JSON, for whoever adds up the shards.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("sums are numbers and text, which JSON can hold")
    }

    /// Reads sums from JSON.
    pub fn from_json(text: &str) -> Result<Measures, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text of cms_measures.csv: every measure of every facility with beds.
    pub fn cms_measures_csv(&self, world: &World) -> Vec<u8> {
        let mut out = CMS_MEASURES.header().into_bytes();
        let mut report = Reports { world, number: 0, date: world.year.end().date(), out: &mut out };
        for (at, &(code, _)) in OUTCOMES.iter().enumerate() {
            let Some(Benchmark { name, national, .. }) = benchmark(code) else { continue };
            let ratios: Vec<(i64, i64)> = self.hospitals.iter().map(|sums| sums.outcomes[at]).collect();
            let rate = |(events, of): (i64, i64)| (of > 0).then(|| events as f64 * 100.0 / of as f64);
            let rates: Vec<Option<f64>> = ratios.iter().map(|&ratio| rate(ratio)).collect();
            for hospital in report.with_beds() {
                let status = outcome_status(ratios[hospital], *national / 100.0);
                report.push(hospital, code, name, rates[hospital], Some(*national), &rates, status);
            }
        }
        for (at, &(id, kind, per_day, _)) in INFECTIONS.iter().enumerate() {
            self.infection_measures(&mut report, at, id, kind, per_day);
        }
        out
    }

    fn infection_measures(&self, report: &mut Reports<'_>, at: usize, id: &str, kind: Infection, per_day: f64) {
        let sums: Vec<(i64, i64)> = self.hospitals.iter().map(|sums| sums.infections[at]).collect();
        let predicted: Vec<f64> = sums.iter().map(|&(_, days)| days as f64 * per_day).collect();
        let given = |hospital: usize, value: f64| (predicted[hospital] >= 1.0).then(|| value / predicted[hospital]);
        let all = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<Option<f64>> { (0..sums.len()).map(value).collect() };
        // The lower limit is not given where nothing was observed.
        let lower = |h: usize| (sums[h].0 > 0).then(|| byar(sums[h].0).0).and_then(|low| given(h, low));
        let columns: [Column; INFECTION_COLUMNS as usize] = [
            ("SIR", "standardized infection ratio", all(&|h| given(h, sums[h].0 as f64)), Some(1.0)),
            ("CILOWER", "lower confidence limit", all(&lower), None),
            ("CIUPPER", "upper confidence limit", all(&|h| given(h, byar(sums[h].0).1)), None),
            ("NUMERATOR", "observed infections", all(&|h| Some(sums[h].0 as f64)), None),
            ("ELIGCASES", "predicted infections", all(&|h| Some(predicted[h])), None),
            ("DOPC", "days or procedures", all(&|h| Some(sums[h].1 as f64)), None),
        ];
        for (suffix, words, values, benchmark) in columns {
            for hospital in report.with_beds() {
                let status = infection_status(given(hospital, 1.0).map(|scale| {
                    let (low, high) = byar(sums[hospital].0);
                    (low * scale, high * scale)
                }));
                let (code, name) = (format!("{id}_{suffix}"), format!("{}: {words}", kind.name().to_uppercase()));
                report.push(hospital, &code, &name, values[hospital], benchmark, &values, status);
            }
        }
    }

    /// The text of hai_data.csv: infections and patient-days of every facility, month and type.
    pub fn hai_data_csv(&self, world: &World) -> Vec<u8> {
        let mut out = HAI_DATA.header().into_bytes();
        let hospitals = world.directory.hospitals();
        let ids: BTreeMap<&str, _> = hospitals.iter().map(|hospital| (hospital.name.as_str(), hospital.id)).collect();
        let rows = self.answers.expected();
        for (number, row) in rows.iter().filter(|row| row.table == "gold/infection").enumerate() {
            let dimension = |at: usize| row.dimensions[at].1.as_deref().unwrap_or_default();
            let count = |at: usize| if let Value::Count(count) = row.values[at].1 { count } else { 0 };
            let float = |at: usize| if let Value::Float(value) = row.values[at].1 { Some(value) } else { None };
            let Some(&id) = ids.get(dimension(0)) else { continue };
            let Some(Benchmark { national, .. }) = benchmark(dimension(2)) else { continue };
            let limits = float(5).zip(float(6)).map(|(low, high)| (low / national, high / national));
            let mut line = Row::new(&mut out);
            line.id(world.ids.id(IdKind::Report, 1, number as u32)).id(id).text(&dimension(2).to_uppercase());
            line.text(&format!("{}-01", dimension(1))).number(count(0)).number(count(2));
            match float(3) {
                Some(rate) => line.decimal(rate),
                None => line.none(),
            };
            line.decimal(*national).text(infection_status(limits)).end();
        }
        out
    }
}

impl Measures {
    /// What the rows of the two tables come to.
    pub fn totals(&self, world: &World) -> TableTotals {
        let mut totals = TableTotals::default();
        let mut measure =
            |status: &str, rows| totals.add(&CMS_MEASURES, "performance_status", status, &[("rows", rows)]);
        let hospitals = self.hospitals.iter().zip(world.directory.hospitals());
        for (sums, _) in hospitals.filter(|(_, hospital)| hospital.admits()) {
            for (&(code, _), &ratio) in OUTCOMES.iter().zip(&sums.outcomes) {
                if let Some(Benchmark { national, .. }) = benchmark(code) {
                    measure(outcome_status(ratio, *national / 100.0), 1);
                }
            }
            for (&(.., per_day, _), &(events, days)) in INFECTIONS.iter().zip(&sums.infections) {
                let predicted = days as f64 * per_day;
                let (low, high) = byar(events);
                let limits = (predicted >= 1.0).then(|| (low / predicted, high / predicted));
                measure(infection_status(limits), INFECTION_COLUMNS);
            }
        }
        for row in self.answers.expected().iter().filter(|row| row.table == "gold/infection") {
            let kind = row.dimensions[2].1.as_deref().unwrap_or_default();
            if benchmark(kind).is_none() {
                continue;
            }
            let count = |at: usize| if let Value::Count(count) = row.values[at].1 { count } else { 0 };
            let sums = [("rows", 1), ("infection_count", count(0)), ("patient_days", count(2))];
            totals.add(&HAI_DATA, "hai_type", &kind.to_uppercase(), &sums);
        }
        totals
    }
}

impl LifeObserver for Measures {
    fn observe(&mut self, world: &World, life: &Life, _faults: LifeFaults) {
        self.add(world, life);
    }
}

fn outcomes(sums: &mut Sums, life: &Life, stay: &Stay<'_>, stays: &[Stay<'_>]) {
    let came = stay.encounter.start.date();
    if came.years_since(life.person.birth) < 65 {
        return;
    }
    let back = stay.next.is_some_and(|(next, days)| days <= 30 && !planned(&stays[next]));
    let dead = life.death.is_some_and(|death| (0..=30).contains(&between(came, death.date())));
    for (&(code, prefixes), sum) in OUTCOMES.iter().zip(&mut sums.outcomes) {
        let counts = prefixes.iter().any(|prefix| stay.code.starts_with(prefix));
        let (counts, event) =
            if code.starts_with("READM") { (counts && stay.hwr == "index", back) } else { (counts, dead) };
        sum.0 += i64::from(counts && event);
        sum.1 += i64::from(counts);
    }
}

/// Adds days with devices, patient-days or operations, and the infections that go with them.
fn exposure(sums: &mut Sums, life: &Life, stay: &Stay<'_>) {
    let encounter = stay.encounter;
    let patient_days = between(encounter.start.date(), encounter.end.date());
    let (line, catheter) = (i64::from(encounter.devices.line), i64::from(encounter.devices.catheter));
    let operations = [i64::from(stay.code.starts_with("C18")), i64::from(stay.code.starts_with("D25"))];
    let exposures = [line, catheter, operations[0], operations[1], patient_days, patient_days];
    for ((&(_, kind, ..), sum), exposed) in INFECTIONS.iter().zip(&mut sums.infections).zip(exposures) {
        sum.1 += exposed;
        let acquired = life.conditions.iter().any(|condition| {
            let here = condition.encounter.is_some_and(|at| life.encounters[at as usize].id == encounter.id);
            let days = between(encounter.start.date(), condition.onset.date());
            here && infection(condition) == Some(kind) && hospital_onset(kind, days)
        });
        sum.0 += i64::from(exposed > 0 && acquired);
    }
}

/// Lines of cms_measures.csv under construction.
struct Reports<'a> {
    world: &'a World,
    number: u32,
    date: Date,
    out: &'a mut Vec<u8>,
}

impl Reports<'_> {
    fn with_beds(&self) -> Vec<usize> {
        let hospitals = self.world.directory.hospitals().iter().enumerate();
        hospitals.filter(|(_, hospital)| hospital.admits()).map(|(at, _)| at).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "they are the columns")]
    fn push(
        &mut self,
        hospital: usize,
        code: &str,
        name: &str,
        value: Option<f64>,
        benchmark: Option<f64>,
        all: &[Option<f64>],
        status: &str,
    ) {
        let mut row = Row::new(self.out);
        row.id(self.world.ids.id(IdKind::Report, 0, self.number)).id(self.world.directory.hospitals()[hospital].id);
        self.number += 1;
        row.text(code).text(name).date(Date(self.date.0 - 1));
        for value in [value, benchmark, value.and_then(|value| percentile(value, all))] {
            match value {
                Some(value) => row.decimal(value),
                None => row.none(),
            };
        }
        row.text(status).end();
    }
}

/// The share of the run's other facilities with a lower value, in per cent.
fn percentile(value: f64, all: &[Option<f64>]) -> Option<f64> {
    let others = all.iter().flatten().count().checked_sub(1).filter(|&others| others > 0)?;
    let lower = all.iter().flatten().filter(|&&other| other < value).count();
    Some(lower as f64 * 100.0 / others as f64)
}

/// CMS's words for an outcome beside the national rate.
fn outcome_status((events, of): (i64, i64), national: f64) -> &'static str {
    match wilson(events, of) {
        _ if of < 25 => "Number of Cases Too Small",
        Some((_, high)) if high < national => "Better Than the National Rate",
        Some((low, _)) if low > national => "Worse Than the National Rate",
        _ => "No Different Than the National Rate",
    }
}

/// CMS's words for an infection ratio's interval beside 1.
fn infection_status(limits: Option<(f64, f64)>) -> &'static str {
    match limits {
        None => "Not Available",
        Some((_, high)) if high < 1.0 => "Better than the National Benchmark",
        Some((low, _)) if low > 1.0 => "Worse than the National Benchmark",
        _ => "No Different than National Benchmark",
    }
}
