//! Adds one patient's life to a key: what is known of it at the year's end.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_fhir::write::{Date, EncounterClass, Id, Instant};

use super::causes::cohort_of;
use super::{Answers, Month};
use crate::life::{Infection, Life};
use crate::rules::{Stay, age_band, between, department, hospital_onset, infection, judge, planned};
use crate::world::World;

/// The definitions of readmission, in the order of their numbers.
pub(super) const READMISSION: [&str; 3] = ["naive", "all_payer_unplanned", "hwr_65plus"];

/// The definitions of mortality, in the order of their numbers.
pub(super) const MORTALITY: [&str; 2] = ["in_hospital", "30_day"];

/// The dimensions of the demographics, in the order of their numbers.
pub(super) const DIMENSIONS: [&str; 4] = ["gender", "age_band", "language", "state"];

/// What a cohort counts of a stay.
#[derive(Clone, Copy)]
struct CohortVerdict {
    /// Whether it is an index stay of hwr_65plus.
    index: bool,
    /// Whether the patient returned unplanned within 30 days.
    returned: bool,
    /// Whether the patient was transferred in, so that the first hospital carries the outcome.
    moved: bool,
    /// Whether the patient died within 30 days of admission.
    died_30d: bool,
}

impl Answers {
    /// Adds what is known of a life at the year's end.
    pub fn add(&mut self, world: &World, life: &Life) {
        let now = world.year.end();
        if life.registered >= now {
            return;
        }
        let death = life.death.filter(|&death| death < now);
        self.totals.patients += 1;
        for encounter in life.encounters.iter().filter(|e| e.start < now && !e.deleted) {
            let (start, end) = (encounter.start.date(), encounter.end.date());
            let completed = encounter.end < now;
            // What is open is known as it was placed on its first day.
            let unit = if completed { department(encounter.path()) } else { encounter.placement().department as u8 };
            self.totals.encounters += 1;
            if encounter.annulled {
                continue;
            }
            self.last_date = self.last_date.max(Some(if completed { end.0.max(start.0) } else { start.0 }));
            let load = self.loads.entry((encounter.hospital, unit, month(start))).or_default();
            load.encounters += 1;
            load.emergency += i64::from(encounter.class == EncounterClass::Emergency);
            load.inpatient += i64::from(encounter.is_stay());
            if completed {
                load.micros += encounter.end.0 - encounter.start.0;
            }
            match (encounter.is_stay(), completed) {
                (true, true) if start < end => {
                    *self.census.entry((encounter.hospital, unit, start.0)).or_default() += 1;
                    *self.census.entry((encounter.hospital, unit, end.0)).or_default() -= 1;
                }
                (true, false) => *self.open.entry((encounter.hospital, unit, start.0)).or_default() += 1,
                _ => {}
            }
        }
        self.stays(life, now, death);
        self.infections(life, now);
        self.totals.conditions += life.conditions.iter().filter(|c| c.recorded < now && !c.deleted).count() as i64;
    }

    /// Adds of a life only what the rows of gold/infection are made of: infections and patient-days.
    pub(crate) fn add_infections(&mut self, world: &World, life: &Life) {
        let now = world.year.end();
        let mut stays = false;
        for encounter in life.encounters.iter().filter(|e| e.start < now && !e.deleted) {
            let (start, end) = (encounter.start.date(), encounter.end.date());
            let completed = encounter.end < now;
            self.last_date = self.last_date.max(Some(if completed { end.0.max(start.0) } else { start.0 }));
            stays |= encounter.is_stay();
            // Departments make no difference here.
            match (encounter.is_stay(), completed) {
                (true, true) if start < end => {
                    *self.census.entry((encounter.hospital, 0, start.0)).or_default() += 1;
                    *self.census.entry((encounter.hospital, 0, end.0)).or_default() -= 1;
                }
                (true, false) => *self.open.entry((encounter.hospital, 0, start.0)).or_default() += 1,
                _ => {}
            }
        }
        if stays {
            self.infections(life, now);
        }
    }

