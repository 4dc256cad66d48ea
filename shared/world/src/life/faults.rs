//! Faults in a life: stays that overlap, encounters that were entered in error or filed under another patient, and
//! records that were entered twice and deleted.
//!
//! Both are more encounters of the life, with ids of their own, so that every view of it and the answer key see them.

use metriccare_fhir::calendar::{DAY, HOUR, whole_seconds};
use metriccare_fhir::write::{Disposition, Instant};

use super::condition::Condition;
use super::encounter::Encounter;
use super::log::Life;
use crate::dirt::Dirt;
use crate::ids::IdKind;
use crate::stream::{Purpose, Stream};
use crate::world::World;

/// How many faults a life was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LifeFaults {
    /// Encounters that were entered in error.
    pub entered_in_error: u64,
    /// Stays within another stay of the same patient.
    pub overlaps: u64,
}

/// Adds faults to a life at the rates of the spec; returns how many of each the year knows of.
pub(crate) fn inject(world: &World, patient: u64, life: &mut Life) -> LifeFaults {
    let dial = &world.spec.dirty;
    let encounters = life.encounters.len();
    let mut made = LifeFaults::default();
    let (errors, overlaps) = (dial.rate(Dirt::EnteredInError), dial.rate(Dirt::Overlaps));
    if errors > 0.0 || overlaps > 0.0 {
        additions(world, patient, life, &mut made);
    }
    if dial.rate(Dirt::Moved) > 0.0 || dial.rate(Dirt::Deleted) > 0.0 {
        identity(world, patient, life, encounters);
    }
    made
}

/// Adds encounters that were entered in error, and stays that overlap others.
fn additions(world: &World, patient: u64, life: &mut Life, made: &mut LifeFaults) {
    let dial = &world.spec.dirty;
    let (errors, overlaps) = (dial.rate(Dirt::EnteredInError), dial.rate(Dirt::Overlaps));
    let mut stream = Stream::new(world.spec.seed, world.spec.year, patient, Purpose::DirtyLife);
    let end = world.year.end();
    for at in 0..life.encounters.len() {
        let encounter = life.encounters[at];
        let (in_error, overlapping) = (stream.chance(errors), stream.chance(overlaps));
        // An error that is noticed after the year's end is not known as one yet.
        if in_error && encounter.end.0 + DAY < end.0 {
            let id = world.ids.id(IdKind::EnteredInError, patient, at as u32);
            life.encounters.push(Encounter { id, annulled: true, ..encounter });
            made.entered_in_error += 1;
        }
        let hours = (encounter.end.0 - encounter.start.0) / HOUR;
        // A stay that goes on has none, or a patient without a completed stay would get one.
        if overlapping && encounter.is_stay() && encounter.end < end && hours >= 4 {
            life.encounters.push(within(&encounter, world.ids.id(IdKind::Overlap, patient, at as u32)));
            made.overlaps += 1;
        }
    }
}

/// The furthest patient under whom an encounter is filed by mistake, counted back from its own.
const MOST_PATIENTS_BACK: u32 = 50;

/// Files some of the first `encounters` under another patient at first, and adds records that are deleted again.
fn identity(world: &World, patient: u64, life: &mut Life, encounters: usize) {
    let dial = &world.spec.dirty;
    let (moved, deleted) = (dial.rate(Dirt::Moved), dial.rate(Dirt::Deleted));
    let mut stream = Stream::new(world.spec.seed, world.spec.year, patient, Purpose::DirtyIdentity);
    let end = world.year.end();
    for at in 0..encounters {
        let encounter = life.encounters[at];
        let (misfiled, duplicate) = (stream.chance(moved), stream.chance(deleted));
        // Only patients that come before this one: whether there are others depends on the population's size.
        let back = 1 + u64::from(stream.index(MOST_PATIENTS_BACK.min(patient.min(1_000) as u32).max(1)));
        if misfiled {
            life.encounters[at].filed_under = patient.checked_sub(back);
        }
        if duplicate && encounter.end.0 + DAY < end.0 {
            let id = world.ids.id(IdKind::DeletedEncounter, patient, at as u32);
            life.encounters.push(Encounter { id, deleted: true, ..encounter });
        }
    }
    for at in 0..life.conditions.len() {
        let condition = life.conditions[at];
        if stream.chance(deleted) && condition.recorded.0 + DAY < end.0 {
            let id = world.ids.id(IdKind::DeletedCondition, patient, at as u32);
            life.conditions.push(Condition { id, deleted: true, ..condition });
        }
    }
}

/// A stay in the middle half of another one, from which the patient goes home.
fn within(stay: &Encounter, id: metriccare_fhir::write::Id) -> Encounter {
    let quarter = whole_seconds((stay.end.0 - stay.start.0) / 4);
    let (start, end) = (Instant(stay.start.0 + quarter), Instant(stay.end.0 - quarter));
    let mut overlap = *stay;
    (overlap.id, overlap.start, overlap.end, overlap.disposition) = (id, start, end, Some(Disposition::Home));
    overlap.keep_to_one_department(start, end);
    overlap
}
