//! What death conditions say about the stays that they are linked to, and each patient's date of death.
//!
//! A condition is linked by its encounter, where both have the same, known patient. Few conditions are deaths, so they are
//! kept by encounter.

use std::collections::{BTreeMap, HashMap};

use arrow_array::Array;

use super::facts::Facts;
use super::stay::Stay;
use super::verdict::{DeathRecord, death_in_stay};
use metriccare_fhir::calendar::date_of;

/// The death conditions of a bucket by encounter: the patient, and the date where there is one.
pub(super) struct Deaths<'a> {
    by_encounter: BTreeMap<&'a str, Vec<(&'a str, Option<i32>)>>,
}

impl<'a> Deaths<'a> {
    pub(super) fn of(facts: &Facts<'a>) -> Self {
        let conditions = &facts.conditions;
        let mut by_encounter: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for row in (0..conditions.id.len()).filter(|row| conditions.is_death(*row)) {
            if conditions.encounter.is_valid(row) && conditions.patient.is_valid(row) {
                let death = (conditions.patient.value(row), conditions.time(row).map(date_of));
                by_encounter.entry(conditions.encounter.value(row)).or_default().push(death);
            }
        }
        Deaths { by_encounter }
    }

    /// What is said about a stay of this encounter and patient with these dates of admission and discharge.
    pub(super) fn record(&self, encounter: &str, patient: Option<&str>, admission: i32, discharge: i32) -> DeathRecord {
        let linked = self.by_encounter.get(encounter).into_iter().flatten();
        let of_patient = linked.filter(|(of, _)| Some(*of) == patient);
        let mut record = DeathRecord::default();
        for (_, date) in of_patient {
            match date {
                None => record.undated = true,
                Some(date) if admission <= *date && *date <= discharge => {
                    record.within = Some(record.within.map_or(*date, |earliest| earliest.min(*date)));
                }
                Some(_) => {}
            }
        }
        record
    }
}

/// The date of death for each stay: the patient's, else the earliest that the patient's stays give.
pub(super) fn dates(facts: &Facts<'_>, ledger: &[Stay<'_>]) -> Vec<Option<i32>> {
    let patient = |stay: &Stay<'_>| facts.encounters.patient.codes[stay.encounter as usize];
    let mut earliest: HashMap<u32, i32> = HashMap::new();
    for stay in ledger {
        // A stay without a patient is nobody else's.
        if let Some(date) = in_stay(stay).filter(|_| patient(stay) != 0) {
            earliest.entry(patient(stay)).and_modify(|known| *known = date.min(*known)).or_insert(date);
        }
    }
    let of = |stay: &Stay<'_>| {
        let row = facts.patient_row(stay.encounter as usize);
        let deceased = row.and_then(|row| facts.patients.deceased(row));
        let by_stays = || match patient(stay) {
            0 => in_stay(stay),
            code => earliest.get(&code).copied(),
        };
        deceased.or_else(by_stays)
    };
    ledger.iter().map(of).collect()
}

fn in_stay(stay: &Stay<'_>) -> Option<i32> {
    death_in_stay(stay.evidence.died, stay.death, date_of(stay.discharge))
}
