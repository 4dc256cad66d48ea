//! Gold against the metric definitions, computed a second time row by row.

mod histories;
mod naive;
mod naive_days;
mod naive_rates;
mod naive_tables;

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::cells::{Cell, read_rows};
use crate::sample::{EncounterRow, PatientRow, conditions, encounters, patients};
use crate::schema::{self, Table};
use crate::silver::{Incoming, Resource, index::joined, merge_with};
use crate::table_file::{INPUTS, metadata};
use histories::{History, history};
use metriccare_fhir::calendar::{DAY, date};

const BUCKETS: u16 = 2;
const HOSPITALS: &str = "hospital_name,staffed_beds,city,state\nA,10,Charlotte,NC\nB,,Raleigh,NC\n";

/// Silver's objects, as the pipeline makes them from a history in two deliveries.
fn silver(history: &History) -> BTreeMap<(Resource, u16), Bytes> {
    let resources = [
        (Resource::Patient, patients(&history.patients)),
        (Resource::Encounter, encounters(&history.encounters)),
        (Resource::Condition, conditions(&history.conditions)),
    ];
    let (mut index, mut objects) = (Vec::new(), BTreeMap::new());
    for first in [true, false] {
        let mut incoming = Incoming::default();
        for (resource, rows) in &resources {
            let half = rows.num_rows() / 2;
            let delivery = if first { rows.slice(0, half) } else { rows.slice(half, rows.num_rows() - half) };
            incoming.add_rows(*resource, &delivery, BUCKETS).unwrap();
        }
        let entries = incoming.take_entries();
        index = joined(index.into_iter().chain(entries).collect());
        for (bucket, input) in incoming.by_bucket(&index).unwrap() {
            for (resource, input) in input {
                let existing = objects.get(&(resource, bucket));
                let merged = merge_with(resource, existing, &input.rows, &input.tombstones).unwrap();
                objects.insert((resource, bucket), merged.parquet);
            }
        }
    }
    objects
}

/// Every silver and gold table's rows, as the pipeline makes them from a history in two deliveries.
fn pipeline(history: &History) -> BTreeMap<&'static str, Vec<Vec<Cell>>> {
    let mut tables: BTreeMap<&'static str, Vec<Vec<Cell>>> = BTreeMap::new();
    let mut keep = |table: &'static Table, bytes: &Bytes| {
        tables.entry(table.path).or_default().extend(read_rows(table, bytes).unwrap());
    };
    let mut partials = Vec::new();
    let objects = silver(history);
    for bucket in 0..BUCKETS {
        let object = |resource: Resource| objects.get(&(resource, bucket)).cloned();
        let silver = SilverBucket {
            patient: object(Resource::Patient),
            encounter: object(Resource::Encounter),
            condition: object(Resource::Condition),
        };
        if let Some(bytes) = &silver.encounter {
            keep(&schema::SILVER_ENCOUNTER, bytes);
        }
        let measured = measure(bucket, &silver, "digest").unwrap();
        assert_eq!(metadata(&schema::GOLD_STAY, &measured.stay, INPUTS).unwrap().as_deref(), Some("digest"));
        keep(&schema::GOLD_STAY, &measured.stay);
        partials.insert(0, Partial::from_json(&measured.partial.to_json()).unwrap());
    }
    let hospitals = Hospitals::parse_csv(HOSPITALS.as_bytes()).unwrap();
    let fold = |partials: &[Partial]| {
        let mut fold = Fold::default();
        partials.iter().for_each(|partial| fold.add(partial));
        fold.finish(&hospitals, "all").unwrap()
    };
    let folded = fold(&partials);
    partials.reverse();
    assert_eq!(folded, fold(&partials), "the order of partials makes no difference");
    for (table, bytes) in &folded {
        keep(table, bytes);
    }
    tables
}

fn same(table: &str, found: &[Vec<Cell>], expected: &[Vec<Cell>]) {
    let sorted = |rows: &[Vec<Cell>]| {
        let mut rows = rows.to_vec();
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
        rows
    };
    let (found, expected) = (sorted(found), sorted(expected));
    assert_eq!(found.len(), expected.len(), "{table}: rows\n{found:#?}\n{expected:#?}");
    let close = |a: &Cell, b: &Cell| match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1e-3),
        (a, b) => a == b,
    };
    for (found, expected) in found.iter().zip(&expected) {
        let equal = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| close(a, b));
        assert!(equal, "{table}: found    {found:?}\nexpected {expected:?}");
    }
}

