//! The world as FHIR resources, one JSON line each.
//!
//! A view is what is known at a time. Every resource has at most two versions: an encounter is in progress from its
//! first day and completed on its last, a condition is recorded and later over, a patient is registered and may die;
//! where both fall on one day there is only one. The year's batch writes the latest version known at the year's end,
//! a day's feed those versions that came to be on the day, with the same `lastUpdated` and `versionId` in both.

use std::ops::Range;

use metriccare_fhir::write as fhir;
use metriccare_fhir::write::{
    Category, ClinicalStatus, Date, EncounterClass, EncounterStatus, FhirVersion, Instant, LocationPeriod,
    LocationStatus, Meta, Named, VerificationStatus, write_condition, write_encounter, write_location,
    write_organization, write_patient, write_practitioner,
};

use crate::answers::Answers;
use crate::directory::{Department, location_id};
use crate::life::{Condition, ConditionKind, Encounter, LONGEST_PATH, Life};
use crate::world::World;

#[cfg(test)]
mod tests;

/// What is written: the year at once, or one day of its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The latest version of everything, as known at the year's end.
    YearEnd,
    /// The versions that came to be on one day of the year.
    Day(Date),
}

/// NDJSON by resource type, and how many lines each holds. Cleared by the caller, so that memory is used again.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Patient lines.
    pub patient: Vec<u8>,
    /// Encounter lines.
    pub encounter: Vec<u8>,
    /// Condition lines.
    pub condition: Vec<u8>,
    /// How many patients, encounters and conditions were written.
    pub counts: [u64; 3],
}

impl Resources {
    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.patient.clear();
        self.encounter.clear();
        self.condition.clear();
        self.counts = [0; 3];
    }
}

/// NDJSON of the directory: what patients' resources refer to.
#[derive(Clone, Debug, Default)]
pub struct DirectoryResources {
    /// Organization lines, one per hospital.
    pub organization: Vec<u8>,
    /// Location lines, one per hospital and department.
    pub location: Vec<u8>,
    /// Practitioner lines.
    pub practitioner: Vec<u8>,
}

/// Writes patients of one world as FHIR; each thread has its own.
#[derive(Clone, Debug)]
pub struct FhirWriter<'w> {
    world: &'w World,
    version: FhirVersion,
    known: Known,
    end: Instant,
    life: Life,
}

