use arrow_array::{Array, cast::AsArray};

use super::*;
use crate::{
    bronze::rows::{PatientRows, QuarantineRows, TableRows},
    schema::{BRONZE_CONDITION, BRONZE_PATIENT, BRONZE_QUARANTINE},
};

fn coded(json: &str) -> (Option<String>, Option<String>) {
    let condition: Condition<'_> = metriccare_fhir::read::resource::read(json).expect("a good condition");
    let mut rows = ConditionRows::default();
    let row = ConditionRow::of(&condition, "c").expect("good values");
    row.append(&mut rows, Origin { sourcename: "s", landed_micros: 0 }, "id");
    let batch = rows.finish();
    let text = |name: &str| {
        let values = batch.column_by_name(name).expect("a column").as_string::<i32>().clone();
        values.is_valid(0).then(|| values.value(0).to_owned())
    };
    (text("code"), text("display"))
}

#[test]
fn columns_are_the_schemas() {
    for (columns, table) in [
        (ConditionRows::COLUMNS, &BRONZE_CONDITION),
        (PatientRows::COLUMNS, &BRONZE_PATIENT),
        (QuarantineRows::COLUMNS, &BRONZE_QUARANTINE),
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
fn text_alone_is_the_display() {
    assert_eq!(coded(r#"{"id":"c","code":{"text":"Infection"}}"#), (None, Some("Infection".to_owned())));
    assert_eq!(coded(r#"{"id":"c"}"#), (None, None));
}

#[test]
fn the_year_of_the_record_is_its_partition() {
    let json = r#"{"id":"c","recordedDate":"2024-12-31T23:30:00-05:00"}"#;
    let condition: Condition<'_> = metriccare_fhir::read::resource::read(json).expect("a good condition");
    assert_eq!(ConditionRow::of(&condition, "c").expect("good values").recorded_year(), Some(2025));
}
