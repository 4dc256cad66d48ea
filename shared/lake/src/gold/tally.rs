//! Counting a bucket into its partial.

use std::collections::BTreeSet;

use arrow_array::Array;

use super::cohorts::cohort_of;
use super::counts::{
    CohortCounts, Counts as _, DemographicCounts, InfectionCounts, LoadCounts, MortalityCounts, ReadmissionCounts,
    UnlinkedCounts, add,
};
use super::facts::Facts;
use super::infections::Infection;
use super::partial::{Name, Partial, RULES};
use super::stay::Stay;
use super::verdict::{INDEX, age_band};
use crate::silver::class::{EMERGENCY, INPATIENT};
use crate::silver::length_days;
use crate::silver::status::Phase;
use metriccare_fhir::calendar::{Month, date_of, milliseconds_between};

/// The dimensions of gold/demographics, in the order in which the table lists them.
pub(super) const DIMENSIONS: [&str; 4] = ["gender", "age_band", "language", "state"];

/// The value of a dimension that is not known.
const UNKNOWN: &str = "unknown";

/// Counts everything that a bucket adds to gold.
pub(super) fn tally(
    bucket: u16,
    facts: &Facts<'_>,
    ledger: &[Stay<'_>],
    infections: &[Infection],
    inputs: &str,
) -> Partial {
    let mut tally = Tally::new(facts, ledger);
    tally.partial.bucket = bucket;
    inputs.clone_into(&mut tally.partial.inputs);
    for row in 0..facts.encounters.len() {
        tally.encounter(row);
    }
    for stay in ledger {
        tally.stay(stay);
    }
    tally.demographics(ledger);
    for infection in infections {
        tally.infection(infection);
    }
    tally.partial.census.retain(|_, change| *change != 0);
    tally.partial
}

struct Tally<'f, 'a> {
    facts: &'f Facts<'a>,
    partial: Partial,
    /// The name of each hospital code.
    hospitals: Vec<Name>,
    /// The name of each department code.
    departments: Vec<Name>,
    /// The cohort of each reason code.
    cohorts: Vec<Option<u8>>,
}

impl<'f, 'a> Tally<'f, 'a> {
    fn new(facts: &'f Facts<'a>, ledger: &[Stay<'_>]) -> Self {
        let encounters = &facts.encounters;
        let patients = &facts.patients;
        let places = encounters.hospital.values.iter().chain(&encounters.department.values);
        let people = patients.gender.values.iter().chain(&patients.language.values).chain(&patients.state.values);
        let bands = ledger.iter().map(|stay| age_band(stay.evidence.age));
        let names: BTreeSet<&str> = places.chain(people).flatten().copied().chain(bands).chain([UNKNOWN]).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let name = |text: Option<&str>| text.and_then(|text| place(&names, text));
        let (hospitals, departments) = (encounters.hospital.map(name), encounters.department.map(name));
        let unlinked = unlinked(facts);
        let partial = Partial {
            rules: RULES,
            unlinked,
            patients: patients.id.len() as i64,
            encounters: encounters.len() as i64,
            stays: ledger.len() as i64,
            conditions: facts.conditions.id.len() as i64,
            names,
            ..Partial::default()
        };
        let cohorts = encounters.reason.map(|code| code.and_then(cohort_of));
        Tally { facts, partial, hospitals, departments, cohorts }
    }

    fn hospital(&self, row: usize) -> Name {
        self.hospitals[self.facts.encounters.hospital.codes[row] as usize]
    }

    fn place(&self, row: usize) -> (Name, Name) {
        (self.hospital(row), self.departments[self.facts.encounters.department.codes[row] as usize])
    }

    fn encounter(&mut self, row: usize) {
        let encounters = &self.facts.encounters;
        let phase = encounters.phase(row);
        if phase == Phase::Uncounted {
            return;
        }
        let (admission, discharge) = (encounters.admission(row), encounters.discharge(row));
        let last = admission.max(discharge).map(date_of);
        self.partial.last_date = self.partial.last_date.max(last);
        let class = encounters.class.value(row);
        let inpatient = class == Some(INPATIENT);
        let (hospital, department) = self.place(row);
        let span = admission.zip(discharge).filter(|(start, end)| phase == Phase::Completed && end >= start);
        let micros = span.map_or(0, |(start, end)| milliseconds_between(start, end).saturating_mul(1_000));
        let month = admission.map(|admission| Month::of(date_of(admission)));
        let emergency = i64::from(class == Some(EMERGENCY));
        let counts = LoadCounts { encounters: 1, emergency, inpatient: i64::from(inpatient), micros };
        add(&mut self.partial.load, (hospital, department, month), counts);
        if let Some(admission) = admission.filter(|_| phase == Phase::Open && inpatient) {
            add(&mut self.partial.open, (hospital, department, date_of(admission)), 1);
        }
    }

    fn stay(&mut self, stay: &Stay<'_>) {
        let (hospital, department) = self.place(stay.encounter as usize);
        let (from, to) = (date_of(stay.admission), date_of(stay.discharge));
        let month = Month::of(to);
        let index = i64::from(stay.index_status == INDEX);
        let hwr = i64::from(stay.hwr_status == INDEX);
        let readmitted = i64::from(stay.readmitted);
        let counts = ReadmissionCounts {
            naive_index: 1,
            naive_readmitted: i64::from(stay.naive_readmitted()),
            unplanned_index: index,
            unplanned_readmitted: readmitted,
            hwr_index: hwr,
            hwr_readmitted: hwr * readmitted,
        };
        add(&mut self.partial.readmission, (hospital, month), counts);
        let deaths = MortalityCounts {
            in_hospital_stays: 1,
            in_hospital_deaths: i64::from(stay.evidence.died),
            ..MortalityCounts::default()
        };
        add(&mut self.partial.mortality, (hospital, month), deaths);
        if !stay.after_transfer {
            let deaths = MortalityCounts {
                thirty_day_stays: 1,
                thirty_day_deaths: i64::from(stay.died_30d),
                ..MortalityCounts::default()
            };
            add(&mut self.partial.mortality, (hospital, Month::of(from)), deaths);
        }
        self.cohort(stay, hospital, month);
        let days = length_days(stay.admission, stay.discharge);
        add(&mut self.partial.lengths, (hospital, department, month, days), 1);
        if to > from {
            add(&mut self.partial.census, (hospital, department, from), 1);
            add(&mut self.partial.census, (hospital, department, to), -1);
        }
    }

    fn cohort(&mut self, stay: &Stay<'_>, hospital: Name, month: Month) {
        let reason = self.facts.encounters.reason.codes[stay.encounter as usize];
        let Some(cohort) = self.cohorts[reason as usize] else { return };
        let hwr = i64::from(stay.hwr_status == INDEX);
        let counted = i64::from(!stay.after_transfer && stay.evidence.age.is_some_and(|age| age >= 65));
        let counts = CohortCounts {
            index_stays: hwr,
            readmissions: hwr * i64::from(stay.readmitted),
            stays: counted,
            deaths_30d: counted * i64::from(stay.died_30d),
        };
        if !counts.is_zero() {
            add(&mut self.partial.cohort, (hospital, month, cohort), counts);
        }
    }

    fn infection(&mut self, infection: &Infection) {
        let row = infection.encounter as usize;
        let admission = self.facts.encounters.admission(row).map_or(infection.onset, date_of);
        let date = if infection.hospital_onset { infection.onset } else { admission };
        let counts = InfectionCounts {
            hospital_onset: i64::from(infection.hospital_onset),
            present_on_admission: i64::from(!infection.hospital_onset),
        };
        let key = (self.hospital(row), Month::of(date), infection.kind);
        add(&mut self.partial.infection, key, counts);
    }

    fn demographics(&mut self, ledger: &[Stay<'_>]) {
        let facts = self.facts;
        let mut patients = Vec::with_capacity(ledger.len() * DIMENSIONS.len());
        for stay in ledger {
            let row = stay.encounter as usize;
            let who = facts.patient_row(row);
            let month = stay.month();
            let values = [
                who.and_then(|who| facts.patients.gender.value(who)),
                Some(age_band(stay.evidence.age)),
                who.and_then(|who| facts.patients.language.value(who)),
                who.and_then(|who| facts.patients.state.value(who)),
            ];
            let index = i64::from(stay.index_status == INDEX);
            let counts = DemographicCounts {
                stays: 1,
                index_stays: index,
                readmissions: i64::from(stay.readmitted),
                deaths: i64::from(stay.evidence.died),
                patients: 0,
            };
            for (dimension, value) in (0u8..).zip(values) {
                let Some(value) = place(&self.partial.names, value.unwrap_or(UNKNOWN)) else { continue };
                add(&mut self.partial.demographics, (dimension, value, month), counts);
                let code = facts.encounters.patient.codes[row];
                if code != 0 {
                    patients.push((dimension, value, month, code));
                }
            }
        }
        // A patient lives in one bucket, so that distinct patients add up over buckets.
        patients.sort_unstable();
        patients.dedup();
        let patient = DemographicCounts { patients: 1, ..DemographicCounts::default() };
        for (dimension, value, month, _) in patients {
            add(&mut self.partial.demographics, (dimension, value, month), patient);
        }
    }
}

/// Counts what refers to nothing, or to a patient that the lake does not have.
fn unlinked(facts: &Facts<'_>) -> UnlinkedCounts {
    let known = |row: &usize| facts.patient_row(*row).is_some();
    let named = |row: &usize| facts.encounters.patient.codes[*row] != 0;
    let rows = 0..facts.encounters.len();
    UnlinkedCounts {
        encounters_without_patient: rows.clone().filter(|row| !named(row)).count() as i64,
        encounters_with_unknown_patient: rows.filter(|row| named(row) && !known(row)).count() as i64,
        conditions_without_encounter: facts.conditions.encounter.null_count() as i64,
    }
}

fn place(names: &[String], text: &str) -> Name {
    names.binary_search_by(|name| name.as_str().cmp(text)).ok().map(|place| place as u32)
}