impl<'w> FhirWriter<'w> {
    /// A writer for a world, a FHIR version, and a point of view.
    pub fn new(world: &'w World, version: FhirVersion, known: Known) -> FhirWriter<'w> {
        FhirWriter { world, version, known, end: world.calendar.end(), life: Life::new() }
    }

    /// Appends the resources of a range of patients to `out`, and counts them in `answers` where a key is wanted.
    ///
    /// The ranges of a population, in order, append to the same bytes as the whole range at once.
    pub fn write(&mut self, patients: Range<u64>, out: &mut Resources, mut answers: Option<&mut Answers>) {
        for index in patients {
            self.world.live(index, &mut self.life);
            if let Some(answers) = answers.as_deref_mut() {
                answers.add(self.world, &self.life);
            }
            self.patient(out);
            for at in 0..self.life.encounters.len() {
                self.encounter(&self.life.encounters[at], out);
            }
            for at in 0..self.life.conditions.len() {
                self.condition(&self.life.conditions[at], out);
            }
        }
    }

    fn patient(&self, out: &mut Resources) {
        let life = &self.life;
        let Some((meta, last)) = self.version(life.registered, life.death) else { return };
        let person = &life.person;
        let home = &self.world.directory.hospitals()[usize::from(person.home)];
        out.counts[0] += 1;
        write_patient(
            &mut out.patient,
            &fhir::Patient {
                id: person.id,
                meta,
                mrn: person.mrn,
                family: person.family,
                given: person.given,
                gender: person.gender,
                birth_date: person.birth,
                deceased: life.death.filter(|_| last),
                race: Some(person.race),
                city: person.city,
                state: person.state,
                language: fhir::Code { code: person.language.code, display: person.language.name },
                managing_organization: Named { id: home.id, display: &home.name },
            },
        );
    }

    fn encounter(&self, encounter: &Encounter, out: &mut Resources) {
        let placement = encounter.placement();
        // Until the patient leaves, the record is that of the placement on the first day.
        let since = if encounter.start.date() == encounter.end.date() { encounter.start } else { placement.start };
        let Some((meta, last)) = self.version(since, Some(encounter.end)) else { return };
        let world = self.world;
        let hospital = &world.directory.hospitals()[usize::from(encounter.hospital)];
        let clinician = &world.directory.clinicians()[encounter.clinician as usize];
        let place = |department: Department, start, end: Option<Instant>| LocationPeriod {
            location: Named { id: location_id(&world.ids, encounter.hospital, department), display: department.name() },
            status: if end.is_some() { LocationStatus::Completed } else { LocationStatus::Active },
            start,
            end,
        };
        let mut places = [place(placement.department, placement.start, None); LONGEST_PATH];
        let mut count = 1;
        if last {
            for (slot, segment) in places.iter_mut().zip(encounter.path()) {
                *slot = place(segment.department, segment.start, Some(segment.end));
            }
            count = encounter.path().len();
        }
        out.counts[1] += 1;
        write_encounter(
            &mut out.encounter,
            &fhir::Encounter {
                id: encounter.id,
                meta,
                status: if last { EncounterStatus::Completed } else { EncounterStatus::InProgress },
                class: encounter.class,
                kind: kind(encounter.class),
                priority: encounter.priority,
                subject: self.life.person.id,
                start: encounter.start,
                end: last.then_some(encounter.end),
                locations: &places[..count],
                attending: Named { id: clinician.id, display: &clinician.name },
                provider: Named { id: hospital.id, display: &hospital.name },
                reason: Some(encounter.reason),
                admit_source: encounter.admit_source,
                disposition: encounter.disposition.filter(|_| last),
            },
            self.version,
        );
    }

    fn condition(&self, condition: &Condition, out: &mut Resources) {
        let later = condition.abated.filter(|&abated| abated > condition.recorded);
        let Some((meta, last)) = self.version(condition.recorded, later) else { return };
        let abatement = condition.abated.filter(|_| last || later.is_none());
        let problem = matches!(condition.kind, ConditionKind::Chronic | ConditionKind::Historical);
        out.counts[2] += 1;
        write_condition(
            &mut out.condition,
            &fhir::Condition {
                id: condition.id,
                meta,
                clinical_status: if abatement.is_some() { ClinicalStatus::Resolved } else { ClinicalStatus::Active },
                verification_status: if condition.refuted {
                    VerificationStatus::Refuted
                } else {
                    VerificationStatus::Confirmed
                },
                category: if problem { Category::ProblemListItem } else { Category::EncounterDiagnosis },
                diagnosis: condition.diagnosis,
                subject: self.life.person.id,
                encounter: condition.encounter.map(|at| self.life.encounters[at as usize].id),
                onset: condition.onset,
                abatement,
                recorded: condition.recorded.date(),
            },
        );
    }

    /// The version to write of something that is so since `since` and otherwise since `later`, and whether it is the
    /// later one; nothing where none came to be in the time that is looked at.
    fn version(&self, since: Instant, later: Option<Instant>) -> Option<(Meta, bool)> {
        let later = later.filter(|&later| later < self.end);
        let first = (since < self.end).then_some((Meta { version: 1, last_updated: since }, false));
        let last = later.map(|later| {
            let same_day = later.date() == since.date();
            (Meta { version: if same_day { 1 } else { 2 }, last_updated: later }, true)
        });
        match self.known {
            Known::YearEnd => last.or(first),
            Known::Day(day) => [last, first].into_iter().flatten().find(|(meta, _)| meta.last_updated.date() == day),
        }
    }
}

/// Writes the hospitals, departments and clinicians of a world.
pub fn directory(world: &World, version: FhirVersion) -> DirectoryResources {
    let meta = Meta { version: 1, last_updated: world.calendar.first().midnight() };
    let mut out = DirectoryResources::default();
    for (i, hospital) in world.directory.hospitals().iter().enumerate() {
        let (id, name) = (hospital.id, hospital.name.as_str());
        let organization = fhir::Organization { id, meta, name, city: hospital.city, state: hospital.state };
        write_organization(&mut out.organization, &organization, version);
        for department in Department::ALL {
            let location = fhir::Location {
                id: location_id(&world.ids, i as u16, department),
                meta,
                name: department.name(),
                managing_organization: Named { id, display: name },
            };
            write_location(&mut out.location, &location);
        }
    }
    for clinician in world.directory.clinicians() {
        let practitioner = fhir::Practitioner {
            id: clinician.id,
            meta,
            family: clinician.family,
            given: clinician.given,
            gender: clinician.gender,
            specialty: clinician.department.name(),
        };
        write_practitioner(&mut out.practitioner, &practitioner);
    }
    out
}

/// The words of the source documents for a class.
fn kind(class: EncounterClass) -> &'static str {
    match class {
        EncounterClass::Inpatient => "Inpatient",
        EncounterClass::Emergency => "Emergency",
        EncounterClass::Ambulatory => "Outpatient",
        EncounterClass::Virtual => "Virtual",
        EncounterClass::HomeHealth => "Home Health",
    }
}
