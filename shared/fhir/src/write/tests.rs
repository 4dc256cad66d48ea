//! What is written is JSON with the elements of its version, and hostile text stays inside its quotes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn stay<'a>(locations: &'a [LocationPeriod<'a>]) -> Encounter<'a> {
    Encounter {
        id: Id(1),
        meta: Meta { version: 2, last_updated: Instant(1_736_000_000_000_000) },
        status: EncounterStatus::Completed,
        class: EncounterClass::Inpatient,
        kind: "Inpatient",
        priority: Some(Priority::Emergency),
        subject: Id(2),
        start: Instant(1_735_900_000_000_000),
        end: Some(Instant(1_736_000_000_000_000)),
        locations,
        attending: Named { id: Id(3), display: "Ada Byron" },
        provider: Named { id: Id(4), display: "MetricCare Hospital - Charlotte" },
        reason: Some(Diagnosis {
            icd10: Some(Code { code: "I50.9", display: "Heart failure, unspecified" }),
            snomed: Some(Code { code: "84114007", display: "Heart failure" }),
            text: "Heart failure",
        }),
        admit_source: Some(AdmitSource::EmergencyDepartment),
        disposition: Some(Disposition::Home),
    }
}

fn encounter(version: FhirVersion) -> Value {
    let mut out = Vec::new();
    let place = LocationPeriod {
        location: Named { id: Id(5), display: "Intensive Care" },
        status: LocationStatus::Completed,
        start: Instant(1_735_900_000_000_000),
        end: Some(Instant(1_736_000_000_000_000)),
    };
    write_encounter(&mut out, &stay(&[place]), version);
    assert_eq!(out.pop(), Some(b'\n'));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn an_r5_encounter_has_the_elements_of_r5() {
    let doc = encounter(FhirVersion::R5);
    assert_eq!(doc["status"], "completed");
    assert_eq!(doc["class"][0]["coding"][0]["code"], "IMP");
    assert_eq!(doc["actualPeriod"]["start"], "2025-01-03T10:26:40Z");
    assert_eq!(doc["participant"][0]["actor"]["reference"], "Practitioner/00000000-0000-0000-0000-000000000003");
    assert_eq!(doc["reason"][0]["value"][0]["concept"]["coding"][1]["code"], "84114007");
    assert_eq!(doc["admission"]["dischargeDisposition"]["coding"][0]["code"], "home");
    assert_eq!((&doc["period"], &doc["hospitalization"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_r4_encounter_has_the_elements_of_r4() {
    let doc = encounter(FhirVersion::R4);
    assert_eq!(doc["status"], "finished");
    assert_eq!(doc["class"]["code"], "IMP");
    assert_eq!(doc["period"]["end"], "2025-01-04T14:13:20Z");
    assert_eq!(doc["participant"][0]["individual"]["display"], "Ada Byron");
    assert_eq!(doc["reasonCode"][0]["text"], "Heart failure");
    assert_eq!(doc["hospitalization"]["admitSource"]["coding"][0]["code"], "emd");
    assert_eq!((&doc["actualPeriod"], &doc["admission"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_abated_condition_is_never_active() {
    let mut out = Vec::new();
    let condition = Condition {
        id: Id(1),
        meta: Meta { version: 1, last_updated: Instant(0) },
        clinical_status: ClinicalStatus::Active,
        verification_status: VerificationStatus::Confirmed,
        category: Category::EncounterDiagnosis,
        diagnosis: Diagnosis { icd10: None, snomed: None, text: "Infection" },
        subject: Id(2),
        encounter: None,
        onset: Instant(0),
        abatement: Some(Instant(86_400_000_000)),
        recorded: Date(0),
    };
    write_condition(&mut out, &condition);
    let doc: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(doc["clinicalStatus"]["coding"][0]["code"], "resolved");
    assert_eq!(doc["code"], json!({"text": "Infection"}));
}

proptest! {
    #[test]
    fn any_text_comes_back_from_a_patient_below_one_kilobyte(
        family in "[\\x00-\\x{ff}]{0,20}", version in 1u32..9, mrn in any::<u64>(), days in 0i32..30_000
    ) {
        let mut out = Vec::new();
        let patient = Patient {
            id: Id(u128::MAX), meta: Meta { version, last_updated: Instant(1_700_000_000_000_000) }, mrn, family: &family,
            given: "Ana", gender: Gender::Female, birth_date: Date(days), deceased: Some(Instant(1_700_000_000_000_000)),
            race: Some(Race::Pacific), city: "Charlotte", state: "NC",
            language: Code { code: "en", display: "English" },
            managing_organization: Named { id: Id(1), display: "MetricCare Hospital - Charlotte" },
        };
        write_patient(&mut out, &patient);
        let doc: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(doc["name"][0]["family"].as_str(), Some(family.as_str()));
        let number = mrn.to_string();
        prop_assert_eq!(doc["identifier"][0]["value"].as_str().unwrap().strip_prefix("MC-"), Some(number.as_str()));
        prop_assert!(out.len() < 1160, "{}", out.len());
    }
}
