//! The naive tables that count days: infections, occupancy, department load, census.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use super::naive::{Encounter, Infection, month};
use super::naive_tables::{Rows, World, int, share, text, words};
use crate::cells::Cell;

pub(super) fn infection(world: &World) -> Rows {
    let kinds = ["clabsi", "cauti", "ssi", "mrsa", "cdi", "vap", "other"];
    let mut cells = BTreeSet::new();
    for (hospital, of) in world.hospital_months() {
        cells.extend(kinds.map(|kind| (hospital.clone(), of.clone(), kind)));
    }
    let place = |infection: &Infection| {
        let date = if infection.hospital_onset {
            infection.onset
        } else {
            infection.encounter.admission.unwrap().date_naive()
        };
        (infection.encounter.hospital.clone(), month(date), infection.kind)
    };
    cells.extend(world.infections.iter().map(place));
    let row = |cell: (Option<String>, String, &'static str)| {
        let here =
            |onset: bool| world.infections.iter().filter(|i| place(i) == cell && i.hospital_onset == onset).count();
        let (hospital, of, kind) = &cell;
        let days = world.patient_days(hospital, of);
        let per = if *kind == "cdi" { 10_000 } else { 1_000 };
        let scaled = |count: f64| if days == 0 { Cell::Null } else { Cell::Float(count * per as f64 / days as f64) };
        let o = here(true) as f64;
        let byar = |o: f64, z: f64| o * libm::pow(1.0 - 1.0 / 9.0 / o + z / 3.0 / o.sqrt(), 3.0);
        vec![
            words(hospital),
            text(Some(of)),
            text(Some(kind)),
            int(here(true)),
            int(here(false)),
            int(days),
            scaled(o),
            int(per),
            scaled(if o == 0.0 { 0.0 } else { byar(o, -1.959964) }),
            scaled(byar(o + 1.0, 1.959964)),
        ]
    };
    cells.iter().cloned().map(row).collect()
}

pub(super) fn occupancy(world: &World, beds: &[(&str, Option<usize>)]) -> Rows {
    let row = |(hospital, of): (Option<String>, String)| {
        let patient_days = world.patient_days(&hospital, &of);
        let days = world.days(&of);
        let beds = hospital.as_deref().and_then(|name| beds.iter().find(|(known, _)| *known == name)?.1);
        vec![
            words(&hospital),
            text(Some(&of)),
            int(patient_days),
            share(patient_days, days),
            beds.map_or(Cell::Null, int),
            beds.map_or(Cell::Null, |beds| int(beds * days)),
            beds.map_or(Cell::Null, |beds| share(patient_days, beds * days)),
        ]
    };
    world.hospital_months().into_iter().map(row).collect()
}

pub(super) fn department_load(world: &World) -> Rows {
    let counted: Vec<_> = world.encounters.iter().filter(|e| e.completed || e.open).collect();
    let of = |encounter: &Encounter| encounter.admission.map(|time| month(time.date_naive()));
    let mut cells: BTreeSet<_> = counted.iter().map(|e| (e.hospital.clone(), e.department.clone(), of(e))).collect();
    cells.extend(world.midnights.iter().map(|(h, d, date)| (h.clone(), d.clone(), Some(month(*date)))));
    let row = |(hospital, department, at): (Option<String>, Option<String>, Option<String>)| {
        let of_hospital: Vec<_> = counted.iter().filter(|e| e.hospital == hospital && of(e) == at).collect();
        let here: Vec<_> = of_hospital.iter().filter(|e| e.department == department).collect();
        let class = |class: &str| here.iter().filter(|e| e.class == class).count();
        let hours =
            |e: &Encounter| e.span().map_or(0.0, |(from, to)| (to - from).num_milliseconds() as f64 / 3_600_000.0);
        let midnight = |(h, d, date): &&(Option<String>, Option<String>, NaiveDate)| {
            *h == hospital && *d == department && Some(month(*date)) == at
        };
        let days = world.midnights.iter().filter(midnight).count();
        vec![
            words(&hospital),
            words(&department),
            words(&at),
            int(here.len()),
            int(class("emergency")),
            int(class("inpatient")),
            Cell::Float(here.iter().map(|e| hours(e)).sum()),
            int(days),
            at.as_deref().map_or(Cell::Null, |at| share(days, world.days(at))),
            share(here.len(), of_hospital.len()),
        ]
    };
    cells.into_iter().map(row).collect()
}

pub(super) fn census(world: &World) -> Rows {
    let mut cells: BTreeMap<_, usize> = BTreeMap::new();
    for midnight in &world.midnights {
        *cells.entry(midnight.clone()).or_default() += 1;
    }
    let days = |date: NaiveDate| date.num_days_from_ce() - 719_163;
    let row = |((hospital, department, date), patients): (_, _)| {
        vec![words(&hospital), words(&department), Cell::Date(days(date)), int(patients)]
    };
    cells.into_iter().map(row).collect()
}
