//! The world as FHIR resources, one JSON line each.
//!
//! A view is what is known at a time. A resource has up to three versions: an encounter is in progress from its first
//! day and completed on its last, a condition is recorded and later over, a patient is registered and may die; and what
//! was wrong is corrected. The year's batch writes the latest version known at the year's end, a day's feed those that
//! are delivered on the day, with the same `lastUpdated` and `versionId` in both.

use std::collections::BTreeMap;
use std::ops::Range;

use lines::{Lines, Subject};
use metriccare_fhir::write as fhir;
use metriccare_fhir::write::{Date, FhirVersion, Meta, Named, write_location, write_organization, write_practitioner};

use super::versions::{Records, Version, Versions};
use crate::answers::Answers;
use crate::directory::{Department, location_id};
use crate::dirt::{Dirt, Pile, Soiler, soil_life};
use crate::life::Life;
use crate::world::World;

mod lines;
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
    /// How many patients, encounters and conditions were written, wherever their lines are.
    pub counts: [u64; 3],
    /// How many lines of these types are above; the rest is in the piles beside.
    pub clean: [u64; 3],
    /// What lands apart from the rest since it is dirty, by [`Side`](crate::Side) and type.
    pub sides: [[Pile; 3]; 3],
    /// How many faults were put in.
    pub faults: BTreeMap<Dirt, u64>,
}

impl Resources {
    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.patient.clear();
        self.encounter.clear();
        self.condition.clear();
        self.counts = [0; 3];
        self.clean = [0; 3];
        self.sides.iter_mut().flatten().for_each(Pile::clear);
        self.faults.clear();
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
    life: Life,
}

impl<'w> FhirWriter<'w> {
    /// A writer for a world, a FHIR version, and a point of view.
    pub fn new(world: &'w World, version: FhirVersion, known: Known) -> FhirWriter<'w> {
        FhirWriter { world, version, known, life: Life::new() }
    }

    /// Appends the resources of a range of patients to `out`, and counts them in `answers` where a key is wanted.
    ///
    /// The ranges of a population, in order, append to the same bytes as the whole range at once.
    pub fn write(&mut self, patients: Range<u64>, out: &mut Resources, mut answers: Option<&mut Answers>) {
        for index in patients {
            self.world.live(index, &mut self.life);
            let [errors, overlaps] = soil_life(self.world, index, &mut self.life);
            if let Some(answers) = answers.as_deref_mut() {
                answers.add(self.world, &self.life);
                answers.inject(Dirt::EnteredInError, errors);
                answers.inject(Dirt::Overlaps, overlaps);
            }
            let mut records = Records::new(self.world, index, self.known != Known::YearEnd);
            let life = &self.life;
            self.deliver(&Subject::Patient, records.versions(life.registered, life.death), out);
            for encounter in &life.encounters {
                let (since, later) = lines::times_of_encounter(encounter);
                let versions = match later {
                    Some(later) if encounter.annulled => records.annulled(since, later),
                    later => records.versions(since, later),
                };
                self.deliver(&Subject::Encounter(encounter), versions, out);
            }
            for condition in &life.conditions {
                let (since, later) = lines::times_of_condition(condition);
                self.deliver(&Subject::Condition(condition), records.versions(since, later), out);
            }
        }
    }

    /// Writes those versions of a resource that are looked at.
    fn deliver(&self, subject: &Subject<'_>, versions: Versions, out: &mut Resources) {
        let last = versions.iter().rposition(Option::is_some);
        for (at, version) in versions.iter().enumerate() {
            let Some(version) = version else { continue };
            let wanted = match self.known {
                Known::YearEnd => Some(at) == last,
                Known::Day(day) => version.delivered == day,
            };
            if wanted {
                let before = at.checked_sub(1).and_then(|before| versions[before]);
                self.put(subject, version, before.as_ref(), out);
            }
        }
    }

    fn put(&self, subject: &Subject<'_>, version: &Version, before: Option<&Version>, out: &mut Resources) {
        let spec = &self.world.spec;
        let mut lines = Lines { world: self.world, life: &self.life, fhir: self.version };
        let kind = subject.kind();
        out.counts[kind] += 1;
        let clean = [&mut out.patient, &mut out.encounter, &mut out.condition];
        if spec.dirty.is_clean() {
            out.clean[kind] += 1;
            return lines.write(subject, version, clean[kind]);
        }
        let number = version.meta.version;
        let soiler = Soiler::new(spec.seed, spec.year, &spec.dirty, lines.id(subject), number);
        let earlier = before.map(|before| {
            let mut line = Vec::new();
            lines.write(subject, before, &mut line);
            line
        });
        lines.fhir = soiler.fhir(kind, self.version);
        let mut line = Vec::new();
        lines.write(subject, version, &mut line);
        soiler.respell(kind, &mut line, &mut out.faults);
        if !soiler.deal(kind, &line, earlier.as_deref(), &mut out.sides, &mut out.faults) {
            out.clean[kind] += 1;
            clean[kind].extend_from_slice(&line);
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
