//! Patients' histories with what is awkward in them: short, same-day and overlapping stays around a year's end, ties,
//! transfers, planned returns, deaths, missing patients and hospitals, corrections, open stays, stray conditions.

use proptest::prelude::*;

use crate::sample::{ConditionRow, EncounterRow, PatientRow, Version};
use metriccare_fhir::calendar::{DAY, date};

/// What landed in bronze.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) patients: Vec<PatientRow>,
    pub(super) encounters: Vec<EncounterRow>,
    pub(super) conditions: Vec<ConditionRow>,
}

/// An instant some hours after 2024-11-20.
fn instant(half_days: i64) -> i64 {
    i64::from(date(2024, 11, 20)) * DAY + half_days * DAY / 2
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    // An empty word stands for a missing value.
    prop::sample::select(words).prop_map(|word| (!word.is_empty()).then(|| word.to_owned()))
}

fn version(at: i64, content: usize) -> Version {
    Version { last_updated: Some(at), version_id: None, precombine_ts: 0, content_id: format!("{content:03}") }
}

/// The patient of an encounter by its number, if no version is filed wrongly.
fn subject(number: u8) -> Option<String> {
    (number % 7 != 6).then(|| format!("p{}", number % 3))
}

fn encounter() -> impl Strategy<Value = EncounterRow> {
    let classes = one_of(&["IMP", "IMP", "IMP", "IMP", "IMP", "IMP", "ACUTE", "IMP", "AMB", "EMER", "NONAC", ""]);
    let statuses = one_of(&[
        "finished",
        "finished",
        "finished",
        "completed",
        "discharged",
        "finished",
        "in-progress",
        "onleave",
        "cancelled",
    ]);
    let lengths = prop::sample::select(vec![0, 0, 1, 1, 1, 2, 2, 3, 3, 5, 9, 20, 90, -3]);
    let places = (one_of(&["A", "A", "A", "A", "B", "C", ""]), one_of(&["ICU", "ER", "Ward 7", ""]));
    let codes = (
        one_of(&["EL", "", "", "R"]),
        one_of(&["home", "home", "home", "", "", "exp", "07", "99", "hosp", "1"]),
        one_of(&[
            "I50.9", "I50.9", "I50.9", "I50.9", "I50.1", "22298006", "22298006", "Z51.11", "F20.0", "U07.1", "O80",
            "C50.9", "D3A.0", "Z51.89", "", "J18.9", "I63.9", "I21.4", "J44.1",
        ]),
    );
    // Most stays crowd around the turn of the year, so that they touch, overlap and follow on each other.
    let begins = prop_oneof![3 => 74..94i64, 1 => 0..180i64];
    let times = (prop::option::weighted(0.95, begins), lengths, prop::bool::weighted(0.9), 0..3i64);
    let subjects = (0..14u8, prop::bool::weighted(0.1));
    (subjects, classes, statuses, places, codes, times).prop_map(
        |(
            (number, wrong),
            class,
            status,
            (hospital, department),
            (priority, disposition, reason),
            (from, length, ends, at),
        )| {
            let admission = from.map(instant);
            let discharge = Some(instant(from.unwrap_or(50) + length)).filter(|_| ends);
            EncounterRow {
                id: format!("e{number}"),
                patient: subject(number + u8::from(wrong)),
                class,
                status,
                hospital,
                department,
                admission,
                discharge,
                priority,
                disposition,
                reason,
                version: version(at, 0),
            }
        },
    )
}

fn patient() -> impl Strategy<Value = PatientRow> {
    let birth = prop::sample::select(vec![
        None,
        Some(date(1940, 2, 29)),
        Some(date(1959, 12, 25)),
        Some(date(1960, 1, 1)),
        Some(date(2007, 1, 1)),
    ]);
    let death = prop::option::weighted(0.4, 0..220i64);
    let words = (one_of(&["male", "female", ""]), one_of(&["NC", ""]), one_of(&["en", "es", ""]));
    (0..3u8, words, birth, death, 0..3i64).prop_map(|(number, (gender, state, language), birth_date, death, at)| {
        PatientRow {
            id: format!("p{number}"),
            gender,
            birth_date,
            state,
            language,
            deceased: death.map(instant),
            version: version(at, 0),
        }
    })
}

fn condition() -> impl Strategy<Value = ConditionRow> {
    let codes = one_of(&[
        "T80.211A",
        "T80.211D",
        "T80.211A",
        "A04.72",
        "A04.72",
        "A41.02",
        "T81.41XA",
        "40733004",
        "I50.9",
        "",
        "419620001",
        "419099009",
        "419620001",
    ]);
    let verification = one_of(&["", "", "confirmed", "refuted"]);
    let times = (prop::option::of(70..110i64), prop::option::of(60..200i64), 0..3i64);
    let encounters = prop_oneof![3 => 0..4u8, 1 => 0..16u8];
    (0..9u8, encounters, codes, verification, times, prop::bool::weighted(0.8)).prop_map(
        |(number, encounter, code, verification, (onset, recorded, at), same)| ConditionRow {
            id: format!("c{number}-{}", encounter % 3),
            // A condition of another patient than its encounter's links to nothing.
            patient: if same { subject(encounter) } else { subject(encounter + 1) },
            encounter: (encounter < 14).then(|| format!("e{encounter}")),
            code,
            verification,
            onset: onset.map(instant),
            recorded: recorded.map(instant),
            version: version(at, 0),
        },
    )
}

/// Histories of three patients with up to forty versions of encounters.
pub(super) fn history() -> impl Strategy<Value = History> {
    let rows = (
        prop::collection::vec(patient(), 0..5),
        prop::collection::vec(encounter(), 0..40),
        prop::collection::vec(condition(), 0..24),
    );
    rows.prop_map(|(mut patients, mut encounters, mut conditions)| {
        // Content decides between versions of one time, so it must differ.
        patients.iter_mut().enumerate().for_each(|(i, row)| row.version.content_id = format!("{i:03}"));
        encounters.iter_mut().enumerate().for_each(|(i, row)| row.version.content_id = format!("{i:03}"));
        conditions.iter_mut().enumerate().for_each(|(i, row)| row.version.content_id = format!("{i:03}"));
        History { patients, encounters, conditions }
    })
}
