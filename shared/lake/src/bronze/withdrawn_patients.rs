//! The patients that were withdrawn from a lake, known by keyed digests only: what speaks of one of them stays out when it lands
//! again.

use std::{collections::BTreeSet, fmt};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::keys;

/// Why a record of a withdrawn patient is skipped.
pub(crate) const REASON: &str = "withdrawn patient";

/// The patients that were withdrawn from a lake.
#[derive(Clone, PartialEq, Eq)]
pub struct WithdrawnPatients {
    key: Vec<u8>,
    digests: BTreeSet<String>,
}

impl WithdrawnPatients {
    /// The patients of these digests, made with the lake's key.
    pub fn new(key: Vec<u8>, digests: BTreeSet<String>) -> Self {
        WithdrawnPatients { key, digests }
    }

    /// The keyed digest of a patient's id: HMAC-SHA-256 in hex.
    pub fn digest(key: &[u8], patient: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(patient.as_bytes());
        keys::hex(&mac.finalize().into_bytes())
    }

    /// Whether the patient with this id in the lake was withdrawn.
    pub fn holds(&self, patient: &str) -> bool {
        self.digests.contains(&Self::digest(&self.key, patient))
    }

    /// Whether an unreadable record holds the id of a withdrawn patient, where a patient's id may stand.
    pub(crate) fn holds_any_in(&self, record: &str, resource_type: Option<&str>, source: Option<&str>) -> bool {
        let holds = |id: &str| match source {
            Some(source) => self.holds(&format!("{source}:{id}")),
            None => self.holds(id),
        };
        let id_at = |rest: &str| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')));
            let id = &rest[..end.unwrap_or(rest.len())];
            !id.is_empty() && holds(id)
        };
        let after = |mark: &str| record.match_indices(mark).any(|(at, _)| id_at(&record[at + mark.len()..]));
        let is_patient = resource_type.map_or_else(|| record.contains("\"Patient\""), |kind| kind == "Patient");
        let own_id = || {
            record.match_indices("\"id\"").any(|(at, mark)| {
                let value = record[at + mark.len()..].trim_start().strip_prefix(':');
                value.and_then(|value| value.trim_start().strip_prefix('"')).is_some_and(id_at)
            })
        };
        after("Patient/") || after("urn:uuid:") || is_patient && own_id()
    }

    /// Whether a cell of an unreadable row of a table is the id of a withdrawn patient.
    pub(crate) fn holds_any_cell(&self, row: &str, id_prefix: &str) -> bool {
        row.split([',', '"']).map(str::trim).any(|cell| !cell.is_empty() && self.holds(&format!("{id_prefix}{cell}")))
    }
}

impl fmt::Debug for WithdrawnPatients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WithdrawnPatients({})", self.digests.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_where_a_patients_id_may_stand_in_an_unreadable_record() {
        let key = b"key".to_vec();
        let digests = ["p1", "north:p2"].map(|id| WithdrawnPatients::digest(&key, id)).into();
        let patients = WithdrawnPatients::new(key, digests);
        assert!(patients.holds("p1") && patients.holds("north:p2") && !patients.holds("p2"));
        for (record, kind, source, held) in [
            (r#"{"resourceType":"Patient","id" : "p1","birthDate":"yest"#, None, None, true),
            (r#"{"resourceType":"Encounter","id":"p1","period":7}"#, Some("Encounter"), None, false),
            (r#"{"subject":{"reference":"https://a.example/Patient/p1/_history/2"}"#, None, None, true),
            (r#"{"subject":{"reference":"Patient/p12"}"#, None, None, false),
            (r#"{"subject":{"reference":"urn:uuid:p1"}"#, None, None, true),
            (r#"{"subject":{"reference":"Patient/p2"}"#, None, Some("north"), true),
            (r#"{"subject":{"reference":"Patient/p2"}"#, None, None, false),
        ] {
            assert_eq!(patients.holds_any_in(record, kind, source), held, "{record}");
        }
        assert!(patients.holds_any_cell("e1,\"p2\",x", "north:") && !patients.holds_any_cell("e1,p10", ""));
    }
}
