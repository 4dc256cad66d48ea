//! One version of a resource as a line of JSON.
//!
//! A version that is wrong differs from the truth in something that a metric hangs on: a patient's age, the end of an
//! encounter and where the patient went, the onset of a condition.

use metriccare_fhir::calendar::{DAY, HOUR, whole_seconds};
use metriccare_fhir::write as fhir;
use metriccare_fhir::write::{
    Category, ClinicalStatus, Date, Disposition, EncounterClass, EncounterStatus, FhirVersion, Instant, LocationPeriod,
    LocationStatus, Named, VerificationStatus, write_condition, write_encounter, write_patient,
};

use crate::department::Department;
use crate::directory::location_id;
use crate::ids::IdKind;
use crate::life::{Condition, ConditionKind, Encounter, LONGEST_PATH, Life};
use crate::view::versions::Version;
use crate::world::World;

/// What a line is about.
pub(super) enum Subject<'a> {
    /// The patient whose life it is.
    Patient,
    /// An encounter of that life.
    Encounter(&'a Encounter),
    /// A condition of that life.
    Condition(&'a Condition),
}

impl Subject<'_> {
    /// The name of its type.
    pub(super) fn resource_type(&self) -> &'static str {
        ["Patient", "Encounter", "Condition"][self.kind()]
    }

    /// The place of its type among patients, encounters and conditions.
    pub(super) fn kind(&self) -> usize {
        match self {
            Subject::Patient => 0,
            Subject::Encounter(_) => 1,
            Subject::Condition(_) => 2,
        }
    }
}

/// When an encounter is first known, and when it is over.
pub(super) fn times_of_encounter(encounter: &Encounter) -> (Instant, Option<Instant>) {
    // Until the patient leaves, the record is that of the placement on the first day.
    let same_day = encounter.start.date() == encounter.end.date();
    (if same_day { encounter.start } else { encounter.placement().start }, Some(encounter.end))
}

/// When a condition is first known, and when it is over.
pub(super) fn times_of_condition(condition: &Condition) -> (Instant, Option<Instant>) {
    (condition.recorded, later_of(condition))
}

fn later_of(condition: &Condition) -> Option<Instant> {
    condition.abated.filter(|&abated| abated > condition.recorded)
}

/// Writes the lines of one life.
pub(super) struct Lines<'a> {
    pub(super) world: &'a World,
    pub(super) life: &'a Life,
    pub(super) fhir: FhirVersion,
}

impl Lines<'_> {
    /// The logical id of a resource.
    pub(super) fn id(&self, subject: &Subject<'_>) -> fhir::Id {
        match subject {
            Subject::Patient => self.life.person.id,
            Subject::Encounter(encounter) => encounter.id,
            Subject::Condition(condition) => condition.id,
        }
    }

    /// Appends a version of a resource.
    pub(super) fn write(&self, subject: &Subject<'_>, version: &Version, out: &mut Vec<u8>) {
        match subject {
            Subject::Patient => self.patient(version, out),
            Subject::Encounter(encounter) => self.encounter(encounter, version, out),
            Subject::Condition(condition) => self.condition(condition, version, out),
        }
    }

    fn patient(&self, version: &Version, out: &mut Vec<u8>) {
        let life = self.life;
        let person = &life.person;
        let home = &self.world.directory.hospitals()[usize::from(person.home)];
        write_patient(
            out,
            &fhir::Patient {
                id: person.id,
                meta: version.meta,
                mrn: person.mrn,
                family: person.family,
                given: person.given,
                gender: person.gender,
                birth_date: if version.wrong { Date(person.birth.0 - 365) } else { person.birth },
                deceased: life.death.filter(|_| version.last),
                race: Some(person.race),
                city: person.city,
                state: person.state,
                language: fhir::Code { code: person.language.code, display: person.language.name },
                managing_organization: Named { id: home.id, display: &home.name },
            },
        );
    }

    fn encounter(&self, encounter: &Encounter, version: &Version, out: &mut Vec<u8>) {
        let placement = encounter.placement();
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
        let end = if version.wrong { halfway(encounter) } else { encounter.end };
        if version.last && version.wrong {
            places[0] = place(placement.department, encounter.start, Some(end));
        } else if version.last {
            for (slot, segment) in places.iter_mut().zip(encounter.path()) {
                *slot = place(segment.department, segment.start, Some(segment.end));
            }
            count = encounter.path().len();
        }
        let disposition = encounter.disposition.map(|truth| if version.wrong { Disposition::Other } else { truth });
        write_encounter(
            out,
            &fhir::Encounter {
                id: encounter.id,
                meta: version.meta,
                status: if version.annulled {
                    EncounterStatus::EnteredInError
                } else if version.last {
                    EncounterStatus::Completed
                } else {
                    EncounterStatus::InProgress
                },
                class: encounter.class,
                kind: kind(encounter.class),
                priority: encounter.priority,
                subject: match encounter.filed_under {
                    Some(patient) if version.misfiled => world.ids.id(IdKind::Patient, patient, 0),
                    _ => self.life.person.id,
                },
                start: if version.wrong { Instant(encounter.start.0 - HOUR) } else { encounter.start },
                end: version.last.then_some(end),
                locations: &places[..count],
                attending: Named { id: clinician.id, display: &clinician.name },
                provider: Named { id: hospital.id, display: &hospital.name },
                reason: Some(encounter.reason),
                admit_source: encounter.admit_source,
                disposition: disposition.filter(|_| version.last),
            },
            self.fhir,
        );
    }

    fn condition(&self, condition: &Condition, version: &Version, out: &mut Vec<u8>) {
        let abatement = condition.abated.filter(|_| version.last || later_of(condition).is_none());
        let problem = matches!(condition.kind, ConditionKind::Chronic | ConditionKind::Historical);
        write_condition(
            out,
            &fhir::Condition {
                id: condition.id,
                meta: version.meta,
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
                onset: if version.wrong { Instant(condition.onset.0 - DAY) } else { condition.onset },
                abatement,
                recorded: condition.recorded.date(),
            },
        );
    }
}

/// The middle of an encounter.
fn halfway(encounter: &Encounter) -> Instant {
    Instant(encounter.start.0 + whole_seconds((encounter.end.0 - encounter.start.0) / 2))
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
