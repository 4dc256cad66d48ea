//! What other systems write, through the whole path: every record of it is accounted for, by type and by rule.
//!
//! The files lie in `data/`, whose README says where they come from. HL7's own examples are the hardest FHIR to read:
//! nothing of them may be refused but what a FHIR expert would refuse too.

use std::path::Path;

use metriccare_lake::{
    bronze::Counts,
    cells::Cell,
    schema::{
        BRONZE_DELETION, BRONZE_QUARANTINE, GOLD_STAY, SILVER_CONDITION, SILVER_ENCOUNTER, SILVER_PATIENT, Table,
    },
};
use metriccare_tests::{Cloud, LakeContents, Landed, column, files::folder, landed::object};
use serde_json::{Value, json};

fn data(name: &str) -> Vec<Landed> {
    folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name))
}

async fn lake_of(objects: &[Landed]) -> LakeContents {
    Cloud::driven(objects, "hospital_name,staffed_beds,city,state\n").await
}

fn total(lake: &LakeContents) -> Counts {
    let mut total = Counts::default();
    lake.commits().iter().for_each(|commit| total.add(&commit.counts));
    total
}

fn counts(accepted: [u64; 3], quarantined: &[(&str, u64)], skipped: &[(&str, u64)]) -> Counts {
    let [patients, encounters, conditions] = accepted;
    let named = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let mut counts = Counts {
        patients,
        encounters,
        conditions,
        quarantined: named(quarantined),
        skipped: named(skipped),
        ..Counts::default()
    };
    counts.records = counts.accepted() + counts.quarantined() + counts.skipped();
    counts
}

/// The cells of some columns as text, row by row, where the first one has a value.
fn cells(lake: &LakeContents, table: &'static Table, first: &str, names: &[&str]) -> Vec<String> {
    let text = |row: &[metriccare_lake::cells::Cell], name: &&str| row[column(table, name)].to_string();
    let rows = lake.rows(table).into_iter().filter(|row| text(row, &names[0]) == first);
    rows.map(|row| names.iter().map(|name| text(&row, name)).collect::<Vec<_>>().join(" | ")).collect()
}

#[tokio::test]
async fn a_bulk_export_of_synthea_loses_nothing() {
    let lake = lake_of(&data("synthea")).await;
    let mut total = total(&lake);
    // Clinicians are named by their NPI only, and are in none of the files.
    assert_eq!(std::mem::take(&mut total.unresolved), [("Encounter.participant".to_owned(), 59)].into());
    assert_eq!(total, counts([2, 59, 37], &[], &[("Location", 6), ("Organization", 6)]));
    assert!(
        lake.rows(&SILVER_ENCOUNTER).iter().all(|row| row[column(&SILVER_ENCOUNTER, "practitioner_id")] == Cell::Null)
    );
    assert_eq!(lake.rows(&SILVER_ENCOUNTER).len(), 59);
    let stay = "8dee71b9-9de3-8d2d-3ebc-a816fb44c39c";
    let names = ["stay_id", "hospital_name", "admission_time", "length_days", "length_hours", "reason_code"];
    let wanted = format!("{stay} | OVERLAND PARK REG MED CTR | 2022-11-10T21:28:15Z | 1 | 24 | 39898005");
    assert_eq!(cells(&lake, &GOLD_STAY, stay, &names), [wanted]);
    assert_eq!(lake.rows(&GOLD_STAY).len(), 1);
}

#[tokio::test]
async fn of_hl7s_examples_only_the_resource_without_an_id_is_refused() {
    for (version, accepted) in [("hl7/R4", [14, 7, 5]), ("hl7/R5", [7, 8, 4])] {
        let lake = lake_of(&data(version)).await;
        assert_eq!(total(&lake), counts(accepted, &[("no-id", 1)], &[]), "{version}");
        let quarantine = lake.rows(&BRONZE_QUARANTINE);
        let place = column(&BRONZE_QUARANTINE, "sourcename");
        let file = version.replace("hl7/", "") + "/json-edge-cases.json";
        assert_eq!(quarantine[0][place].to_string(), file);
    }
}

#[tokio::test]
async fn r4_and_r5_of_one_example_give_the_same_row() {
    let (r4, r5) = (lake_of(&data("hl7/R4")).await, lake_of(&data("hl7/R5")).await);
    let names = [
        "encounter_id",
        "patient_id",
        "encounter_class",
        "status",
        "department",
        "admission_time",
        "length_days",
        "priority",
        "admit_source",
        "discharge_disposition",
        "reason_code",
        "reason_display",
    ];
    for id in ["emerg", "example", "f001", "f201", "f203", "home"] {
        let (old, new) = (cells(&r4, &SILVER_ENCOUNTER, id, &names), cells(&r5, &SILVER_ENCOUNTER, id, &names));
        assert_eq!((old.len(), &old), (1, &new), "{id}");
    }
    let ward = ["encounter_id", "status", "department", "admission_time", "admit_source"];
    assert_eq!(
        cells(&r4, &SILVER_ENCOUNTER, "emerg", &ward),
        ["emerg | in-progress | Ward 1, Room 42, Bed 1 | 2017-01-31T21:15:00Z | emd"]
    );
    let heart = ["encounter_id", "encounter_class", "discharge_disposition", "reason_code", "reason_display"];
    assert_eq!(
        cells(&r4, &SILVER_ENCOUNTER, "f001", &heart),
        ["f001 | outpatient | oth | 34068001 | Heart valve replacement"]
    );
    let both = [data("hl7/R4"), data("hl7/R5")].concat();
    let both = lake_of(&both).await;
    assert_eq!(both.rows(&SILVER_ENCOUNTER).len(), 9);
    assert_eq!(both.rows(&GOLD_STAY).len(), 1, "a stay in both spellings is one stay");
}

