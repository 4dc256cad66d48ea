//! The lines that a FHIR writer makes, by resource type.

use std::collections::BTreeMap;

use super::batch::FaultBatch;
use crate::dirt::Dirt;

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
    /// How many lines of these types are above; the rest is in the fault batches.
    pub clean: [u64; 3],
    /// What lands apart from the rest since it has faults, by [`Destination`](crate::Destination) and type.
    pub batches: [[FaultBatch; 3]; 3],
    /// Entries of a history Bundle, one a line, that say which resources are deleted.
    pub deletions: Vec<u8>,
    /// How many entries these are.
    pub deleted: u64,
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
        self.batches.iter_mut().flatten().for_each(FaultBatch::clear);
        self.deletions.clear();
        self.deleted = 0;
        self.faults.clear();
    }
}
