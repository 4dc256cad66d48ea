use arrow_array::{Array, RecordBatch, cast::AsArray};

use super::*;
use crate::{bronze::rows::TableRows, schema::BRONZE_ENCOUNTER};

/// 2026-01-01.
const LANDED: i64 = 1_767_225_600_000_000;

fn row(json: &str) -> Result<RecordBatch, Fault> {
    let encounter: Encounter<'_> = metriccare_fhir::read::resource::read(json)?;
    let mut rows = EncounterRows::default();
    let (origin, references) = (Origin::new("s", LANDED), References::default());
    EncounterRow::of(&encounter, "e", EntryFacts::default(), origin, &references)?.append(
        &mut rows,
        origin,
        &references,
        "c",
    );
    Ok(rows.finish())
}

fn text(batch: &RecordBatch, column: &str) -> Option<String> {
    let values = batch.column_by_name(column).expect("a column of the table").as_string::<i32>();
    values.is_valid(0).then(|| values.value(0).to_owned())
}

fn column(json: &str, name: &str) -> Option<String> {
    text(&row(json).expect("a good encounter"), name)
}

#[test]
fn columns_are_the_schemas() {
    let wanted: Vec<_> = BRONZE_ENCOUNTER.file_columns().map(|(name, _)| name).collect();
    assert_eq!(EncounterRows::COLUMNS, wanted);
}

#[test]
fn the_source_documents_encounter_is_read() {
    let json = r#"{"resourceType":"Encounter","id":"e","status":"finished","type":[{"text":"Inpatient"}],
        "subject":{"reference":"Patient/p"},"actualPeriod":{"start":"2025-09-15T08:00:00.000Z","end":"2025-09-20T14:30:00.000Z"},
        "location":[{"location":{"display":"ICU"},"period":{"start":"2025-09-15T08:00:00.000Z","end":"2025-09-20T14:30:00.000Z"}}],
        "serviceProvider":{"display":"MetricCare Hospital - Charlotte"},
        "participant":[{"type":[{"text":"attending physician"}],"actor":{"reference":"Practitioner/d"}}]}"#;
    let batch = row(json).expect("a good encounter");
    assert_eq!(text(&batch, "encounter_type").as_deref(), Some("Inpatient"));
    assert_eq!(text(&batch, "department").as_deref(), Some("ICU"));
    assert_eq!(text(&batch, "participant_role").as_deref(), Some("attending physician"));
    assert_eq!(text(&batch, "practitioner_ref").as_deref(), Some("Practitioner/d"));
    assert_eq!(text(&batch, "patient_id").as_deref(), Some("p"));
    assert_eq!(text(&batch, "fhir_version").as_deref(), Some("R5"));
}

#[test]
fn the_department_is_the_place_of_the_longest_period() {
    let places = |list: &str| {
        let json = format!(
            r#"{{"id":"e","period":{{"start":"2025-01-01T00:00:00Z","end":"2025-01-05T00:00:00Z"}},"location":[{list}]}}"#
        );
        column(&json, "department")
    };
    let place = |name: &str, status: &str, start: &str, end: &str| {
        let end = if end.is_empty() { String::new() } else { format!(r#","end":"2025-01-{end}""#) };
        format!(
            r#"{{"location":{{"display":"{name}"}},"status":"{status}","period":{{"start":"2025-01-{start}"{end}}}}}"#
        )
    };
    let emergency = place("Emergency", "completed", "01T00:00:00Z", "01T06:00:00Z");
    let intensive = place("ICU", "completed", "01T06:00:00Z", "02T00:00:00Z");
    let ward = place("Ward", "active", "02T00:00:00Z", "");
    let planned = place("Rehab", "planned", "01T00:00:00Z", "31T00:00:00Z");
    assert_eq!(places(&format!("{emergency},{intensive}")).as_deref(), Some("ICU"));
    assert_eq!(places(&format!("{emergency},{intensive},{ward}")).as_deref(), Some("Ward"));
    assert_eq!(places(&format!("{planned},{emergency}")).as_deref(), Some("Emergency"));
    let bare = r#"{"location":{"display":"A"}},{"location":{"display":"B"}}"#;
    assert_eq!(places(bare).as_deref(), Some("A"));
    assert_eq!(places(&planned), None);
}

#[test]
fn the_reason_is_icd_10_first() {
    let json = r#"{"id":"e","reasonCode":[{"coding":[{"system":"http://snomed.info/sct","code":"84114007","display":"HF"},
        {"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"i509"}],"text":"heart failure"}]}"#;
    assert_eq!(column(json, "reason_code").as_deref(), Some("I50.9"));
    assert_eq!(column(json, "reason_display").as_deref(), Some("heart failure"));
    let snomed = r#"{"id":"e","reason":[{"value":[{"concept":{"coding":[{"code":"34068001","display":"Valve"}]}}]}]}"#;
    assert_eq!(column(snomed, "reason_code").as_deref(), Some("34068001"));
    assert_eq!(column(snomed, "reason_display").as_deref(), Some("Valve"));
}

#[test]
fn the_disposition_is_the_first_code_that_is_known() {
    let json =
        |codes: &str| format!(r#"{{"id":"e","hospitalization":{{"dischargeDisposition":{{"coding":[{codes}]}}}}}}"#);
    assert_eq!(column(&json(r#"{"code":"x"},{"code":"01"}"#), "discharge_disposition").as_deref(), Some("01"));
    assert_eq!(column(&json(r#"{"code":"x"},{"code":"y"}"#), "discharge_disposition").as_deref(), Some("x"));
    assert_eq!(column(&json(""), "discharge_disposition"), None);
}

#[test]
fn a_participant_who_is_no_practitioner_gives_no_reference() {
    let json = r#"{"id":"e","participant":[{"type":[{"text":"escort"}],"actor":{"reference":"RelatedPerson/r"}}]}"#;
    assert_eq!(column(json, "practitioner_ref"), None);
    assert_eq!(column(json, "participant_role").as_deref(), Some("escort"));
}

#[test]
fn an_unparseable_time_names_its_element() {
    let fault = row(r#"{"id":"e","period":{"start":"2025-13-01"}}"#).expect_err("no such month");
    assert_eq!(fault.reason, "period.start: not a FHIR date, or a time without its zone");
    let coarse = row(r#"{"id":"e","period":{"start":"2025-12"}}"#).expect("a month is a FHIR date");
    assert!(coarse.column_by_name("admission_time").expect("a column").is_null(0));
}
