//! encounters.csv: every contact, with the readmission flag that its dates give it.

use metriccare_fhir::write::EncounterClass;

use super::Rows;
use super::csv::Row;
use crate::life::{Encounter, Life};
use crate::tables::Procedure;
use crate::world::World;

pub(super) fn write(world: &World, life: &Life, out: &mut Rows) {
    let now = world.calendar.end();
    let (hospitals, clinicians) = (world.directory.hospitals(), world.directory.clinicians());
    let mut left = None;
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
        let chronic = world.tables.chronic.iter().enumerate().filter(|(i, _)| life.chronic & (1 << i) != 0);
        let others = chronic.filter_map(|(_, chronic)| chronic.diagnosis.icd10).map(|code| code.code);
        let procedure = procedure(world, encounter);
        let mut row = Row::new(&mut out.encounters);
        row.id(encounter.id).id(life.person.id).id(clinicians[encounter.clinician as usize].id);
        row.id(hospitals[usize::from(encounter.hospital)].id).text(kind(encounter, completed)).time(encounter.start);
        if completed {
            let least = i32::from(encounter.is_stay());
            row.time(encounter.end).number(i64::from(days.max(least)));
        } else {
            row.none().none();
        }
        row.text(reason).list(others.filter(|code| *code != reason).take(if encounter.is_stay() { 6 } else { 2 }));
        row.text(procedure.map_or("", |procedure| procedure.code));
        row.text(if encounter.devices.ventilator > 0 { "5A1945Z" } else { "" });
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

/// The procedure of a stay, if one is done: by the reason, and by a chance that hangs on the id.
pub(super) fn procedure<'w>(world: &'w World, encounter: &Encounter) -> Option<&'w Procedure> {
    encounter.cause?;
    let reason = encounter.reason.icd10?.code;
    let found = world.tables.procedures.iter().find(|procedure| procedure.reason == reason)?;
    let chance = (crate::ids::mix(encounter.id.0 as u64) % 1_000) as f64 / 1_000.0;
    (chance < found.share).then_some(found)
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
    let Some((_, weight)) = world.drg(encounter) else { return 1 };
    let intensive = encounter.path().iter().any(|s| s.department == crate::Department::IntensiveCare);
    let level = match weight {
        ..0.9 => 1,
        0.9..1.5 => 2,
        _ => 3,
    };
    (level + i64::from(intensive)).min(4)
}