fn agrees(history: &History) {
    let found = pipeline(history);
    let expected = naive_tables::tables(history, &[("A", Some(10)), ("B", None)]);
    let silver: Vec<_> = found.get("silver/encounter").into_iter().flatten().map(|row| derived(row)).collect();
    same("silver/encounter", &silver, &expected["silver/encounter"]);
    for (table, rows) in expected.iter().filter(|(table, _)| table.starts_with("gold/")) {
        same(table, &found[table], rows);
    }
    assert_eq!(expected.len(), 12, "every table of gold is compared");
}

/// The derived columns of a silver encounter, after its id.
fn derived(row: &[Cell]) -> Vec<Cell> {
    let names =
        ["encounter_id", "length_days", "length_hours", "prior_encounter_id", "days_since_prior", "readmit_flag"];
    let place = |name: &str| schema::SILVER_ENCOUNTER.columns.iter().position(|(column, _)| *column == name).unwrap();
    names.iter().map(|name| row[place(name)].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn gold_is_what_the_definitions_say(history in history()) {
        agrees(&history);
    }
}

#[test]
fn an_empty_lake_has_every_table_and_no_row() {
    agrees(&History::default());
}

fn stay(id: &str, hospital: &str, from: i64, to: i64) -> EncounterRow {
    let start = i64::from(date(2025, 1, 1)) * DAY;
    EncounterRow {
        id: id.into(),
        patient: Some("p".into()),
        status: Some("finished".into()),
        class: Some("IMP".into()),
        hospital: Some(hospital.into()),
        admission: Some(start + from * DAY / 2),
        discharge: Some(start + to * DAY / 2),
        reason: Some("I50.9".into()),
        ..EncounterRow::default()
    }
}

/// One column of gold/stay by stay id.
fn column(history: &History, name: &str) -> BTreeMap<String, Cell> {
    let place = |name: &str| schema::GOLD_STAY.columns.iter().position(|(column, _)| *column == name).unwrap();
    let rows = &pipeline(history)["gold/stay"];
    rows.iter().map(|row| (row[0].to_string(), row[place(name)].clone())).collect()
}

#[test]
fn a_chain_of_three_hospitals_counts_once_at_its_end() {
    let encounters = vec![stay("1", "A", 0, 4), stay("2", "B", 4, 8), stay("3", "C", 9, 14), stay("4", "A", 40, 42)];
    let history = History { encounters, ..History::default() };
    agrees(&history);
    let statuses: Vec<_> = column(&history, "index_status").into_values().map(|cell| cell.to_string()).collect();
    assert_eq!(statuses, ["transferred", "transferred", "index", "index"]);
    let readmitted = column(&history, "readmission_stay_id");
    assert_eq!(readmitted["3"], Cell::Text("4".into()));
    assert_eq!(readmitted["1"], Cell::Null);
}

#[test]
fn a_planned_first_return_ends_the_search() {
    let mut planned = stay("2", "A", 20, 22);
    planned.priority = Some("EL".into());
    let encounters = vec![stay("1", "A", 0, 4), planned, stay("3", "A", 40, 44)];
    let history = History { encounters, ..History::default() };
    agrees(&history);
    assert_eq!(column(&history, "readmitted")["1"], Cell::Bool(false));
    assert_eq!(column(&history, "naive_readmitted")["1"], Cell::Bool(true));
    assert_eq!(column(&history, "planned_rule")["2"], Cell::Text("priority".into()));
    assert_eq!(column(&history, "readmitted")["2"], Cell::Bool(true));
}

#[test]
fn a_patient_who_arrives_later_gives_age_and_death() {
    let encounters = vec![stay("1", "A", 0, 4)];
    let before = History { encounters, ..History::default() };
    assert_eq!(column(&before, "age_band")["1"], Cell::Text("unknown".into()));
    let patient = PatientRow {
        id: "p".into(),
        birth_date: Some(date(1950, 1, 2)),
        deceased: Some(i64::from(date(2025, 1, 3)) * DAY),
        ..PatientRow::default()
    };
    let after = History { patients: vec![patient], ..before };
    agrees(&after);
    assert_eq!(column(&after, "age_at_admission")["1"], Cell::Int(74));
    assert_eq!(column(&after, "died_in_hospital")["1"], Cell::Bool(true));
    assert_eq!(column(&after, "index_status")["1"], Cell::Text("died".into()));
}