    fn stays(&mut self, life: &Life, now: Instant, death: Option<Instant>) {
        let mut completed: Vec<_> =
            life.encounters.iter().filter(|e| e.is_stay() && !e.annulled && !e.deleted && e.end < now).collect();
        if completed.is_empty() {
            return;
        }
        completed.sort_by_key(|e| (e.start, e.end, e.id));
        let stays = judge(&completed, life.person.birth, death);
        let moved_here: BTreeSet<usize> =
            stays.iter().filter(|s| s.status == "transferred").filter_map(|s| s.next.map(|(next, _)| next)).collect();
        let mut seen: BTreeSet<(u8, String, Month)> = BTreeSet::new();
        for (i, stay) in stays.iter().enumerate() {
            let (hospital, left) = (stay.encounter.hospital, month(stay.encounter.end.date()));
            let came = stay.encounter.start.date();
            let soon = stay.next.filter(|&(_, days)| days <= 30);
            let unplanned = soon.is_some_and(|(next, _)| !planned(&stays[next]));
            let index = stay.status == "index";
            let verdicts = [(true, soon.is_some()), (index, unplanned), (stay.hwr == "index", unplanned)];
            for (definition, (counts, returned)) in verdicts.into_iter().enumerate() {
                if counts {
                    let share = self.readmission.entry((hospital, left, definition as u8)).or_default();
                    share.of += 1;
                    share.events += i64::from(returned);
                }
            }
            let died_30d = death.is_some_and(|death| (0..=30).contains(&between(came, death.date())));
            let verdict = CohortVerdict {
                index: stay.hwr == "index",
                returned: unplanned,
                moved: moved_here.contains(&i),
                died_30d,
            };
            self.cohort(life, stay, left, verdict);
            let share = self.mortality.entry((hospital, left, 0)).or_default();
            share.of += 1;
            share.events += i64::from(stay.died);
            if !moved_here.contains(&i) {
                let share = self.mortality.entry((hospital, month(came), 1)).or_default();
                share.of += 1;
                share.events += i64::from(died_30d);
            }
            let unit = department(stay.encounter.path());
            *self.lengths.entry((hospital, unit, left)).or_default().entry(stay.days).or_default() += 1;
            self.totals.stays += 1;
            self.groups(life, stay, left, index && unplanned, &mut seen);
        }
    }

    /// Counts a stay in its cohort; a row exists where one of its counts is not 0.
    fn cohort(&mut self, life: &Life, stay: &Stay<'_>, left: Month, verdict: CohortVerdict) {
        let Some(cohort) = cohort_of(stay.code) else { return };
        let old = stay.encounter.start.date().years_since(life.person.birth) >= 65;
        if !old || (verdict.moved && !verdict.index) {
            return;
        }
        let counts = self.cohorts.entry((stay.encounter.hospital, left, cohort)).or_default();
        if verdict.index {
            counts.readmission.of += 1;
            counts.readmission.events += i64::from(verdict.returned);
        }
        if !verdict.moved {
            counts.mortality.of += 1;
            counts.mortality.events += i64::from(verdict.died_30d);
        }
    }

    fn groups(
        &mut self,
        life: &Life,
        stay: &Stay<'_>,
        left: Month,
        readmitted: bool,
        seen: &mut BTreeSet<(u8, String, Month)>,
    ) {
        let person = &life.person;
        let age = stay.encounter.start.date().years_since(person.birth);
        let values = [person.gender.code().code, age_band(age), person.language.name, person.state];
        for (dimension, value) in values.into_iter().enumerate() {
            let key = (dimension as u8, value.to_owned(), left);
            let group = self.groups.entry(key.clone()).or_default();
            group.stays += 1;
            group.index += i64::from(stay.status == "index");
            group.readmissions += i64::from(readmitted);
            group.deaths += i64::from(stay.died);
            group.patients += i64::from(seen.insert(key));
        }
    }

    fn infections(&mut self, life: &Life, now: Instant) {
        let mut earliest: BTreeMap<(u32, Infection), (Instant, Id)> = BTreeMap::new();
        for condition in life.conditions.iter().filter(|c| c.recorded < now && !c.deleted) {
            let (Some(kind), Some(at)) = (infection(condition), condition.encounter) else { continue };
            let encounter = &life.encounters[at as usize];
            if !encounter.is_stay() {
                continue;
            }
            let found = (condition.onset, condition.id);
            earliest.entry((at, kind)).and_modify(|known| *known = (*known).min(found)).or_insert(found);
        }
        for ((at, kind), (onset, _)) in earliest {
            let encounter = &life.encounters[at as usize];
            let (came, onset) = (encounter.start.date(), onset.date());
            if encounter.end < now && onset.0 > encounter.end.date().0 + 1 {
                continue;
            }
            let acquired = hospital_onset(kind, between(came, onset));
            let when = month(if acquired { onset } else { came });
            let counts = self.infections.entry((encounter.hospital, when, kind as u8)).or_default();
            counts.0 += i64::from(acquired);
            counts.1 += i64::from(!acquired);
        }
    }
}

/// The month of a date.
pub(super) fn month(date: Date) -> Month {
    let (year, month, _) = date.ymd();
    year * 12 + month as i32 - 1
}
