//! The event log of one patient's year.

use metriccare_fhir::write::Instant;

use super::condition::{Condition, FoundInfection};
use super::encounter::Encounter;
use super::person::Person;

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
    pub(crate) infections: Vec<FoundInfection>,
}

impl Life {
    /// An empty log, to simulate into.
    pub fn new() -> Life {
        Life {
            person: Person::placeholder(),
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
    pub(super) fn in_hospital(&self, start: Instant, end: Instant) -> bool {
        self.encounters.iter().any(|e| e.is_stay() && start.0 <= e.end.0 && end.0 >= e.start.0)
    }
}

impl Default for Life {
    fn default() -> Life {
        Life::new()
    }
}
