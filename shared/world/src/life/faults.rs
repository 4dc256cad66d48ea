//! Faults in a life: stays that overlap, and encounters that were entered in error.
//!
//! Both are more encounters of the life, with ids of their own, so that every view of it and the answer key see them.

use metriccare_fhir::calendar::{DAY, HOUR, whole_seconds};
use metriccare_fhir::write::{Disposition, Instant};

use super::encounter::Encounter;
use super::log::Life;
use crate::dirt::Dirt;
use crate::ids::Kind;
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
    let (errors, overlaps) = (dial.rate(Dirt::EnteredInError), dial.rate(Dirt::Overlaps));
    if errors == 0.0 && overlaps == 0.0 {
        return LifeFaults::default();
    }
    let mut stream = Stream::new(world.spec.seed, world.spec.year, patient, Purpose::DirtyLife);
    let end = world.year.end();
    let mut made = LifeFaults::default();
    for at in 0..life.encounters.len() {
        let encounter = life.encounters[at];
        let (in_error, overlapping) = (stream.chance(errors), stream.chance(overlaps));
        // An error that is noticed after the year's end is not known as one yet.
        if in_error && encounter.end.0 + DAY < end.0 {
            let id = world.ids.id(Kind::EnteredInError, patient, at as u32);
            life.encounters.push(Encounter { id, annulled: true, ..encounter });
            made.entered_in_error += 1;
        }
        let hours = (encounter.end.0 - encounter.start.0) / HOUR;
        // A stay that goes on has none, or a patient without a completed stay would get one.
        if overlapping && encounter.is_stay() && encounter.end < end && hours >= 4 {
            let overlap = within(&encounter, world.ids.id(Kind::Overlap, patient, at as u32));
            made.overlaps += 1;
            life.encounters.push(overlap);
        }
    }
    made
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
