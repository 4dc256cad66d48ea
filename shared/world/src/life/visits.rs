//! Visits without a bed: clinics, telehealth, emergency departments, and nurses at home.
//!
//! More for the old and the chronically ill. They keep clear of stays and end with the patient's life.

use metriccare_fhir::calendar::{DAY, HOUR, MINUTE};
use metriccare_fhir::write::{Date, Disposition, EncounterClass, Instant};

use super::encounter::{DeviceDays, Encounter, LONGEST_PATH, Segment};
use super::log::Life;
use super::stays::FREE_DAYS;
use crate::cohorts::Demand;
use crate::department::Department;
use crate::stream::{Purpose, Stream};
use crate::tables::{Setting, VisitReason};
use crate::world::World;
use crate::year::Rhythm;

/// Scales the visits, so that patients have five encounters on average.
const VISITS: f64 = 1.23;

/// How often a visit is moved to another time before it is given up.
const TRIES: usize = 4;

/// Simulates the visits.
pub(super) fn simulate(world: &World, life: &mut Life, demand: &Demand) {
    let mut stream = Stream::new(world.spec.seed, world.spec.year, life.person.index, Purpose::Visits);
    let chronic = f64::from(life.chronic_count);
    let frail = libm::exp(0.25 * life.person.frailty - 0.03) * world.population.visits();
    let (clinic, emergency) = match life.person.age {
        ..5 => (2.9, 0.62),
        5..18 => (1.9, 0.30),
        18..45 => (1.5, 0.46),
        45..65 => (1.9, 0.40),
        65..75 => (2.3, 0.42),
        _ => (2.4, 0.60),
    };
    let stays = life.encounters.len();
    let counts = [
        (Setting::Clinic, (clinic + 0.35 * chronic) * frail * VISITS),
        (Setting::Virtual, (0.35 + 0.10 * chronic) * frail * VISITS),
        (Setting::Emergency, emergency * frail * frail),
        (Setting::Home, if life.person.age >= 65 { 0.15 + 0.9 * stays as f64 } else { 0.02 + 0.15 * stays as f64 }),
    ];
    if let Some(quota) = demand.encounters {
        while (life.encounters.len() as u64) < quota {
            let setting = counts[stream.weighted(counts.iter().map(|&(_, mean)| mean))].0;
            visit(world, life, setting, true, &mut stream);
        }
        return;
    }
    for (setting, mean) in counts {
        for _ in 0..stream.poisson(mean) {
            visit(world, life, setting, false, &mut stream);
        }
    }
}

/// Adds a visit; where no time is found for it, gives it up or puts it into the free days of the year's beginning.
fn visit(world: &World, life: &mut Life, setting: Setting, must: bool, stream: &mut Stream) {
    let reason = pick_reason(world, life, setting, stream);
    let hospital = if stream.chance(0.88) { life.person.home } else { world.directory.home(stream) };
    let clinician = world.directory.clinician(hospital, reason.department, stream);
    for _ in 0..TRIES {
        let (start, end) = time(world, life, setting, stream);
        let alive = life.death.is_none_or(|death| end.0 < death.0);
        if alive && start < world.year.end() && !life.in_hospital(Instant(start.0 - HOUR), Instant(end.0 + HOUR)) {
            push(world, life, reason, (hospital, clinician), (start, end), stream);
            return;
        }
    }
    if must {
        let free = FREE_DAYS * DAY - 2 * HOUR;
        let start = Instant(world.year.first().midnight().0 + stream.between(HOUR, free));
        push(world, life, reason, (hospital, clinician), (start, Instant(start.0 + HOUR / 2)), stream);
    }
}

fn push(
    world: &World,
    life: &mut Life,
    reason: &VisitReason,
    (hospital, clinician): (u16, u32),
    (start, end): (Instant, Instant),
    stream: &mut Stream,
) {
    let (class, disposition) = match reason.setting {
        Setting::Clinic => (EncounterClass::Ambulatory, None),
        Setting::Virtual => (EncounterClass::Virtual, None),
        Setting::Home => (EncounterClass::HomeHealth, None),
        Setting::Emergency if stream.chance(0.03) => (EncounterClass::Emergency, Some(Disposition::AgainstAdvice)),
        Setting::Emergency => (EncounterClass::Emergency, Some(Disposition::Home)),
    };
    let department = match reason.department {
        Department::PrimaryCare if life.person.age < 18 => Department::Pediatrics,
        department => department,
    };
    life.encounters.push(Encounter {
        id: world.ids.encounter(life.person.index, life.encounters.len()),
        class,
        hospital,
        clinician,
        start,
        end,
        path: [Segment { department, start, end }; LONGEST_PATH],
        path_len: 1,
        reason: reason.diagnosis,
        priority: None,
        admit_source: None,
        disposition,
        drg: None,
        cause: None,
        devices: DeviceDays::default(),
        acute: reason.acute,
        annulled: false,
        filed_under: None,
        deleted: false,
    });
}

fn pick_reason<'a>(world: &'a World, life: &Life, setting: Setting, stream: &mut Stream) -> &'a VisitReason {
    let band = match life.person.age {
        ..18 => 0,
        18..65 => 1,
        _ => 2,
    };
    let choices = world.tables.visit_choices(setting, band);
    let chosen = stream.weighted(choices.iter().map(|&(_, weight)| weight));
    &world.tables.visits[usize::from(choices[chosen].0)]
}

/// When a visit begins and ends.
fn time(world: &World, life: &Life, setting: Setting, stream: &mut Stream) -> (Instant, Instant) {
    let calendar = &world.year;
    let (start, minutes) = match setting {
        Setting::Emergency => {
            let start = super::stay::arrival_time(calendar.pick(Rhythm::Acute, stream), false, stream);
            (start, (libm::exp(5.09 + 0.55 * stream.normal()) as i64).clamp(20, 1_200))
        }
        Setting::Home => {
            let after = life.encounters.iter().rev().find(|e| e.is_stay()).map(|stay| stay.end.date());
            let date = match after {
                Some(date) if stream.chance(0.85) => Date(date.0 + 1 + stream.index(28) as i32),
                _ => calendar.pick(Rhythm::Clinic, stream),
            };
            (working_hour(date, stream), 30 + i64::from(stream.index(40)))
        }
        _ => {
            let date = calendar.pick(Rhythm::Clinic, stream);
            (working_hour(date, stream), 12 + i64::from(stream.index(40)))
        }
    };
    (start, Instant(start.0 + minutes * MINUTE))
}

fn working_hour(date: Date, stream: &mut Stream) -> Instant {
    Instant(date.midnight().0 + 8 * HOUR + stream.between(0, 37 * 15 * MINUTE) / (5 * MINUTE) * (5 * MINUTE))
}
