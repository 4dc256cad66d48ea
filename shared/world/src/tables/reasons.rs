//! Why people come: reasons for hospital stays, and for visits without a bed.

use metriccare_fhir::write::{Diagnosis, Priority};

use super::{Chronic, Drg, diagnosis, number, rows};
use crate::calendar::Rhythm;
use crate::directory::Department;

/// What kind of stay a reason leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StayKind {
    Medical,
    Surgical,
    Colon,
    Hysterectomy,
    Delivery,
    Psychiatric,
    Chemotherapy,
    Rehabilitation,
    Dialysis,
}

impl StayKind {
    /// Whether an operation is done.
    pub(crate) fn operates(self) -> bool {
        matches!(self, StayKind::Surgical | StayKind::Colon | StayKind::Hysterectomy)
    }
}

/// A reason for a hospital stay.
#[derive(Clone, Debug)]
pub(crate) struct StayReason {
    pub(crate) diagnosis: Diagnosis<'static>,
    /// Indices into the DRG table with their shares, which add up to 1.
    pub(crate) drgs: Vec<(u16, f64)>,
    pub(crate) kind: StayKind,
    pub(crate) priority: Priority,
    /// Probabilities: through the emergency department, with intensive care, of death in the stay and within 30 days
    /// after it, of an unplanned return.
    pub(crate) emergency: f64,
    pub(crate) department: Department,
    pub(crate) intensive: f64,
    pub(crate) death: f64,
    pub(crate) death_after: f64,
    pub(crate) readmit: f64,
    /// Relative weights of primary admissions: children, 18–44, 45–64, 65–74, 75 and older.
    pub(crate) weights: [f64; 5],
    pub(crate) women_only: bool,
    pub(crate) rhythm: Rhythm,
    /// The chronic condition that makes this reason more likely.
    pub(crate) chronic: Option<u8>,
}

impl StayReason {
    /// Whether the stay is planned by its nature: an elective, or one of the kinds that are always planned.
    pub(crate) fn planned(&self) -> bool {
        self.priority == Priority::Elective
            || matches!(
                self.kind,
                StayKind::Delivery | StayKind::Chemotherapy | StayKind::Rehabilitation | StayKind::Dialysis
            )
    }
}

/// Where a visit without a bed takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Clinic,
    Virtual,
    Emergency,
    Home,
}

/// A reason for a visit without a bed.
#[derive(Clone, Debug)]
pub(crate) struct VisitReason {
    pub(crate) setting: Setting,
    pub(crate) diagnosis: Diagnosis<'static>,
    pub(crate) department: Department,
    /// Relative weights: children, adults below 65, 65 and older.
    pub(crate) weights: [f64; 3],
    /// Whether the visit leaves a condition behind that goes away.
    pub(crate) acute: bool,
}

pub(super) fn read_stays(drgs: &[Drg], chronic: &[Chronic]) -> Vec<StayReason> {
    rows(include_str!("../../data/stay_reasons.tsv"))
        .map(|row| {
            let share = |column: usize| number(row[column]) / 100.0;
            let rhythm = match (row[6], row[19]) {
                ("EL" | "R", _) => Rhythm::Planned,
                (_, "winter") => Rhythm::Winter,
                (_, "summer") => Rhythm::Summer,
                _ => Rhythm::Acute,
            };
            StayReason {
                diagnosis: diagnosis(&row[0..4]),
                drgs: row[4].split(',').map(|part| drg_share(part, drgs)).collect(),
                kind: kind(row[5]),
                priority: priority(row[6]),
                emergency: share(7),
                department: Department::named(row[8]),
                intensive: share(9),
                death: share(10),
                death_after: share(11),
                readmit: share(12),
                weights: std::array::from_fn(|band| number(row[13 + band])),
                women_only: row[18] == "f",
                rhythm,
                chronic: chronic.iter().position(|c| c.key == row[20]).map(|at| at as u8),
            }
        })
        .collect()
}

pub(super) fn read_visits() -> Vec<VisitReason> {
    rows(include_str!("../../data/visit_reasons.tsv"))
        .map(|row| VisitReason {
            setting: match row[0] {
                "clinic" => Setting::Clinic,
                "virtual" => Setting::Virtual,
                "emergency" => Setting::Emergency,
                _ => Setting::Home,
            },
            diagnosis: diagnosis(&row[1..5]),
            department: Department::named(row[5]),
            weights: std::array::from_fn(|band| number(row[6 + band])),
            acute: row[9] == "acute",
        })
        .collect()
}

fn drg_share(part: &str, drgs: &[Drg]) -> (u16, f64) {
    let (code, share) = part.split_once(':').expect("a DRG mix is code:share");
    let at = drgs.iter().position(|drg| drg.code == code).expect("every DRG of a mix is in the DRG table");
    (at as u16, number(share) / 100.0)
}

fn kind(text: &str) -> StayKind {
    match text {
        "surgical" => StayKind::Surgical,
        "colon" => StayKind::Colon,
        "hysterectomy" => StayKind::Hysterectomy,
        "delivery" => StayKind::Delivery,
        "psychiatric" => StayKind::Psychiatric,
        "chemotherapy" => StayKind::Chemotherapy,
        "rehabilitation" => StayKind::Rehabilitation,
        "dialysis" => StayKind::Dialysis,
        _ => StayKind::Medical,
    }
}

fn priority(text: &str) -> Priority {
    match text {
        "EL" => Priority::Elective,
        "UR" => Priority::Urgent,
        "R" => Priority::Routine,
        _ => Priority::Emergency,
    }
}
