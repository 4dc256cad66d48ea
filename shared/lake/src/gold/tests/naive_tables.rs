//! Gold's tables from the naive verdicts: every row counted by going through all records.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate};

use super::histories::History;
use super::naive::{
    Encounter, Infection, Stay, conditions, encounters, infections, length_days, month, patients, priors, stays,
};
use super::naive_days::{census, department_load, infection, occupancy};
use super::naive_rates::{cohort, mortality, readmission};
use crate::cells::Cell;

pub(super) type Rows = Vec<Vec<Cell>>;

pub(super) fn text(value: Option<&str>) -> Cell {
    value.map_or(Cell::Null, |value| Cell::Text(value.to_owned()))
}

pub(super) fn words(value: &Option<String>) -> Cell {
    text(value.as_deref())
}

pub(super) fn int(value: usize) -> Cell {
    Cell::Int(value as i64)
}

pub(super) fn share(over: usize, under: usize) -> Cell {
    if under == 0 { Cell::Null } else { Cell::Float(over as f64 / under as f64) }
}

pub(super) struct World {
    pub(super) encounters: Vec<Encounter>,
    pub(super) stays: Vec<Stay>,
    pub(super) infections: Vec<Infection>,
    last: Option<NaiveDate>,
    /// Hospital, department and date of every midnight that an inpatient is there.
    pub(super) midnights: Vec<(Option<String>, Option<String>, NaiveDate)>,
}

impl World {
    fn new(history: &History) -> World {
        let encounters = encounters(history);
        let counted = encounters.iter().filter(|encounter| encounter.completed || encounter.open);
        let last = counted.flat_map(|encounter| [encounter.admission, encounter.discharge]).flatten().max();
        let last = last.map(|time| time.date_naive());
        let mut midnights = Vec::new();
        for encounter in encounters.iter().filter(|encounter| encounter.class == "inpatient") {
            let Some(from) = encounter.admission.map(|time| time.date_naive()) else { continue };
            let until = match encounter.span() {
                Some((_, end)) => end.date_naive(),
                None if encounter.open => last.unwrap() + Days::new(1),
                None => continue,
            };
            let dates = from.iter_days().take_while(|date| *date < until);
            midnights.extend(dates.map(|date| (encounter.hospital.clone(), encounter.department.clone(), date)));
        }
        World { stays: stays(history), infections: infections(history), encounters, last, midnights }
    }

    pub(super) fn provisional(&self, of: &str) -> bool {
        self.last.is_none_or(|last| last_day(of) + Days::new(30) > last)
    }

    /// Days of a month up to the last date.
    pub(super) fn days(&self, of: &str) -> usize {
        first_day(of).iter_days().take_while(|date| month(*date) == of && Some(*date) <= self.last).count()
    }

    pub(super) fn patient_days(&self, hospital: &Option<String>, of: &str) -> usize {
        self.midnights.iter().filter(|(h, _, date)| h == hospital && month(*date) == of).count()
    }

    /// Hospitals and months with midnights.
    pub(super) fn hospital_months(&self) -> BTreeSet<(Option<String>, String)> {
        self.midnights.iter().map(|(hospital, _, date)| (hospital.clone(), month(*date))).collect()
    }
}

fn first_day(of: &str) -> NaiveDate {
    NaiveDate::parse_from_str(&format!("{of}-01"), "%Y-%m-%d").unwrap()
}

fn last_day(of: &str) -> NaiveDate {
    (first_day(of) + Months::new(1)).pred_opt().unwrap()
}

