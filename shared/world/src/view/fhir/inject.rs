//! Faults in how records are written and delivered: lines that are changed, copied, broken, or land elsewhere.
//!
//! A record with a fault leaves the clean records for a fault batch, which lands as objects of its own; a broken copy
//! follows its valid record there. Every version of a resource has a stream of its own, so neither the order of records
//! nor the point of view changes its faults.

use std::collections::BTreeMap;

use metriccare_fhir::write::{FhirVersion, Id};

use super::batch::{Destination, FaultBatch};
use super::edit;
use crate::dirt::{Dial, Dirt, ExpectedOutcome};
use crate::ids::mix;
use crate::stream::{Purpose, Stream};

/// The offsets of clocks that are not set to UTC, in minutes.
const OFFSETS: [i64; 4] = [-300, -240, 60, 330];

/// The faults that one version of a resource gets.
pub(super) struct FaultInjector {
    id: Id,
    chosen: [bool; Dirt::ALL.len()],
    offset: i64,
}

impl FaultInjector {
    /// Draws the faults of a version.
    pub(super) fn new(seed: u64, year: i32, dial: &Dial, id: Id, version: u32) -> FaultInjector {
        let subject = mix(id.0 as u64 ^ u64::from(version));
        let mut stream = Stream::new(seed, year, subject, Purpose::DirtyRecord);
        let of_life = |dirt| matches!(dirt, Dirt::Moved | Dirt::Deleted);
        let chosen = Dirt::ALL.map(|dirt| !of_life(dirt) && stream.chance(dial.rate(dirt)));
        FaultInjector { id, chosen, offset: OFFSETS[stream.index(OFFSETS.len() as u32) as usize] }
    }

    fn has(&self, dirt: Dirt) -> bool {
        self.chosen[dirt as usize]
    }

    /// The FHIR version to write a record of this type in; patients and conditions look the same in both.
    pub(super) fn fhir(&self, kind: usize, asked: FhirVersion) -> FhirVersion {
        match asked {
            asked if kind != 1 || !self.has(Dirt::MixedVersions) => asked,
            FhirVersion::R4 => FhirVersion::R5,
            FhirVersion::R5 => FhirVersion::R4,
        }
    }

    /// Encodes the record in another way that means the same.
    pub(super) fn reencode(&self, kind: usize, line: &mut Vec<u8>, faults: &mut BTreeMap<Dirt, u64>) {
        if kind == 1 && self.has(Dirt::MixedVersions) {
            *faults.entry(Dirt::MixedVersions).or_default() += 1;
        }
        if self.has(Dirt::Offsets) {
            edit::offset(line, self.offset);
            *faults.entry(Dirt::Offsets).or_default() += 1;
        }
        if kind == 1 && self.has(Dirt::BareCodes) && edit::bare_code(line) {
            *faults.entry(Dirt::BareCodes).or_default() += 1;
        }
    }

    /// Adds the record to its fault batches, with the version `before` it where there is one; false where it has to be
    /// added to the clean records as well.
    pub(super) fn inject(
        &self,
        kind: usize,
        line: &[u8],
        before: Option<&[u8]>,
        batches: &mut [[FaultBatch; 3]; 3],
        faults: &mut BTreeMap<Dirt, u64>,
    ) -> bool {
        let mut count = |dirt| *faults.entry(dirt).or_default() += 1;
        let broken = Dirt::ALL.into_iter().find(|&dirt| match dirt.expected_outcome() {
            ExpectedOutcome::Quarantined(_) | ExpectedOutcome::Skipped => self.has(dirt),
            ExpectedOutcome::Accepted | ExpectedOutcome::MergedAway | ExpectedOutcome::Deleted => false,
        });
        let home = if broken.is_some() {
            Some(Destination::Broken)
        } else if self.has(Dirt::Duplicates) {
            count(Dirt::Duplicates);
            Some(Destination::Copies)
        } else if self.has(Dirt::Late) {
            count(Dirt::Late);
            Some(Destination::Late)
        } else {
            None
        };
        if let Some(destination) = home {
            batches[destination as usize][kind].push(line);
        }
        if let Some(dirt) = broken {
            count(dirt);
            let batch = &mut batches[Destination::Broken as usize][kind];
            match dirt.expected_outcome() {
                ExpectedOutcome::Quarantined(rule) => {
                    batch.lines.extend_from_slice(&broken_copy(dirt, kind, line));
                    *batch.quarantined.entry(rule).or_default() += 1;
                }
                _ => {
                    let id = self.id;
                    let rest = r#""status":"final","code":{"text":"Body temperature"}"#;
                    batch.lines.extend_from_slice(
                        format!("{{\"resourceType\":\"Observation\",\"id\":\"{id}\",{rest}}}\n").as_bytes(),
                    );
                    batch.skipped += 1;
                }
            }
        }
        if self.has(Dirt::Replays) {
            count(Dirt::Replays);
            batches[Destination::Late as usize][kind].push(line);
        }
        if let (true, Some(before)) = (self.has(Dirt::OutOfOrder), before) {
            count(Dirt::OutOfOrder);
            batches[Destination::Late as usize][kind].push(before);
        }
        home.is_some()
    }
}

/// A broken copy of a record.
fn broken_copy(dirt: Dirt, kind: usize, line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    match dirt {
        Dirt::WrongTypes => edit::wrong_type(&mut line, kind),
        Dirt::BadValues => edit::bad_value(&mut line),
        Dirt::MissingIds => edit::no_id(&mut line),
        _ => edit::truncate(&mut line),
    }
    line
}
