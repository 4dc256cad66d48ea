//! The conditions that are recorded: chronic ones on the problem list, old ones, and the diagnoses of encounters.
//!
//! Chronic conditions began years ago and are recorded at the first contact of the year. A stay's diagnosis begins
//! shortly before it and is over when the patient leaves, unless it is chronic by nature or the patient dies.

use metriccare_fhir::calendar::{DAY, HOUR, MINUTE, SECOND};
use metriccare_fhir::write::{Code, Diagnosis, Instant};

use super::condition::{Condition, ConditionKind, FoundInfection};
use super::log::Life;
use crate::ids::{IdKind, mix};
use crate::tables::StayKind;
use crate::world::World;

/// The oldest record of an old condition: what patients had once.
const HISTORY: [Diagnosis<'static>; 3] = [
    Diagnosis {
        icd10: Some(Code { code: "Z87.01", display: "Personal history of pneumonia (recurrent)" }),
        snomed: None,
        text: "Personal history of pneumonia (recurrent)",
    },
    Diagnosis {
        icd10: Some(Code { code: "K35.80", display: "Unspecified acute appendicitis" }),
        snomed: Some(Code { code: "74400008", display: "Appendicitis" }),
        text: "Unspecified acute appendicitis",
    },
    Diagnosis {
        icd10: Some(Code {
            code: "K80.20",
            display: "Calculus of gallbladder without cholecystitis without obstruction",
        }),
        snomed: Some(Code { code: "235919008", display: "Gallbladder calculus" }),
        text: "Calculus of gallbladder without cholecystitis without obstruction",
    },
];

/// Records all conditions of a life whose encounters are known and sorted.
pub(super) fn record(world: &World, life: &mut Life) {
    chronic_and_old(world, life);
    for at in 0..life.encounters.len() {
        let encounter = life.encounters[at];
        let dies = life.death == Some(encounter.end);
        if let Some(cause) = encounter.cause {
            let reason = &world.tables.stays[usize::from(cause)];
            if !matches!(reason.kind, StayKind::Chemotherapy | StayKind::Rehabilitation | StayKind::Dialysis) {
                let spread = (detail(encounter.id.0, 1) % (3 * DAY / SECOND) as u64) as i64 * SECOND;
                let lasting = reason.chronic.is_some_and(|c| world.tables.chronic[usize::from(c)].key == "cancer");
                add(
                    world,
                    life,
                    Condition {
                        kind: ConditionKind::Acute,
                        onset: Instant(encounter.start.0 - spread),
                        recorded: Instant(encounter.start.0 + HOUR),
                        abated: (!dies && !lasting).then_some(encounter.end),
                        ..blank(encounter.reason, at)
                    },
                );
            }
        } else if encounter.acute {
            let days = 3 + (detail(encounter.id.0, 2) % 18) as i64;
            let over = Instant(encounter.end.0 + days * DAY);
            add(
                world,
                life,
                Condition {
                    kind: ConditionKind::Acute,
                    onset: Instant(encounter.start.0 - DAY),
                    recorded: Instant(encounter.start.0 + 10 * MINUTE),
                    abated: life.death.is_none_or(|death| over < death).then_some(over),
                    ..blank(encounter.reason, at)
                },
            );
        }
    }
    for at in 0..life.infections.len() {
        let FoundInfection { stay, infection, onset, refuted } = life.infections[at];
        let Some(encounter) = life.encounters.iter().position(|e| e.id == stay) else { continue };
        let end = life.encounters[encounter].end;
        let chance = detail(stay.0, 3 + infection as u64);
        add(
            world,
            life,
            Condition {
                kind: ConditionKind::Infection(infection),
                onset,
                recorded: Instant((onset.0 + 2 * HOUR).min(end.0)),
                abated: (life.death != Some(end)).then_some(end),
                refuted,
                ..blank(infection.diagnosis(chance.is_multiple_of(10)), encounter)
            },
        );
    }
}

fn chronic_and_old(world: &World, life: &mut Life) {
    let person = life.person;
    let first = (!life.encounters.is_empty()).then_some(0);
    for (i, chronic) in world.tables.chronic.iter().enumerate() {
        if life.chronic & (1 << i) == 0 {
            continue;
        }
        let years = i64::from(person.age).clamp(1, 25);
        let span = (years * 330 * DAY / SECOND) as u64;
        let before = DAY * 30 + (detail(person.id.0, 16 + i as u64) % span) as i64 * SECOND;
        let kind = if chronic.key == "stroke" { ConditionKind::Historical } else { ConditionKind::Chronic };
        add(
            world,
            life,
            Condition {
                kind,
                onset: Instant((life.registered.0 - before).max(person.birth.midnight().0)).date().midnight(),
                recorded: life.registered,
                abated: None,
                ..Condition { encounter: first, ..blank(chronic.diagnosis, 0) }
            },
        );
    }
    let chance = detail(person.id.0, 5);
    if person.age >= 25 && chance % 100 < 22 {
        let began = Instant(life.registered.0 - DAY * (700 + (chance >> 8) as i64 % 4_000)).date().midnight();
        add(
            world,
            life,
            Condition {
                kind: ConditionKind::Historical,
                onset: began,
                recorded: life.registered,
                abated: Some(Instant(began.0 + 20 * DAY)),
                ..Condition { encounter: first, ..blank(HISTORY[(chance >> 40) as usize % HISTORY.len()], 0) }
            },
        );
    }
}

fn blank(diagnosis: Diagnosis<'static>, encounter: usize) -> Condition {
    Condition {
        id: metriccare_fhir::write::Id(0),
        kind: ConditionKind::Acute,
        diagnosis,
        encounter: Some(encounter as u32),
        onset: Instant(0),
        recorded: Instant(0),
        abated: None,
        refuted: false,
        deleted: false,
    }
}

fn add(world: &World, life: &mut Life, condition: Condition) {
    let id = world.ids.id(IdKind::Condition, life.person.index, life.conditions.len() as u32);
    let onset = condition.onset.max(life.person.birth.midnight());
    life.conditions.push(Condition { id, onset, ..condition });
}

/// A value that depends on an id and a purpose alone, for details that need no stream of their own.
fn detail(id: u128, purpose: u64) -> u64 {
    mix(id as u64 ^ mix(purpose))
}
