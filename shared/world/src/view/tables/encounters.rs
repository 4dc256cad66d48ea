//! encounters.csv: every contact, with the readmission flag that its dates give it.

use metriccare_fhir::write::EncounterClass;

use super::cell_texts::{CellTexts, IdText};
use super::csv::Row;
use super::procedure::{codes, procedure};
use super::rows::Rows;
use crate::department::Department;
use crate::life::{Encounter, Life};
use crate::world::World;

pub(super) fn write(world: &World, life: &Life, (texts, patient): (&CellTexts, &IdText), out: &mut Rows) {
    let now = world.year.end();
    let mut left = None;
    let (mut chronic, mut chronics) = ([""; u32::BITS as usize], 0);
    for code in codes(world, life) {
        chronic[chronics] = code;
        chronics += 1;
    }
    for encounter in life.encounters.iter().filter(|e| e.start < now) {
        let completed = encounter.end < now;
        let days = encounter.end.date().0 - encounter.start.date().0;
        let since = match (encounter.is_stay() && completed, left) {
            (true, Some(left)) => Some(encounter.start.date().0 - left),
            _ => None,
        };
        if encounter.is_stay() && completed {
            left = Some(encounter.end.date().0);
        }
        let reason = encounter.reason.icd10.map_or("", |code| code.code);
        let others = chronic[..chronics].iter().copied();
        let procedure = procedure(world, encounter);
        let mut row = Row::with(&mut out.encounters, texts);
        row.id(encounter.id).known(patient).known(&texts.clinicians[encounter.clinician as usize]);
        row.known(&texts.hospitals[usize::from(encounter.hospital)])
            .word(kind(encounter, completed))
            .time(encounter.start);
        if completed {
            let least = i32::from(encounter.is_stay());
            row.time(encounter.end).number(i64::from(days.max(least)));
        } else {
            row.none().none();
        }
        row.word(reason).list(others.filter(|code| *code != reason).take(if encounter.is_stay() { 6 } else { 2 }));
        row.word(procedure.map_or("", |procedure| procedure.code));
        row.word(if encounter.devices.ventilator > 0 { "5A1945Z" } else { "" });
        row.flag(since.is_some_and(|days| days <= 30));
        match since.filter(|&days| days <= 30) {
            Some(days) => row.number(i64::from(days)),
            None => row.none(),
        };
        row.text(encounter.disposition.filter(|_| completed).map_or("", |d| d.code().display));
        row.number(severity(world, encounter)).end();
        out.counts[1] += 1;
    }
}

fn kind(encounter: &Encounter, completed: bool) -> &'static str {
    match encounter.class {
        EncounterClass::Inpatient if completed => "Inpatient",
        EncounterClass::Inpatient => "Inpatient (in progress)",
        EncounterClass::Emergency => "Emergency",
        EncounterClass::Ambulatory => "Outpatient",
        EncounterClass::Virtual => "Virtual",
        EncounterClass::HomeHealth => "Home Health",
    }
}

/// From 1 to 4: by the group's weight, and intensive care.
fn severity(world: &World, encounter: &Encounter) -> i64 {
    let Some((_, weight)) = encounter.drg(world) else { return 1 };
    let intensive = encounter.path().iter().any(|s| s.department == Department::IntensiveCare);
    let level = match weight {
        ..0.9 => 1,
        0.9..1.5 => 2,
        _ => 3,
    };
    (level + i64::from(intensive)).min(4)
}
