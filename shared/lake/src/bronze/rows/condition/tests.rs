use arrow_array::{Array, RecordBatch, cast::AsArray};

use super::*;
use crate::{
    bronze::rows::{DeletionRows, PatientRows, QuarantineRows, TableRows},
    schema::{BRONZE_CONDITION, BRONZE_DELETION, BRONZE_PATIENT, BRONZE_QUARANTINE},
};

/// 2026-01-01.
const LANDED: i64 = 1_767_225_600_000_000;

fn coded(json: &str) -> (Option<String>, Option<String>) {
    let batch = batch(json);
    (text(&batch, "code"), text(&batch, "display"))
}

fn text(batch: &RecordBatch, name: &str) -> Option<String> {
    let values = batch.column_by_name(name).expect("a column").as_string::<i32>();
    values.is_valid(0).then(|| values.value(0).to_owned())
}

fn batch(json: &str) -> RecordBatch {
    let condition: Condition<'_> = metriccare_fhir::read::resource::read(json).expect("a good condition");
    let mut rows = ConditionRows::default();
    let (origin, references) = (Origin::new("s", LANDED), References::default());
    let row = ConditionRow::of(&condition, "c", EntryFacts::default(), origin, &references).expect("good values");
    row.append(&mut rows, origin, "id");
    rows.finish()
}

#[test]
fn columns_are_the_schemas() {
    for (columns, table) in [
        (ConditionRows::COLUMNS, &BRONZE_CONDITION),
        (PatientRows::COLUMNS, &BRONZE_PATIENT),
        (QuarantineRows::COLUMNS, &BRONZE_QUARANTINE),
        (DeletionRows::COLUMNS, &BRONZE_DELETION),
    ] {
        assert_eq!(columns, table.file_columns().map(|(name, _)| name).collect::<Vec<_>>());
    }
}

#[test]
fn the_coding_of_an_infection_stands_for_the_condition() {
    let json = r#"{"id":"c","code":{"coding":[{"system":"urn:local","code":"INF-1","display":"Line infection"},
        {"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"T80.211A","display":"CLABSI"}],"text":"Infection"}}"#;
    assert_eq!(coded(json), (Some("T80.211A".to_owned()), Some("CLABSI".to_owned())));
}

#[test]
fn the_coding_that_names_the_infection_goes_before_the_general_one() {
    let general = r#"{"system":"http://snomed.info/sct","code":"40733004","display":"Infection"}"#;
    let exact = r#"{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"T80.211A","display":"CLABSI"}"#;
    let second = r#"{"system":"http://snomed.info/sct","code":"700372006","display":"CAUTI"}"#;
    let local = r#"{"system":"urn:local","code":"INF-1","display":"Local"}"#;
    for (codings, code) in [
        (vec![general, exact], "T80.211A"),
        (vec![exact, general], "T80.211A"),
        (vec![local, general, exact, second], "T80.211A"),
        (vec![second, exact], "700372006"),
        (vec![local, general], "40733004"),
        (vec![local], "INF-1"),
    ] {
        let json = format!(r#"{{"id":"c","code":{{"coding":[{}]}}}}"#, codings.join(","));
        assert_eq!(coded(&json).0.as_deref(), Some(code), "{json}");
    }
}

#[test]
fn any_coding_tells_the_infection_and_the_death() {
    let read = |code: &str, verification: &str| {
        let json =
            format!(r#"{{"id":"c","code":{code},"verificationStatus":{{"coding":[{{"code":"{verification}"}}]}}}}"#);
        let batch = batch(&json);
        (text(&batch, "infection_type"), batch.column_by_name("death").expect("a column").as_boolean().value(0))
    };
    let coding = |system: &str, code: &str| format!(r#"{{"system":"{system}","code":"{code}"}}"#);
    let (local, snomed) = (coding("urn:local", "X"), |code: &str| coding("http://snomed.info/sct", code));
    let codings = |list: &[&str]| format!(r#"{{"coding":[{}],"text":"Infection"}}"#, list.join(","));
    let icd = coding("http://hl7.org/fhir/sid/icd-10-cm", "T80.211A");
    let infection = |kind: &str| (Some(kind.to_owned()), false);
    assert_eq!(read(&codings(&[&local, &snomed("40733004"), &icd]), "confirmed"), infection("clabsi"));
    assert_eq!(read(&codings(&[&local, &snomed("40733004")]), "confirmed"), infection("other"));
    assert_eq!(read(&codings(&[&local]), "confirmed"), (None, false));
    assert_eq!(read(r#"{"text":"infection "}"#, "confirmed"), infection("other"));
    assert_eq!(read(&codings(&[&icd]), "refuted"), (None, false));
    let death = (None, true);
    assert_eq!(read(&format!(r#"{{"coding":[{local},{}]}}"#, snomed("419099009")), "confirmed"), death);
    assert_eq!(read(r#"{"text":"DEATH"}"#, "provisional"), death);
    assert_eq!(read(r#"{"text":"Death"}"#, "entered-in-error"), (None, false));
    assert_eq!(read(&format!(r#"{{"coding":[{local}],"text":"Death"}}"#), "confirmed"), (None, false));
    let both = format!(r#"{{"coding":[{},{icd}]}}"#, snomed("419620001"));
    assert_eq!(read(&both, "confirmed"), (Some("clabsi".to_owned()), true));
}

#[test]
fn text_alone_is_the_display() {
    assert_eq!(coded(r#"{"id":"c","code":{"text":"Infection"}}"#), (None, Some("Infection".to_owned())));
    assert_eq!(coded(r#"{"id":"c"}"#), (None, None));
}

#[test]
fn the_year_of_the_record_is_its_partition() {
    let json = r#"{"id":"c","recordedDate":"2024-12-31T23:30:00-05:00"}"#;
    let condition: Condition<'_> = metriccare_fhir::read::resource::read(json).expect("a good condition");
    let (origin, references) = (Origin::new("s", LANDED), References::default());
    let row = ConditionRow::of(&condition, "c", EntryFacts::default(), origin, &references).expect("good values");
    assert_eq!(row.recorded_year(), Some(2025));
}