/// The edge cases are refused for their missing id and for nothing else: nulls in lists, extensions in place of values,
/// contained resources and escapes are read.
#[tokio::test]
async fn with_an_id_the_edge_cases_of_json_are_accepted() {
    for version in ["hl7/R4", "hl7/R5"] {
        let files = data(version);
        let file = files.iter().find(|file| file.key.ends_with("json-edge-cases.json")).expect("the edge cases");
        let mut patient: Value = serde_json::from_slice(&file.bytes).expect("JSON");
        patient["id"] = json!("edge");
        let lake = lake_of(&[object("patient/edge.json", 0, patient.to_string())]).await;
        assert_eq!(total(&lake), counts([1, 0, 0], &[], &[]), "{version}");
        let names = ["patient_id", "gender", "birth_date", "city", "state"];
        assert_eq!(
            cells(&lake, &SILVER_PATIENT, "edge", &names),
            ["edge | male | 1974-12-01 | PleasantVille | Vic"],
            "{version}"
        );
    }
}

/// A stay of 2025-03-01 to 2025-03-05 without a disposition, and a condition as the simulator's documents write a death.
fn stay_and_death(id: &str, condition: &Value) -> String {
    let mut condition = condition.clone();
    condition["id"] = json!(format!("{id}-death"));
    condition["subject"] = json!({"reference": format!("Patient/{id}")});
    condition["encounter"] = json!({"reference": format!("Encounter/{id}")});
    let stay = json!({"resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "IMP"},
        "subject": {"reference": format!("Patient/{id}")}, "period": {"start": "2025-03-01", "end": "2025-03-05"}});
    format!("{stay}\n{condition}\n")
}

#[tokio::test]
async fn a_death_that_is_written_as_a_condition_is_a_death() {
    let death = &data("documents")[0];
    assert!(death.key.ends_with("condition-death.json"));
    let death: Value = serde_json::from_slice(&death.bytes).expect("JSON");
    let with = |name: &str, value: Value| {
        let mut condition = death.clone();
        condition[name] = value;
        condition
    };
    let text_only = with("code", json!({"text": "Death"}));
    let refuted = with("verificationStatus", json!({"coding": [{"code": "refuted"}]}));
    let lines = [
        stay_and_death("undated", &death),
        stay_and_death("text", &text_only),
        stay_and_death("within", &with("onsetDateTime", json!("2025-03-04T10:00:00Z"))),
        stay_and_death("recorded", &with("recordedDate", json!("2025-03-05T23:00:00Z"))),
        stay_and_death("later", &with("onsetDateTime", json!("2025-03-06T00:00:00Z"))),
        stay_and_death("refuted", &refuted),
    ];
    let lake = lake_of(&[object("bundle/deaths.ndjson", 40 * 86_400, lines.concat())]).await;
    let place = column(&SILVER_CONDITION, "death");
    let deaths = lake.rows(&SILVER_CONDITION).iter().filter(|row| row[place] == Cell::Bool(true)).count();
    assert_eq!(deaths, 5, "all but the refuted one");
    for (stay, died) in
        [("undated", true), ("text", true), ("within", true), ("recorded", true), ("later", false), ("refuted", false)]
    {
        let names = ["stay_id", "died_in_hospital", "died_30d"];
        assert_eq!(cells(&lake, &GOLD_STAY, stay, &names), [format!("{stay} | {died} | {died}")]);
    }
}

#[tokio::test]
async fn what_a_history_deletes_is_a_row_of_bronze_and_none_of_silver() {
    let lake = lake_of(&data("histories")).await;
    let names = ["resource_id", "resource_type", "deleted_time", "version_id"];
    assert_eq!(
        cells(&lake, &BRONZE_DELETION, "stay-1", &names),
        ["stay-1 | Encounter | 2025-01-20T08:00:00Z | 2"],
        "a history Bundle"
    );
    assert_eq!(
        cells(&lake, &BRONZE_DELETION, "patient-9", &names),
        ["patient-9 | Patient | 2025-01-21T08:00:00Z | "],
        "the deleted file of a bulk export"
    );
    let total = total(&lake);
    assert_eq!((total.records, total.patients, total.encounters, total.deletions), (6, 1, 2, 2));
    assert_eq!(total.skipped.get("deletion of another type"), Some(&1));
    let names = ["encounter_id", "patient_id", "last_updated", "version_id"];
    assert_eq!(cells(&lake, &SILVER_ENCOUNTER, "stay-1", &names), Vec::<String>::new(), "it is deleted");
    assert_eq!(
        cells(&lake, &SILVER_ENCOUNTER, "stay-2", &names),
        ["stay-2 | patient-1 | 2025-01-15T08:00:00Z | 1"],
        "its version is in the response, its patient behind an address"
    );
}
