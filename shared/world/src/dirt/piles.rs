//! Dirt in how records are written and delivered: lines that are changed, copied, broken, or land elsewhere.
//!
//! What is struck leaves the clean pile for one of the side piles, each of which lands as objects of its own; there a
//! broken copy follows its good record. Every version of a resource has a stream of its own, so neither the order of
//! records nor the point of view changes what strikes it.

use std::collections::BTreeMap;

use metriccare_fhir::write::{FhirVersion, Id};

use super::{Becomes, Dial, Dirt, edit};
use crate::ids::mix;
use crate::stream::{Purpose, Stream};

/// A pile beside the clean one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Lands twice, the same bytes under two keys.
    Copies = 0,
    /// Lands days later than the rest.
    Late = 1,
    /// Has broken and foreign records among good ones.
    Broken = 2,
}

impl Side {
    /// All side piles.
    pub const ALL: [Side; 3] = [Side::Copies, Side::Late, Side::Broken];

    /// The name, for a file's.
    pub fn name(self) -> &'static str {
        match self {
            Side::Copies => "copies",
            Side::Late => "late",
            Side::Broken => "broken",
        }
    }
}

/// NDJSON of one type that lands together, with what has to become of its records.
#[derive(Clone, Debug, Default)]
pub struct Pile {
    /// The records.
    pub lines: Vec<u8>,
    /// How many of them are good.
    pub accepted: u64,
    /// How many of them the quarantine must get, by rule.
    pub quarantined: BTreeMap<&'static str, u64>,
    /// How many of them are of a type that the lake does not keep.
    pub skipped: u64,
}

impl Pile {
    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.accepted = 0;
        self.quarantined.clear();
        self.skipped = 0;
    }

    /// Adds a good record.
    pub(crate) fn push(&mut self, line: &[u8]) {
        self.lines.extend_from_slice(line);
        self.accepted += 1;
    }
}

/// The offsets of clocks that are not set to UTC, in minutes.
const OFFSETS: [i64; 4] = [-300, -240, 60, 330];

/// What strikes one version of a resource.
pub(crate) struct Soiler {
    id: Id,
    struck: [bool; Dirt::ALL.len()],
    offset: i64,
}

impl Soiler {
    /// Draws what strikes a version.
    pub(crate) fn new(seed: u64, year: i32, dial: &Dial, id: Id, version: u32) -> Soiler {
        let subject = mix(id.0 as u64 ^ u64::from(version));
        let mut stream = Stream::new(seed, year, subject, Purpose::DirtyRecord);
        let struck = Dirt::ALL.map(|dirt| stream.chance(dial.rate(dirt)));
        Soiler { id, struck, offset: OFFSETS[stream.below(OFFSETS.len() as u32) as usize] }
    }

    fn strikes(&self, dirt: Dirt) -> bool {
        self.struck[dirt as usize]
    }

    /// The FHIR version to write a record of this type in; patients and conditions look the same in both.
    pub(crate) fn fhir(&self, kind: usize, asked: FhirVersion) -> FhirVersion {
        match asked {
            asked if kind != 1 || !self.strikes(Dirt::MixedVersions) => asked,
            FhirVersion::R4 => FhirVersion::R5,
            FhirVersion::R5 => FhirVersion::R4,
        }
    }

    /// Writes the record another way that means the same.
    pub(crate) fn respell(&self, kind: usize, line: &mut Vec<u8>, faults: &mut BTreeMap<Dirt, u64>) {
        if kind == 1 && self.strikes(Dirt::MixedVersions) {
            *faults.entry(Dirt::MixedVersions).or_default() += 1;
        }
        if self.strikes(Dirt::Offsets) {
            edit::offset(line, self.offset);
            *faults.entry(Dirt::Offsets).or_default() += 1;
        }
        if kind == 1 && self.strikes(Dirt::BareCodes) && edit::bare_code(line) {
            *faults.entry(Dirt::BareCodes).or_default() += 1;
        }
    }

    /// Puts the record on its piles, with the version `before` it where there is one; false where the clean pile is
    /// still to get it.
    pub(crate) fn deal(
        &self,
        kind: usize,
        line: &[u8],
        before: Option<&[u8]>,
        sides: &mut [[Pile; 3]; 3],
        faults: &mut BTreeMap<Dirt, u64>,
    ) -> bool {
        let mut count = |dirt| *faults.entry(dirt).or_default() += 1;
        let broken = Dirt::ALL.into_iter().find(|&dirt| match dirt.becomes() {
            Becomes::Quarantined(_) | Becomes::Skipped => self.strikes(dirt),
            Becomes::Accepted | Becomes::MergedAway => false,
        });
        let home = if broken.is_some() {
            Some(Side::Broken)
        } else if self.strikes(Dirt::Duplicates) {
            count(Dirt::Duplicates);
            Some(Side::Copies)
        } else if self.strikes(Dirt::Late) {
            count(Dirt::Late);
            Some(Side::Late)
        } else {
            None
        };
        if let Some(side) = home {
            sides[side as usize][kind].push(line);
        }
        if let Some(dirt) = broken {
            count(dirt);
            let pile = &mut sides[Side::Broken as usize][kind];
            match dirt.becomes() {
                Becomes::Quarantined(rule) => {
                    pile.lines.extend_from_slice(&spoil(dirt, kind, line));
                    *pile.quarantined.entry(rule).or_default() += 1;
                }
                _ => {
                    let id = self.id;
                    let words = r#""status":"final","code":{"text":"Body temperature"}"#;
                    pile.lines.extend_from_slice(
                        format!("{{\"resourceType\":\"Observation\",\"id\":\"{id}\",{words}}}\n").as_bytes(),
                    );
                    pile.skipped += 1;
                }
            }
        }
        if self.strikes(Dirt::Replays) {
            count(Dirt::Replays);
            sides[Side::Late as usize][kind].push(line);
        }
        if let (true, Some(before)) = (self.strikes(Dirt::OutOfOrder), before) {
            count(Dirt::OutOfOrder);
            sides[Side::Late as usize][kind].push(before);
        }
        home.is_some()
    }
}

/// A broken copy of a record.
fn spoil(dirt: Dirt, kind: usize, line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    match dirt {
        Dirt::WrongTypes => edit::wrong_type(&mut line, kind),
        Dirt::BadValues => edit::bad_value(&mut line),
        Dirt::MissingIds => edit::no_id(&mut line),
        _ => edit::truncate(&mut line),
    }
    line
}
