//! The stay ledger: every stay with every verdict and its reason.

use bytes::Bytes;

use super::deaths::{self, Deaths};
use super::facts::Facts;
use super::infections::Infection;
use super::rows::TableRows;
use super::stay::Stay;
use super::verdict::{
    Evidence, INDEX, TRANSFERRED, WINDOW, age_band, died_30d, died_in_hospital, hwr_status, index_status, planned_rule,
};
use crate::cells::Cell;
use crate::schema::GOLD_STAY;
use crate::silver::length_days;
use crate::silver::stays::{StayTimes, for_each_patient, next_stays};
use crate::table_file::FileError;
use metriccare_fhir::calendar::{date_of, milliseconds_between};

/// The stays of a bucket, in the order of its encounters.
pub(super) fn ledger<'a>(facts: &Facts<'a>, infections: &[Infection]) -> Vec<Stay<'a>> {
    let deaths = Deaths::of(facts);
    let mut ledger: Vec<Stay<'a>> = (0..facts.encounters.len()).filter_map(|row| stay(facts, &deaths, row)).collect();
    for (place, date) in deaths::dates(facts, &ledger).into_iter().enumerate() {
        let stay = &mut ledger[place];
        stay.died_30d = died_30d(date, date_of(stay.admission));
    }
    let encounters = &facts.encounters;
    let times = |(place, stay): (usize, &Stay<'_>)| {
        let row = stay.encounter as usize;
        let code = encounters.patient.codes[row];
        StayTimes {
            patient: (code != 0).then_some(code),
            admission: stay.admission,
            discharge: stay.discharge,
            id: encounters.id.value(row),
            row: place as u32,
        }
    };
    let mut order: Vec<_> = ledger.iter().enumerate().map(times).collect();
    for_each_patient(&mut order, |chain| {
        for (this, next) in chain.iter().zip(next_stays(chain)) {
            let next = next.map(|place| {
                let days = i64::from(date_of(chain[place].admission)) - i64::from(date_of(this.discharge));
                (chain[place].row, days)
            });
            judge(&mut ledger, this.row as usize, next);
        }
    });
    for infection in infections.iter().filter(|infection| infection.hospital_onset) {
        // Encounters keep their order in the ledger; an open one is not in it.
        if let Ok(place) = ledger.binary_search_by_key(&infection.encounter, |stay| stay.encounter) {
            ledger[place].infections += 1;
        }
    }
    ledger
}

/// What a stay says by itself; the verdicts that need the next stay come after.
fn stay<'a>(facts: &Facts<'a>, deaths: &Deaths<'_>, row: usize) -> Option<Stay<'a>> {
    let encounters = &facts.encounters;
    let (admission, discharge) = encounters.stay_times(row)?;
    let (from, to) = (date_of(admission), date_of(discharge));
    let patient = facts.patient_row(row);
    let deceased = patient.and_then(|patient| facts.patients.deceased(patient));
    let disposition = encounters.disposition.value(row);
    let reason = facts.reasons[encounters.reason.codes[row] as usize];
    let hospital = encounters.hospital.codes[row];
    let death = deaths.record(encounters.id.value(row), encounters.patient.value(row), from, to);
    let evidence = Evidence {
        hospital: (hospital != 0).then_some(hospital),
        cause: reason.map(|reason| reason.cause),
        disposition,
        died: died_in_hospital(disposition, deceased, death, from, to),
        planned_rule: planned_rule(encounters.priority.value(row), reason.and_then(|reason| reason.planned_rule)),
        exclusion: reason.and_then(|reason| reason.exclusion),
        age: patient.and_then(|patient| facts.patients.age(patient, from)),
    };
    Some(Stay {
        encounter: row as u32,
        admission,
        discharge,
        evidence,
        death,
        died_30d: false,
        next: None,
        index_status: INDEX,
        hwr_status: INDEX,
        readmitted: false,
        after_transfer: false,
        infections: 0,
    })
}

fn judge(ledger: &mut [Stay<'_>], place: usize, next: Option<(u32, i64)>) {
    let following = next.map(|(next, days)| (ledger[next as usize].evidence, days));
    let stay = &mut ledger[place];
    stay.next = next;
    stay.index_status = index_status(&stay.evidence, following.as_ref().map(|(evidence, days)| (evidence, *days)));
    stay.hwr_status = hwr_status(&stay.evidence, stay.index_status);
    let unplanned = following.is_some_and(|(evidence, days)| days <= WINDOW && evidence.planned_rule.is_none());
    stay.readmitted = stay.index_status == INDEX && unplanned;
    let transferred = stay.index_status == TRANSFERRED;
    if let Some((next, _)) = next.filter(|_| transferred) {
        ledger[next as usize].after_transfer = true;
    }
}

/// The ledger as gold/stay's file.
pub(super) fn stay_file(facts: &Facts<'_>, ledger: &[Stay<'_>], inputs: &str) -> Result<Bytes, FileError> {
    let mut rows = TableRows::new(&GOLD_STAY, inputs);
    let encounters = &facts.encounters;
    let id = |place: u32| encounters.id.value(ledger[place as usize].encounter as usize);
    for stay in ledger {
        let row = stay.encounter as usize;
        let patient = facts.patient_row(row);
        let month = stay.month().to_string();
        rows.push([
            encounters.id.value(row).into(),
            encounters.patient.value(row).into(),
            encounters.hospital.value(row).into(),
            encounters.department.value(row).into(),
            Cell::Timestamp(stay.admission),
            Cell::Timestamp(stay.discharge),
            month.as_str().into(),
            length_days(stay.admission, stay.discharge).into(),
            (milliseconds_between(stay.admission, stay.discharge) as f64 / 3_600_000.0).into(),
            stay.evidence.age.into(),
            age_band(stay.evidence.age).into(),
            patient.and_then(|patient| facts.patients.gender.value(patient)).into(),
            patient.and_then(|patient| facts.patients.state.value(patient)).into(),
            patient.and_then(|patient| facts.patients.language.value(patient)).into(),
            encounters.reason.value(row).into(),
            encounters.disposition.value(row).into(),
            encounters.priority.value(row).into(),
            stay.evidence.planned_rule.is_some().into(),
            stay.evidence.planned_rule.into(),
            stay.next.map(|(next, _)| id(next)).into(),
            stay.next.map(|(_, days)| days).into(),
            true.into(),
            stay.naive_readmitted().into(),
            stay.index_status.into(),
            stay.readmitted.into(),
            stay.next.filter(|_| stay.readmitted).map(|(next, _)| id(next)).into(),
            stay.hwr_status.into(),
            stay.evidence.died.into(),
            stay.died_30d.into(),
            stay.infections.into(),
        ])?;
    }
    rows.finish()
}
