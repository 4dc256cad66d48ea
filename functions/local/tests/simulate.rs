//! `metriccare simulate` with flags: its folders, its summary, and that both say the same.

mod folder;

use serde_json::Value;

use crate::folder::Folder;

#[test]
fn the_summary_is_the_documents_and_counts_what_lies_in_the_folders() {
    let folder = Folder::new("simulate");
    let shares = ["--mortality-pct", "10", "--infection-pct", "20", "--readmission-pct", "15", "--alos-pct", "100"];
    let summary = folder.well(&[&["simulate", "--patients", "100", "--year", "2023"], &shares[..]].concat());
    let files = folder.files("fhir_data/json");
    let count = |kind: &str| -> usize {
        let bytes = &files[&format!("{kind}/{kind}_20231231T235959Z.json")];
        serde_json::from_slice::<Vec<Value>>(bytes).expect("an array").len()
    };
    assert_eq!(files.len(), 3);
    let (encounters, conditions) = (count("encounter"), count("condition"));
    assert_eq!(
        summary,
        format!(
            "─────────────────────────── SUMMARY ───────────────────────────
Year simulated:           2023
Total patients simulated: {}
Total encounters:         {encounters}
Total conditions:         {conditions}
───────────────────────────────────────────────────────────────
Mortality   : 10
Infection   : 20
Readmission : 15
ALOS        : 100
",
            count("patient")
        )
    );
    let ingested: Value = serde_json::from_str(&folder.well(&["ingest", "fhir_data", "--json"])).expect("JSON");
    assert_eq!(ingested["accepted"], 100 + encounters + conditions);
    assert_eq!((&ingested["quarantined"], &ingested["skipped"]), (&Value::from(0), &Value::from(0)));
}

#[test]
fn threads_change_no_byte_and_what_cannot_be_is_refused() {
    let folder = Folder::new("simulate-bytes");
    let one = folder.well(&["simulate", "--patients", "2500", "--out", "one", "--threads", "1"]);
    let two = folder.well(&["simulate", "--patients", "2500", "--out", "two", "--threads", "2"]);
    assert!(
        one == two && one.contains("Mortality   : 250\nInfection   : 500\nReadmission : 375\nALOS        : 2500\n")
    );
    assert!(folder.files("one") == folder.files("two"));
    let (status, words) = folder.badly(&["simulate", "--alos-pct", "5"]);
    assert_eq!(status, 2);
    assert!(words.contains("mortality_pct is 10: it must be at most alos_pct (5)"), "{words}");
}
