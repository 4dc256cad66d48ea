//! Batches of records with faults: where they land, and what the lake has to make of them.

use std::collections::BTreeMap;

/// Where records with faults land, apart from the clean ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Lands twice, the same bytes under two keys.
    Copies = 0,
    /// Lands days later than the rest.
    Late = 1,
    /// Has broken and foreign records among valid ones.
    Broken = 2,
}

impl Destination {
    /// All of them.
    pub const ALL: [Destination; 3] = [Destination::Copies, Destination::Late, Destination::Broken];

    /// The name, for a file's.
    pub fn name(self) -> &'static str {
        match self {
            Destination::Copies => "copies",
            Destination::Late => "late",
            Destination::Broken => "broken",
        }
    }
}

/// NDJSON of one type that lands together, with what the lake has to make of its records.
#[derive(Clone, Debug, Default)]
pub struct FaultBatch {
    /// The records.
    pub lines: Vec<u8>,
    /// How many of them are valid.
    pub accepted: u64,
    /// How many of them the quarantine must get, by rule.
    pub quarantined: BTreeMap<&'static str, u64>,
    /// How many of them are of a type that the lake does not keep.
    pub skipped: u64,
}

impl FaultBatch {
    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.accepted = 0;
        self.quarantined.clear();
        self.skipped = 0;
    }

    /// Adds a valid record.
    pub(super) fn push(&mut self, line: &[u8]) {
        self.lines.extend_from_slice(line);
        self.accepted += 1;
    }
}
