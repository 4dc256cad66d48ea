//! A stay and the verdicts on it, as a row of the stay ledger has them.

use super::verdict::{DeathRecord, Evidence, WINDOW};
use metriccare_fhir::calendar::{Month, date_of};

/// A stay and the verdicts on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay<'a> {
    /// The row of the encounter.
    pub(super) encounter: u32,
    pub(super) admission: i64,
    pub(super) discharge: i64,
    pub(super) evidence: Evidence<'a>,
    /// What the linked death conditions say.
    pub(super) death: DeathRecord,
    pub(super) died_30d: bool,
    /// The next stay's place in the ledger, and the days to it.
    pub(super) next: Option<(u32, i64)>,
    pub(super) index_status: &'static str,
    pub(super) hwr_status: &'static str,
    pub(super) readmitted: bool,
    /// Whether a transfer brought the patient here, so that the first hospital carries the 30-day outcome.
    pub(super) after_transfer: bool,
    /// Hospital-onset infections.
    pub(super) infections: i64,
}

impl Stay<'_> {
    /// The month of discharge.
    pub(super) fn month(&self) -> Month {
        Month::of(date_of(self.discharge))
    }

    /// Whether the patient came back within 30 days, planned or not.
    pub(super) fn naive_readmitted(&self) -> bool {
        self.next.is_some_and(|(_, days)| days <= WINDOW)
    }
}
