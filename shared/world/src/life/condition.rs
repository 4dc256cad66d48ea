//! A recorded condition, and an infection that a stay has.

use metriccare_fhir::write::{Diagnosis, Id, Instant};

use super::infection::Infection;

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
    /// Whether it was entered by mistake and is deleted in the end.
    pub(crate) deleted: bool,
}

/// An infection found in a stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundInfection {
    pub(crate) stay: Id,
    pub(crate) infection: Infection,
    pub(crate) onset: Instant,
    pub(crate) refuted: bool,
}
