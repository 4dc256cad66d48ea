//! Dirt in a life: stays that overlap, and encounters that never were.
//!
//! Both are more encounters of the life, with ids of their own, so that every view of it and the answer key see them.

use metriccare_fhir::write::{Disposition, Instant};

use super::Dirt;
use crate::calendar::{DAY, HOUR};
use crate::ids::Kind;
use crate::life::{Encounter, Life};
use crate::stream::{Purpose, Stream};
use crate::world::World;

/// How long an encounter entered in error stands before somebody notices, in seconds.
pub(crate) const NOTICED_AFTER: i64 = 5 * HOUR;

/// Soils a life; says how many encounters entered in error and how many overlaps the year knows of.
pub(crate) fn soil(world: &World, patient: u64, life: &mut Life) -> [u64; 2] {
    let dial = &world.spec.dirty;
    let (ghosts, overlaps) = (dial.rate(Dirt::EnteredInError), dial.rate(Dirt::Overlaps));
    if ghosts == 0.0 && overlaps == 0.0 {
        return [0; 2];
    }
    let mut stream = Stream::new(world.spec.seed, world.spec.year, patient, Purpose::DirtyLife);
    let end = world.calendar.end();
    let mut made = [0; 2];
    for at in 0..life.encounters.len() {
        let encounter = life.encounters[at];
        let (never_was, twice) = (stream.chance(ghosts), stream.chance(overlaps));
        // What nobody notices before the year ends would not be an error yet.
        if never_was && encounter.end.0 + DAY < end.0 {
            let id = world.ids.id(Kind::EnteredInError, patient, at as u32);
            let mut ghost = encounter;
            (ghost.id, ghost.annulled) = (id, true);
            life.encounters.push(ghost);
            made[0] += 1;
        }
        let hours = (encounter.end.0 - encounter.start.0) / HOUR;
        // A stay that goes on has none, or a patient without a completed stay would get one.
        if twice && encounter.is_stay() && encounter.end < end && hours >= 4 {
            let overlap = within(&encounter, world.ids.id(Kind::Overlap, patient, at as u32));
            made[1] += 1;
            life.encounters.push(overlap);
        }
    }
    made
}

/// A stay in the middle half of another one, from which the patient goes home.
fn within(stay: &Encounter, id: metriccare_fhir::write::Id) -> Encounter {
    let quarter = (stay.end.0 - stay.start.0) / 4;
    let (start, end) = (Instant(stay.start.0 + quarter), Instant(stay.end.0 - quarter));
    let mut overlap = *stay;
    (overlap.id, overlap.start, overlap.end, overlap.disposition) = (id, start, end, Some(Disposition::Home));
    overlap.keep_to_one_department(start, end);
    overlap
}