pub(super) fn tables(history: &History, beds: &[(&str, Option<usize>)]) -> BTreeMap<&'static str, Rows> {
    let world = World::new(history);
    let readmission = readmission(&world);
    let mortality = mortality(&world);
    let infection = infection(&world);
    let occupancy = occupancy(&world, beds);
    let mut summary: Rows = Vec::new();
    let mut total = |metric: &str, definition: &str, over: i64, under: i64, factor: f64, provisional: bool| {
        if (over, under) != (0, 0) {
            let value = if under == 0 { Cell::Null } else { Cell::Float(over as f64 / under as f64 * factor) };
            summary.push(vec![
                text(Some(metric)),
                text(Some(definition)),
                Cell::Int(over),
                Cell::Int(under),
                value,
                Cell::Bool(provisional),
            ]);
        }
    };
    let count = |cell: &Cell| if let Cell::Int(count) = cell { *count } else { 0 };
    let sum = |rows: &[&Vec<Cell>], column: usize| rows.iter().map(|row| count(&row[column])).sum::<i64>();
    for definition in ["naive", "all_payer_unplanned", "hwr_65plus"] {
        let rows: Vec<_> = readmission.iter().filter(|row| row[2] == text(Some(definition))).collect();
        let open = rows.iter().any(|row| row[10] == Cell::Bool(true));
        total("readmission", definition, sum(&rows, 4), sum(&rows, 3), 1.0, open);
    }
    for definition in ["in_hospital", "30_day"] {
        let rows: Vec<_> = mortality.iter().filter(|row| row[2] == text(Some(definition))).collect();
        let open = rows.iter().any(|row| row[8] == Cell::Bool(true));
        total("mortality", definition, sum(&rows, 4), sum(&rows, 3), 1.0, open);
    }
    let days: i64 = world.stays.iter().map(|stay| length_days(stay.from, stay.to)).sum();
    total("length_of_stay", "", days, world.stays.len() as i64, 1.0, false);
    let caught = world.infections.iter().filter(|infection| infection.hospital_onset).count();
    total("infection", "", caught as i64, world.midnights.len() as i64, 1000.0, false);
    let with_beds: Vec<_> = occupancy.iter().filter(|row| row[5] != Cell::Null).collect();
    total("occupancy", "", sum(&with_beds, 2), sum(&with_beds, 5), 1.0, false);
    let counts = [
        ("patients", patients(history).len()),
        ("encounters", world.encounters.len()),
        ("stays", world.stays.len()),
        ("conditions", conditions(history).len()),
    ];
    for (metric, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let value = Cell::Float(count as f64);
        summary.push(vec![text(Some(metric)), text(Some("")), int(count), Cell::Null, value, Cell::Bool(false)]);
    }
    BTreeMap::from([
        ("silver/encounter", silver(&world)),
        ("gold/stay", ledger(&world)),
        ("gold/readmission", readmission),
        ("gold/mortality", mortality),
        ("gold/length_of_stay", length_of_stay(&world)),
        ("gold/infection", infection),
        ("gold/occupancy", occupancy),
        ("gold/department_load", department_load(&world)),
        ("gold/demographics", demographics(&world)),
        ("gold/cohort", cohort(&world)),
        ("gold/census", census(&world)),
        ("gold/summary", summary),
    ])
}

fn silver(world: &World) -> Rows {
    let priors = priors(&world.encounters);
    let row = |encounter: &Encounter| {
        let span = encounter.span();
        let prior = priors.get(&encounter.id);
        vec![
            text(Some(&encounter.id)),
            span.map_or(Cell::Null, |(from, to)| Cell::Int(length_days(from, to))),
            span.map_or(Cell::Null, |(from, to)| Cell::Float((to - from).num_milliseconds() as f64 / 3_600_000.0)),
            prior.map_or(Cell::Null, |(id, _)| text(Some(id))),
            prior.map_or(Cell::Null, |(_, days)| Cell::Int(*days)),
            Cell::Bool(prior.is_some_and(|(_, days)| *days <= 30)),
        ]
    };
    world.encounters.iter().map(row).collect()
}

fn band(age: Option<i64>) -> &'static str {
    let Some(age) = age else { return "unknown" };
    let bands = [(85, "85+"), (75, "75-84"), (65, "65-74"), (45, "45-64"), (18, "18-44")];
    bands.iter().find(|(from, _)| age >= *from).map_or("0-17", |(_, band)| band)
}

