//! What several tables say of a life: the codes of its chronic conditions, the procedure of a stay.

use crate::ids::mix;
use crate::life::{Encounter, Life};
use crate::tables::Procedure;
use crate::world::World;

/// The codes of a patient's chronic conditions.
pub(super) fn codes<'w>(world: &'w World, life: &Life) -> impl Iterator<Item = &'w str> {
    let bits = life.chronic;
    let chronic = world.tables.chronic.iter().enumerate().filter(move |(i, _)| bits & (1 << i) != 0);
    chronic.filter_map(|(_, chronic)| chronic.diagnosis.icd10).map(|code| code.code)
}

/// The procedure of a stay, if one is done: by the reason, and by a value that depends on the id alone.
pub(super) fn procedure<'w>(world: &'w World, encounter: &Encounter) -> Option<&'w Procedure> {
    encounter.cause?;
    let reason = encounter.reason.icd10?.code;
    let found = world.tables.procedures.iter().find(|procedure| procedure.reason == reason)?;
    let chance = (mix(encounter.id.0 as u64) % 1_000) as f64 / 1_000.0;
    (chance < found.share).then_some(found)
}
