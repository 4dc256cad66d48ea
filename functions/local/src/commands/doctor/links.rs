//! What files do not link, and ids that seem to come from two servers.
//!
//! Servers number their resources alike. One that is named by an absolute reference gives itself away; two that are not, by an
//! encounter id with two patients and two admissions, which no correction changes together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow_array::{Array, RecordBatch, cast::AsArray, types::TimestampMicrosecondType};
use bytes::Bytes;
use metriccare_lake::{
    schema::{BRONZE_CONDITION, BRONZE_ENCOUNTER, BRONZE_PATIENT, Table},
    table_file,
};
use serde::Serialize;

use crate::output::{counted, failure::Failure};

/// Ids that an example names.
const EXAMPLES: usize = 3;

/// Resources by what they refer to, over all files.
#[derive(Debug, Default)]
pub(crate) struct Links {
    patients: HashSet<String>,
    /// Encounters of each patient.
    encounters: HashMap<String, u64>,
    encounters_without_patient: u64,
    conditions_without_encounter: u64,
    /// The first patient and admission of each encounter.
    first: HashMap<String, (Option<String>, Option<i64>)>,
    /// The servers that refer to a patient's id.
    servers: HashMap<String, String>,
    /// Ids that seem to be of two servers.
    clashes: BTreeSet<String>,
}

/// What is not linked, counted.
#[derive(Debug, Serialize)]
pub(crate) struct LinkReport {
    pub(super) encounters_without_patient: u64,
    pub(super) encounters_with_unknown_patient: u64,
    pub(super) conditions_without_encounter: u64,
    /// Ids that seem to come from two servers.
    pub(super) ids_of_two_servers: BTreeSet<String>,
}

impl Links {
    /// Takes in a bronze file of a table.
    pub(crate) fn add(&mut self, table: &str, bytes: &Bytes) -> Result<(), Failure> {
        if table == BRONZE_PATIENT.path {
            let rows = read(&BRONZE_PATIENT, bytes, &["patient_id"])?;
            self.patients.extend(texts(&rows, 0).flatten().map(str::to_owned));
        } else if table == BRONZE_ENCOUNTER.path {
            self.encounters(&read(
                &BRONZE_ENCOUNTER,
                bytes,
                &["encounter_id", "patient_id", "patient_ref", "admission_time"],
            )?);
        } else if table == BRONZE_CONDITION.path {
            let rows = read(&BRONZE_CONDITION, bytes, &["encounter_id"])?;
            self.conditions_without_encounter += texts(&rows, 0).filter(Option::is_none).count() as u64;
        }
        Ok(())
    }

    fn encounters(&mut self, rows: &RecordBatch) {
        let times = rows.column(3).as_primitive::<TimestampMicrosecondType>();
        for (at, ((id, patient), reference)) in texts(rows, 0).zip(texts(rows, 1)).zip(texts(rows, 2)).enumerate() {
            let admission = times.is_valid(at).then(|| times.value(at));
            match patient {
                None => self.encounters_without_patient += 1,
                Some(patient) => {
                    *self.encounters.entry(patient.to_owned()).or_default() += 1;
                    if let Some(server) = reference.and_then(server) {
                        let known = self.servers.entry(patient.to_owned()).or_insert_with(|| server.to_owned());
                        if known != server {
                            self.clashes.insert(format!("Patient/{patient}"));
                        }
                    }
                }
            }
            let Some(id) = id else { continue };
            let this = (patient.map(str::to_owned), admission);
            let first = self.first.entry(id.to_owned()).or_insert_with(|| this.clone());
            if first.0 != this.0 && first.1 != this.1 {
                self.clashes.insert(format!("Encounter/{id}"));
            }
        }
    }

    pub(crate) fn report(self) -> LinkReport {
        let unknown = self.encounters.iter().filter(|(patient, _)| !self.patients.contains(*patient));
        LinkReport {
            encounters_without_patient: self.encounters_without_patient,
            encounters_with_unknown_patient: unknown.map(|(_, count)| count).sum(),
            conditions_without_encounter: self.conditions_without_encounter,
            ids_of_two_servers: self.clashes,
        }
    }
}

impl LinkReport {
    /// The counts as lines of text; none if everything is linked and of one server.
    pub(crate) fn lines(&self) -> Vec<String> {
        let counts = [
            (self.encounters_without_patient, "encounter", "without a patient"),
            (self.encounters_with_unknown_patient, "encounter", "with a patient that is in none of these files"),
            (self.conditions_without_encounter, "condition", "without an encounter"),
        ];
        let unlinked: BTreeMap<usize, String> = counts
            .into_iter()
            .enumerate()
            .filter(|(_, (count, ..))| *count > 0)
            .map(|(at, (count, noun, what))| (at, format!("{} {what}", counted(count, noun))))
            .collect();
        let mut lines = Vec::new();
        if !unlinked.is_empty() {
            lines.push(format!("not linked: {}", unlinked.into_values().collect::<Vec<_>>().join(", ")));
        }
        lines.extend(self.two_servers());
        lines
    }

    /// The ids that seem to come from two servers, as text, and what to do about them; none if there are none.
    pub(crate) fn two_servers(&self) -> Option<String> {
        let ids = self.ids_of_two_servers.len();
        if ids == 0 {
            return None;
        }
        let examples: Vec<_> = self.ids_of_two_servers.iter().take(EXAMPLES).map(String::as_str).collect();
        let more = if ids > EXAMPLES { ", …" } else { "" };
        let seem = if ids == 1 { "1 id seems".to_owned() } else { format!("{} seem", counted(ids as u64, "id")) };
        let examples = examples.join(", ");
        let words = "ingest the files of each server with --source NAME";
        Some(format!("{seem} to come from two servers ({examples}{more}): {words}"))
    }
}

/// The server of an absolute reference: `https://a/fhir` of `https://a/fhir/Patient/1`.
fn server(reference: &str) -> Option<&str> {
    let (server, _) = reference.split_once("/Patient/")?;
    server.starts_with("http").then_some(server)
}

fn read(table: &'static Table, bytes: &Bytes, columns: &[&'static str]) -> Result<RecordBatch, Failure> {
    table_file::read(table, bytes, columns).map_err(|error| Failure::failed(error.to_string()))
}

fn texts(rows: &RecordBatch, column: usize) -> impl Iterator<Item = Option<&str>> {
    rows.column(column).as_string::<i32>().iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_what_stands_before_the_type() {
        assert_eq!(server("https://a.org/fhir/Patient/1"), Some("https://a.org/fhir"));
        assert_eq!((server("Patient/1"), server("urn:uuid:1")), (None, None));
    }
}
