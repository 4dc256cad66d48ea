//! A contact with a hospital, and the departments that it passed through.

use metriccare_fhir::write::{AdmitSource, Diagnosis, Disposition, EncounterClass, Id, Instant, Priority};

use crate::department::Department;
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
    pub(super) path: [Segment; LONGEST_PATH],
    pub(super) path_len: u8,
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
    /// Whether it was entered in error, and its last version says so.
    pub(crate) annulled: bool,
    /// The index of the patient under whom it was filed first, where that was not its own.
    pub(crate) filed_under: Option<u64>,
    /// Whether it was entered by mistake and is deleted in the end.
    pub(crate) deleted: bool,
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

    /// The diagnosis-related group of a stay, and the relative weight that scales its cost.
    pub fn drg(&self, world: &World) -> Option<(&'static str, f64)> {
        self.drg.map(|at| &world.tables.drgs[usize::from(at)]).map(|drg| (drg.code, drg.weight))
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
