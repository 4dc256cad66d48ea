//! Writes lives as FHIR: the latest versions as known at the year's end, or those that one day of the feed delivers.

use std::ops::Range;

use metriccare_fhir::write::{Date, Deletion, FhirVersion, write_deletion};

use super::batch::Destination;
use super::inject::FaultInjector;
use super::lines::{self, Lines, Subject};
use super::resources::Resources;
use crate::dirt::Dirt;
use crate::life::{Life, LifeObserver, inject};
use crate::view::versions::{Records, Version, Versions};
use crate::world::World;

/// What is written: the year at once, or one day of its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The latest version of everything, as known at the year's end.
    YearEnd,
    /// The versions that came to be on one day of the year.
    Day(Date),
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

    /// Appends the resources of a range of patients to `out`, and shows every life to the observer, where there is one.
    ///
    /// The ranges of a population, in order, append to the same bytes as the whole range at once.
    pub fn write(&mut self, patients: Range<u64>, out: &mut Resources, mut observer: Option<&mut dyn LifeObserver>) {
        for index in patients {
            self.life.simulate(self.world, index);
            let faults = inject(self.world, index, &mut self.life);
            if let Some(observer) = observer.as_deref_mut() {
                observer.observe(self.world, &self.life, faults);
            }
            let mut records = Records::new(self.world, index, self.known != Known::YearEnd);
            let life = &self.life;
            self.deliver(&Subject::Patient, records.versions(life.registered, life.death), out);
            for encounter in &life.encounters {
                let (since, later) = lines::times_of_encounter(encounter);
                let versions = match later {
                    Some(later) if encounter.annulled => records.annulled(since, later),
                    later if encounter.deleted => records.deleted(since, later),
                    later if encounter.filed_under.is_some() => records.moved(since, later),
                    later => records.versions(since, later),
                };
                self.deliver(&Subject::Encounter(encounter), versions, out);
            }
            for condition in &life.conditions {
                let (since, later) = lines::times_of_condition(condition);
                let versions =
                    if condition.deleted { records.deleted(since, None) } else { records.versions(since, later) };
                self.deliver(&Subject::Condition(condition), versions, out);
            }
        }
    }

    /// Writes those versions of a resource that are looked at.
    fn deliver(&self, subject: &Subject<'_>, versions: Versions, out: &mut Resources) {
        let last = versions.iter().rposition(Option::is_some);
        let deleted = last.and_then(|last| versions[last]).is_some_and(|version| version.deleted);
        for (at, version) in versions.iter().enumerate() {
            let Some(version) = version else { continue };
            let wanted = match self.known {
                Known::YearEnd => Some(at) == last,
                Known::Day(day) => version.delivered == day,
            };
            if wanted {
                let before = at.checked_sub(1).and_then(|before| versions[before]);
                self.put(subject, version, before.as_ref(), out);
            } else if self.known == Known::YearEnd && (version.misfiled || deleted) {
                // What the last version moves or deletes lands in the year as well, and later.
                let mut line = Vec::new();
                self.lines().write(subject, version, &mut line);
                out.batches[Destination::Late as usize][subject.kind()].push(&line);
                count_moved(version, out);
            }
        }
    }

    fn lines(&self) -> Lines<'_> {
        Lines { world: self.world, life: &self.life, fhir: self.version }
    }

    fn delete(&self, subject: &Subject<'_>, version: &Version, out: &mut Resources) {
        let deletion =
            Deletion { resource_type: subject.resource_type(), id: self.lines().id(subject), meta: version.meta };
        write_deletion(&mut out.deletions, &deletion);
        out.deleted += 1;
        *out.faults.entry(Dirt::Deleted).or_default() += 1;
    }

    fn put(&self, subject: &Subject<'_>, version: &Version, before: Option<&Version>, out: &mut Resources) {
        let spec = &self.world.spec;
        let mut lines = self.lines();
        let kind = subject.kind();
        if version.deleted {
            return self.delete(subject, version, out);
        }
        count_moved(version, out);
        out.counts[kind] += 1;
        let clean = [&mut out.patient, &mut out.encounter, &mut out.condition];
        if spec.dirty.is_clean() {
            out.clean[kind] += 1;
            return lines.write(subject, version, clean[kind]);
        }
        let number = version.meta.version;
        let injector = FaultInjector::new(spec.seed, spec.year, &spec.dirty, lines.id(subject), number);
        let earlier = before.map(|before| {
            let mut line = Vec::new();
            lines.write(subject, before, &mut line);
            line
        });
        lines.fhir = injector.fhir(kind, self.version);
        let mut line = Vec::new();
        lines.write(subject, version, &mut line);
        injector.reencode(kind, &mut line, &mut out.faults);
        if !injector.inject(kind, &line, earlier.as_deref(), &mut out.batches, &mut out.faults) {
            out.clean[kind] += 1;
            clean[kind].extend_from_slice(&line);
        }
    }
}

fn count_moved(version: &Version, out: &mut Resources) {
    if version.misfiled {
        *out.faults.entry(Dirt::Moved).or_default() += 1;
    }
}
