//! Bronze rows for tests, as plain structs.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};

use crate::schema::{self, Kind, Table};
use crate::silver::{death::is_death, infection::infection_type};

/// Where a row stands among the versions of its resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Version {
    pub(crate) last_updated: Option<i64>,
    pub(crate) version_id: Option<String>,
    pub(crate) precombine_ts: i64,
    pub(crate) content_id: String,
}

/// A row of bronze/patient.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PatientRow {
    pub(crate) id: String,
    pub(crate) gender: Option<String>,
    pub(crate) birth_date: Option<i32>,
    pub(crate) state: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) deceased: Option<i64>,
    pub(crate) version: Version,
}

/// A row of bronze/encounter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EncounterRow {
    pub(crate) id: String,
    pub(crate) patient: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) hospital: Option<String>,
    pub(crate) department: Option<String>,
    pub(crate) admission: Option<i64>,
    pub(crate) discharge: Option<i64>,
    pub(crate) priority: Option<String>,
    pub(crate) disposition: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) version: Version,
}

/// A row of bronze/condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ConditionRow {
    pub(crate) id: String,
    pub(crate) patient: Option<String>,
    pub(crate) encounter: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) verification: Option<String>,
    pub(crate) onset: Option<i64>,
    pub(crate) recorded: Option<i64>,
    pub(crate) version: Version,
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn time(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn batch<'a>(
    table: &Table,
    rows: usize,
    mut given: Vec<(&'static str, ArrayRef)>,
    versions: impl Iterator<Item = &'a Version> + Clone,
) -> RecordBatch {
    given.push(("last_updated", time(versions.clone().map(|v| v.last_updated))));
    given.push(("version_id", text(versions.clone().map(|v| v.version_id.as_deref()))));
    given.push(("precombine_ts", time(versions.clone().map(|v| Some(v.precombine_ts)))));
    given.push(("content_id", text(versions.map(|v| Some(v.content_id.as_str())))));
    let array = |(name, kind): &(&'static str, Kind)| {
        let found = given.iter().find(|(column, _)| column == name).map(|(_, array)| Arc::clone(array));
        found.unwrap_or_else(|| new_null_array(&kind.data_type(), rows))
    };
    RecordBatch::try_new(table.full_schema(), table.columns.iter().map(array).collect()).unwrap()
}

/// Patients as a bronze batch.
pub(crate) fn patients(rows: &[PatientRow]) -> RecordBatch {
    let given = vec![
        ("patient_id", text(rows.iter().map(|r| Some(r.id.as_str())))),
        ("gender", text(rows.iter().map(|r| r.gender.as_deref()))),
        ("birth_date", Arc::new(rows.iter().map(|r| r.birth_date).collect::<Date32Array>()) as ArrayRef),
        ("state", text(rows.iter().map(|r| r.state.as_deref()))),
        ("language", text(rows.iter().map(|r| r.language.as_deref()))),
        ("deceased_time", time(rows.iter().map(|r| r.deceased))),
    ];
    batch(&schema::BRONZE_PATIENT, rows.len(), given, rows.iter().map(|r| &r.version))
}

/// Encounters as a bronze batch.
pub(crate) fn encounters(rows: &[EncounterRow]) -> RecordBatch {
    let given = vec![
        ("encounter_id", text(rows.iter().map(|r| Some(r.id.as_str())))),
        ("patient_id", text(rows.iter().map(|r| r.patient.as_deref()))),
        ("status", text(rows.iter().map(|r| r.status.as_deref()))),
        ("encounter_class", text(rows.iter().map(|r| r.class.as_deref()))),
        ("hospital_name", text(rows.iter().map(|r| r.hospital.as_deref()))),
        ("department", text(rows.iter().map(|r| r.department.as_deref()))),
        ("admission_time", time(rows.iter().map(|r| r.admission))),
        ("discharge_time", time(rows.iter().map(|r| r.discharge))),
        ("priority", text(rows.iter().map(|r| r.priority.as_deref()))),
        ("discharge_disposition", text(rows.iter().map(|r| r.disposition.as_deref()))),
        ("reason_code", text(rows.iter().map(|r| r.reason.as_deref()))),
    ];
    batch(&schema::BRONZE_ENCOUNTER, rows.len(), given, rows.iter().map(|r| &r.version))
}

fn deaths(row: &ConditionRow) -> Option<bool> {
    Some(is_death(None, row.code.as_deref(), None, row.verification.as_deref()))
}

/// Conditions as a bronze batch.
pub(crate) fn conditions(rows: &[ConditionRow]) -> RecordBatch {
    let given = vec![
        ("condition_id", text(rows.iter().map(|r| Some(r.id.as_str())))),
        ("patient_id", text(rows.iter().map(|r| r.patient.as_deref()))),
        ("encounter_id", text(rows.iter().map(|r| r.encounter.as_deref()))),
        ("code", text(rows.iter().map(|r| r.code.as_deref()))),
        ("verification_status", text(rows.iter().map(|r| r.verification.as_deref()))),
        (
            "infection_type",
            text(rows.iter().map(|r| infection_type(None, r.code.as_deref(), None, r.verification.as_deref()))),
        ),
        ("death", Arc::new(BooleanArray::from_iter(rows.iter().map(deaths))) as ArrayRef),
        ("onset_time", time(rows.iter().map(|r| r.onset))),
        ("recorded_time", time(rows.iter().map(|r| r.recorded))),
    ];
    batch(&schema::BRONZE_CONDITION, rows.len(), given, rows.iter().map(|r| &r.version))
}
