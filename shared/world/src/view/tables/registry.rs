//! registry.csv: operations and procedures in stays, with their outcomes.

use metriccare_fhir::calendar::{HOUR, SECOND, whole_seconds};
use metriccare_fhir::write::Instant;

use super::csv::Row;
use super::procedure::procedure;
use super::rows::Rows;
use super::totals::{RegistryEntry, Tally};
use crate::ids::{IdKind, mix};
use crate::life::{ConditionKind, Infection, Life};
use crate::rules::{between, judge};
use crate::world::World;

pub(super) fn write(world: &World, life: &Life, tally: &mut Tally, out: &mut Rows) {
    let now = world.year.end();
    let completed: Vec<_> = life.encounters.iter().filter(|e| e.is_stay() && e.end < now).collect();
    if !completed.iter().any(|stay| procedure(world, stay).is_some()) {
        return;
    }
    let death = life.death.filter(|&death| death < now);
    for (ordinal, stay) in judge(&completed, life.person.birth, death).iter().enumerate() {
        let Some(procedure) = procedure(world, stay.encounter) else { continue };
        let encounter = stay.encounter;
        let chance = mix(encounter.id.0 as u64 ^ mix(7));
        let latest = whole_seconds((encounter.end.0 - encounter.start.0) / 3);
        let done =
            Instant(encounter.start.0 + (2 * HOUR + (chance >> 8) as i64 % (20 * HOUR / SECOND) * SECOND).min(latest));
        let infection = life.conditions.iter().find_map(|condition| {
            let ConditionKind::Infection(kind) = condition.kind else { return None };
            let here = condition.encounter.is_some_and(|at| life.encounters[at as usize].id == encounter.id);
            (here && !condition.refuted && condition.onset > done).then_some((name(kind), condition.onset))
        });
        let other = match chance % 1_000 {
            0..18 => Some(("Bleeding", done)),
            18..24 => Some(("Venous thromboembolism", encounter.end)),
            _ => None,
        };
        let complication = infection.or(other);
        let died = stay.died || death.is_some_and(|d| (0..=30).contains(&between(done.date(), d.date())));
        let back = stay.next.map(|(_, days)| days).filter(|&days| days <= 30);
        let outcome = match (died, complication.is_some()) {
            (true, _) => "Died",
            (false, true) => "Complicated",
            (false, false) => "Recovered",
        };
        tally.registry(RegistryEntry {
            outcome,
            complication: complication.is_some(),
            died,
            readmitted: back.is_some(),
        });
        let age = f64::from(life.person.age);
        let risk = 1.0 / (1.0 + libm::exp(3.6 - 0.03 * age - 0.25 * f64::from(life.chronic_count)));
        let mut row = Row::new(&mut out.registry);
        row.id(world.ids.id(IdKind::Registry, life.person.index, ordinal as u32)).id(life.person.id);
        row.id(world.directory.clinicians()[encounter.clinician as usize].id);
        row.text(procedure.name).date(done.date()).flag(complication.is_some());
        match complication {
            Some((kind, time)) => row.text(kind).date(time.date()),
            None => row.none().none(),
        };
        row.text(outcome);
        row.decimal(risk).flag(died).flag(back.is_some());
        match back {
            Some(days) => row.number(days),
            None => row.none(),
        };
        row.end();
        out.counts[3] += 1;
    }
}

fn name(infection: Infection) -> &'static str {
    match infection {
        Infection::Ssi => "Surgical site infection",
        Infection::Clabsi | Infection::Mrsa => "Bloodstream infection",
        Infection::Cauti => "Urinary tract infection",
        Infection::Vap => "Pneumonia",
        Infection::Cdi => "C. difficile infection",
        Infection::Other => "Infection",
    }
}
