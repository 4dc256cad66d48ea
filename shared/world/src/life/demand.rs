//! What an exact total or share demands of each patient.
//!
//! Without one, nothing: a patient depends on seed, year and index alone. With one, a keyed permutation gives every
//! patient a place in the population, and places decide: the first n places are the n patients asked for. That needs
//! no list and no pass over the others, so shards stay independent.

use crate::spec::Spec;

/// Whether something must, must not, or may happen to a patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Need {
    /// As it comes.
    #[default]
    Free,
    /// It has to.
    Must,
    /// It may not.
    Never,
}

/// What is demanded of one patient.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    /// A completed stay.
    pub(crate) stay: Need,
    /// Death in hospital.
    pub(crate) death: Need,
    /// A hospital-onset infection.
    pub(crate) infection: Need,
    /// A naive readmission.
    pub(crate) readmission: Need,
    /// The exact number of encounters.
    pub(crate) encounters: Option<u64>,
    /// The frailty, where it has to fit the number of encounters.
    pub(crate) frailty: Option<f64>,
}

/// Knows what is demanded of every patient.
#[derive(Clone, Debug)]
pub(crate) struct Population {}

impl Population {
    pub(crate) fn new(_spec: &Spec) -> Population {
        Population {}
    }

    /// What is demanded of patient `index`.
    pub(crate) fn demand(&self, _index: u64) -> Demand {
        Demand::default()
    }
}
