//! Which infections of a bucket count, and whether they began in hospital.
//!
//! One infection per encounter and type: the earliest onset, of equal ones the smaller condition id. It is linked to a
//! stay or an open inpatient encounter of the same patient; a condition without a patient or an encounter cannot be linked
//! and does not count. One without any time is as old as the admission.

use std::collections::BTreeMap;

use arrow_array::Array;

use super::facts::Facts;
use crate::coded::Interner;
use crate::silver::class::INPATIENT;
use crate::silver::infection::TYPES;
use crate::silver::status::Phase;
use metriccare_fhir::calendar::{DAY, date_of};

/// An infection that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Infection {
    /// The row of the encounter.
    pub(super) encounter: u32,
    /// The place of the type in [`TYPES`].
    pub(super) kind: u8,
    /// The date of onset.
    pub(super) onset: i32,
    /// Whether it began in hospital; otherwise it was present on admission.
    pub(super) hospital_onset: bool,
}

/// The infections that count, by encounter and type.
pub(super) fn infections(facts: &Facts<'_>) -> Vec<Infection> {
    let conditions = &facts.conditions;
    let kinds = conditions.infection.map(|name| TYPES.iter().position(|kind| Some(*kind) == name));
    let mut linked = Interner::new();
    let mut by_encounter: Vec<Vec<(u8, Option<i64>, usize)>> = Vec::new();
    for row in 0..conditions.id.len() {
        let Some(kind) = kinds[conditions.infection.codes[row] as usize] else { continue };
        if conditions.encounter.is_valid(row) && conditions.patient.is_valid(row) {
            let code = linked.intern(conditions.encounter.value(row)) as usize;
            by_encounter.resize_with(by_encounter.len().max(code + 1), Vec::new);
            by_encounter[code].push((kind as u8, conditions.time(row), row));
        }
    }
    let mut found = Vec::new();
    if by_encounter.is_empty() {
        return found;
    }
    for encounter in 0..facts.encounters.len() {
        let Some((admission, discharge)) = inpatient_dates(facts, encounter) else { continue };
        let Some(patient) = facts.encounters.patient.value(encounter) else { continue };
        let Some(code) = linked.find(facts.encounters.id.value(encounter)) else { continue };
        let mut earliest: BTreeMap<u8, (i64, &str)> = BTreeMap::new();
        for (kind, time, row) in &by_encounter[code as usize] {
            if conditions.patient.value(*row) == patient {
                let time = time.unwrap_or(i64::from(admission) * DAY);
                let this = (time, conditions.id.value(*row));
                earliest.entry(*kind).and_modify(|best| *best = this.min(*best)).or_insert(this);
            }
        }
        for (kind, (time, _)) in earliest {
            let onset = date_of(time);
            if discharge.is_none_or(|last| i64::from(onset) <= i64::from(last) + 1) {
                let hospital_onset = begins_in_hospital(TYPES[usize::from(kind)], admission, onset);
                found.push(Infection { encounter: encounter as u32, kind, onset, hospital_onset });
            }
        }
    }
    found
}

/// Admission date of a stay or open inpatient encounter, and of a stay its discharge date.
fn inpatient_dates(facts: &Facts<'_>, encounter: usize) -> Option<(i32, Option<i32>)> {
    let encounters = &facts.encounters;
    if let Some((admission, discharge)) = encounters.stay_times(encounter) {
        return Some((date_of(admission), Some(date_of(discharge))));
    }
    let open = encounters.phase(encounter) == Phase::Open && encounters.class.value(encounter) == Some(INPATIENT);
    let admission = encounters.admission(encounter).filter(|_| open)?;
    Some((date_of(admission), None))
}

/// Whether an infection began in hospital, by the dates of admission and onset in days: on day 3 or later, for cdi and
/// mrsa on day 4 or later; ssi always.
pub fn begins_in_hospital(kind: &str, admission: i32, onset: i32) -> bool {
    let days = i64::from(onset) - i64::from(admission);
    match kind {
        "ssi" => true,
        "cdi" | "mrsa" => days >= 3,
        _ => days >= 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_onset_decides() {
        assert!(!begins_in_hospital("clabsi", 0, 1));
        assert!(begins_in_hospital("clabsi", 0, 2));
        assert!(!begins_in_hospital("cdi", 0, 2));
        assert!(begins_in_hospital("cdi", 0, 3));
        assert!(begins_in_hospital("ssi", 0, -5));
    }
}
