//! One patient's year, as an event log: who they are, what they have, and every contact with a hospital.
//!
//! The log is the truth that all views and the answer key are made from. It knows what happens after the year's end
//! too (when an open stay will end); a view shows what is known at its own point in time. Nothing happens after death,
//! stays do not overlap, and other visits keep clear of stays.

mod chronic;
mod conditions;
mod demand;
mod infections;
mod person;
mod stay;
mod stays;
#[cfg(test)]
mod tests;
mod visits;

pub(crate) use demand::{Cohorts, Population, normal_quantile};
pub use infections::Infection;
pub use person::{Language, Person};

use metriccare_fhir::write::{AdmitSource, Date, Diagnosis, Disposition, EncounterClass, Id, Instant, Priority};

use crate::directory::Department;
use crate::ids::Kind;
use crate::world::World;

/// The time in one department.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The department.
    pub department: Department,
    /// The beginning.
    pub start: Instant,
    /// The end.
    pub end: Instant,
}

/// Days with a device, counted once a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceDays {
    /// With a central line.
    pub line: u16,
    /// With a urinary catheter.
    pub catheter: u16,
    /// On a ventilator.
    pub ventilator: u16,
}

/// The most departments that one encounter passes through.
pub(crate) const LONGEST_PATH: usize = 3;

/// One contact with a hospital.
#[derive(Clone, Copy, Debug)]
pub struct Encounter {
    /// The logical id.
    pub id: Id,
    /// The kind.
    pub class: EncounterClass,
    /// The hospital's index in the directory.
    pub hospital: u16,
    /// The attending clinician's index in the directory.
    pub clinician: u32,
    /// When it began.
    pub start: Instant,
    /// When it ended, or will end.
    pub end: Instant,
    path: [Segment; LONGEST_PATH],
    path_len: u8,
    /// Why the patient came.
    pub reason: Diagnosis<'static>,
    /// How urgent it was; stays only.
    pub priority: Option<Priority>,
    /// Where the patient came from; stays only.
    pub admit_source: Option<AdmitSource>,
    /// Where the patient went, or will go.
    pub disposition: Option<Disposition>,
    /// The index of the diagnosis-related group; stays only.
    pub(crate) drg: Option<u16>,
    /// The index of the reason in the table of stays; stays only.
    pub(crate) cause: Option<u16>,
    /// Days with devices; stays only.
    pub devices: DeviceDays,
    /// Whether the visit leaves a condition behind that goes away; visits without a bed only.
    pub(crate) acute: bool,
    /// Whether it never was, and its last version says so.
    pub(crate) annulled: bool,
}

impl Encounter {
    /// The departments that it passed through, in order.
    pub fn path(&self) -> &[Segment] {
        &self.path[..usize::from(self.path_len)]
    }

    /// Makes its first department the only one, for the whole time.
    pub(crate) fn keep_to_one_department(&mut self, start: Instant, end: Instant) {
        self.path[0] = Segment { department: self.path[0].department, start, end };
        self.path_len = 1;
    }

    /// Whether it is a stay in a hospital bed.
    pub fn is_stay(&self) -> bool {
        self.class == EncounterClass::Inpatient
    }

    /// The part of the path that is known on the day of admission: its last department then.
    pub(crate) fn placement(&self) -> Segment {
        let date = self.start.date();
        let known = self.path().iter().rev().find(|segment| segment.start.date() == date);
        *known.unwrap_or(&self.path[0])
    }
}

/// What a recorded condition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionKind {
    /// A chronic condition on the problem list.
    Chronic,
    /// Something the patient had years ago.
    Historical,
    /// The diagnosis of an encounter.
    Acute,
    /// An infection in hospital, or brought to it.
    Infection(Infection),
}

/// A recorded condition.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// The logical id.
    pub id: Id,
    /// What it is.
    pub kind: ConditionKind,
    /// Its codes.
    pub diagnosis: Diagnosis<'static>,
    /// The index of the encounter in which it was recorded.
    pub encounter: Option<u32>,
    /// When it began.
    pub onset: Instant,
    /// When it was recorded.
    pub recorded: Instant,
    /// When it ended, or will end.
    pub abated: Option<Instant>,
    /// Whether it turned out not to be.
    pub refuted: bool,
}

/// An infection found in a stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) stay: Id,
    pub(crate) infection: Infection,
    pub(crate) onset: Instant,
    pub(crate) refuted: bool,
}

/// One patient's year.
#[derive(Clone, Debug)]
pub struct Life {
    /// Who the patient is.
    pub person: Person,
    /// The chronic conditions, as a bit for each row of the table.
    pub(crate) chronic: u32,
    /// All contacts, by beginning.
    pub encounters: Vec<Encounter>,
    /// All conditions, by recording.
    pub conditions: Vec<Condition>,
    /// When the patient died, or will die within the reach of the simulation.
    pub death: Option<Instant>,
    /// When the hospital first knew the patient in this year.
    pub registered: Instant,
    /// How many chronic conditions the patient has.
    pub chronic_count: u32,
    pub(crate) infections: Vec<Found>,
}

impl Life {
    /// An empty log, to simulate into.
    pub fn new() -> Life {
        Life {
            person: Person::nobody(),
            chronic: 0,
            encounters: Vec::new(),
            conditions: Vec::new(),
            death: None,
            registered: Instant(0),
            chronic_count: 0,
            infections: Vec::new(),
        }
    }

    /// Whether an interval touches a stay.
    fn in_hospital(&self, start: Instant, end: Instant) -> bool {
        self.encounters.iter().any(|e| e.is_stay() && start.0 <= e.end.0 && end.0 >= e.start.0)
    }
}

impl Default for Life {
    fn default() -> Life {
        Life::new()
    }
}

/// Simulates a patient's year into `life`.
pub(crate) fn simulate(world: &World, index: u64, life: &mut Life) {
    life.encounters.clear();
    life.conditions.clear();
    life.infections.clear();
    life.death = None;
    let demand = world.population.demand(index);
    life.person = person::draw(world, index, &demand);
    (life.chronic, life.chronic_count) = chronic::draw(world, &life.person);
    stays::simulate(world, life, &demand);
    visits::simulate(world, life, &demand);
    life.encounters.sort_by_key(|e| (e.start, e.end, e.id));
    let first = life.encounters.first().map(|e| e.start);
    let year_start = world.calendar.first().midnight();
    // A minute before the first contact, on the same day; in January where there is none.
    life.registered = match first {
        Some(start) => Instant((start.0 - 60).max(start.date().midnight().0)),
        None => {
            let time = Instant(year_start.0 + 9 * 3_600 + (index % 20) as i64 * 86_400);
            if life.death.is_some_and(|death| death < time) { Instant(year_start.0 + 9 * 3_600) } else { time }
        }
    };
    conditions::record(world, life);
}

/// The id of the `ordinal`-th encounter of a patient.
fn encounter_id(world: &World, index: u64, ordinal: usize) -> Id {
    world.ids.id(Kind::Encounter, index, ordinal as u32)
}

/// The age in whole years on a date.
pub(crate) fn age_on(birth: Date, date: Date) -> i32 {
    let ((by, bm, bd), (y, m, d)) = (birth.ymd(), date.ymd());
    y - by - i32::from((m, d) < (bm, bd))
}