fn ledger(world: &World) -> Rows {
    let row = |stay: &Stay| {
        let encounter = &stay.encounter;
        let mine = |infection: &&Infection| infection.hospital_onset && infection.encounter.id == encounter.id;
        let patient = stay.patient.clone().unwrap_or_default();
        let next = stay.next.as_ref();
        vec![
            text(Some(&encounter.id)),
            words(&encounter.patient),
            words(&encounter.hospital),
            words(&encounter.department),
            Cell::Timestamp(stay.from.timestamp_micros()),
            Cell::Timestamp(stay.to.timestamp_micros()),
            text(Some(&month(stay.to.date_naive()))),
            Cell::Int(length_days(stay.from, stay.to)),
            Cell::Float((stay.to - stay.from).num_milliseconds() as f64 / 3_600_000.0),
            stay.age.map_or(Cell::Null, Cell::Int),
            text(Some(band(stay.age))),
            words(&patient.gender),
            words(&patient.state),
            words(&patient.language),
            words(&encounter.reason),
            words(&encounter.disposition),
            words(&encounter.priority),
            Cell::Bool(stay.planned.is_some()),
            text(stay.planned),
            next.map_or(Cell::Null, |(id, _)| text(Some(id))),
            next.map_or(Cell::Null, |(_, days)| Cell::Int(*days)),
            Cell::Bool(true),
            Cell::Bool(next.is_some_and(|(_, days)| *days <= 30)),
            text(Some(stay.index_status)),
            Cell::Bool(stay.readmitted),
            next.filter(|_| stay.readmitted).map_or(Cell::Null, |(id, _)| text(Some(id))),
            text(Some(stay.hwr_status)),
            Cell::Bool(stay.died),
            Cell::Bool(stay.died_30d),
            int(world.infections.iter().filter(mine).count()),
        ]
    };
    world.stays.iter().map(row).collect()
}

fn length_of_stay(world: &World) -> Rows {
    let mut cells: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for stay in &world.stays {
        let encounter = &stay.encounter;
        let key = (encounter.hospital.clone(), encounter.department.clone(), month(stay.to.date_naive()));
        cells.entry(key).or_default().push(length_days(stay.from, stay.to));
    }
    let row = |((hospital, department, of), mut days): ((Option<String>, Option<String>, String), Vec<i64>)| {
        days.sort_unstable();
        let n = days.len();
        let total: i64 = days.iter().sum();
        let logs: f64 = days.iter().map(|days| libm::log(*days as f64)).sum();
        vec![
            words(&hospital),
            words(&department),
            text(Some(&of)),
            int(n),
            Cell::Int(total),
            Cell::Float(total as f64 / n as f64),
            Cell::Float((days[(n - 1) / 2] + days[n / 2]) as f64 / 2.0),
            Cell::Float(libm::exp(logs / n as f64)),
        ]
    };
    cells.into_iter().map(row).collect()
}

fn demographics(world: &World) -> Rows {
    let mut cells: BTreeMap<_, Vec<&Stay>> = BTreeMap::new();
    for stay in &world.stays {
        let patient = stay.patient.clone().unwrap_or_default();
        let unknown = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
        let of = month(stay.to.date_naive());
        cells.entry(("gender", unknown(patient.gender), of.clone())).or_default().push(stay);
        cells.entry(("age_band", band(stay.age).to_owned(), of.clone())).or_default().push(stay);
        cells.entry(("language", unknown(patient.language), of.clone())).or_default().push(stay);
        cells.entry(("state", unknown(patient.state), of)).or_default().push(stay);
    }
    let row = |((dimension, value, of), stays): ((&str, String, String), Vec<&Stay>)| {
        let index = stays.iter().filter(|stay| stay.index_status == "index").count();
        let readmitted = stays.iter().filter(|stay| stay.readmitted).count();
        let deaths = stays.iter().filter(|stay| stay.died).count();
        let patients: BTreeSet<_> = stays.iter().filter_map(|stay| stay.encounter.patient.as_ref()).collect();
        vec![
            text(Some(dimension)),
            text(Some(&value)),
            text(Some(&of)),
            int(stays.len()),
            int(index),
            int(readmitted),
            share(readmitted, index),
            int(deaths),
            share(deaths, stays.len()),
            int(patients.len()),
        ]
    };
    cells.into_iter().map(row).collect()
}
