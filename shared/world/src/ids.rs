//! Ids: deterministic, in the shape of UUIDs (version 8), made from the seed, the year and what they identify.
//!
//! Another year or another seed is another population, so no id of one appears in the other.

use metriccare_fhir::write::Id;

/// What an id identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    Organization = 1,
    Location = 2,
    Practitioner = 3,
    Patient = 4,
    Encounter = 5,
    Condition = 6,
    Registry = 8,
    Report = 9,
    EnteredInError = 10,
    Overlap = 11,
    DeletedEncounter = 12,
    DeletedCondition = 13,
}

/// Makes the ids of one world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    keys: [u64; 2],
}

impl Ids {
    /// The ids of the world with this seed and year.
    pub(crate) fn new(seed: u64, year: i32) -> Ids {
        let year = u64::from(year.unsigned_abs());
        Ids { keys: [mix(mix(seed) ^ year), mix(mix(seed ^ 0x6d65_7472_6963_6361) ^ (year << 32))] }
    }

    /// The id of the `ordinal`-th encounter of a patient.
    pub(crate) fn encounter(&self, patient: u64, ordinal: usize) -> Id {
        self.id(IdKind::Encounter, patient, ordinal as u32)
    }

    /// The id of the `ordinal`-th thing of a kind that belongs to a subject.
    pub(crate) fn id(&self, kind: IdKind, subject: u64, ordinal: u32) -> Id {
        let tag = (u64::from(ordinal) << 8) | kind as u64;
        let high = mix(mix(self.keys[0] ^ subject) ^ tag);
        let low = mix(mix(self.keys[1] ^ tag) ^ subject);
        let bits = (u128::from(high) << 64) | u128::from(low);
        Id(uuid::Builder::from_custom_bytes(bits.to_be_bytes()).into_uuid().as_u128())
    }
}

/// SplitMix64's finaliser: a bijection that spreads every bit over all others.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_by_kind_subject_ordinal_year_and_seed() {
        let ids = Ids::new(42, 2025);
        let mut all = std::collections::BTreeSet::new();
        for kind in [IdKind::Patient, IdKind::Encounter, IdKind::Condition] {
            for subject in 0..100 {
                for ordinal in 0..20 {
                    all.insert(ids.id(kind, subject, ordinal));
                    all.insert(Ids::new(42, 2026).id(kind, subject, ordinal));
                    all.insert(Ids::new(43, 2025).id(kind, subject, ordinal));
                }
            }
        }
        assert_eq!(all.len(), 18_000);
        assert_eq!(ids.id(IdKind::Patient, 0, 0).to_string().as_bytes()[14], b'8');
    }
}
