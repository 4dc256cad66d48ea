//! The sample in the repository: what `samples/make` writes with the present command, byte for byte.

mod folder;

use std::{collections::BTreeMap, path::Path, process::Command};

use crate::folder::Folder;

/// What the sample may grow to.
const MOST_BYTES: usize = 300_000;

#[test]
fn the_sample_in_the_repository_is_what_its_script_makes() {
    let folder = Folder::new("samples");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let output = Command::new(samples.join("make"))
        .arg(&folder.0)
        .env("COMMAND", env!("CARGO_BIN_EXE_metriccare"))
        .output()
        .expect("bash is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut bytes = 0;
    for part in ["r4", "r5", "tables"] {
        let made = folder.files(part);
        let kept = Folder::files_below(&samples.join(part));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&kept), names(&made), "{part}: run samples/make");
        for (name, content) in &made {
            assert!(kept[name] == *content, "samples/{part}/{name} differs from what is generated: run samples/make");
            bytes += content.len();
            let rows = content.iter().filter(|byte| **byte == b'\n').count();
            assert!(!name.ends_with(".csv") || rows > 1, "samples/{part}/{name} shows no row");
        }
    }
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
}

#[test]
fn the_sample_can_be_ingested_whole() {
    let folder = Folder::new("samples-ingest");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let [fhir, tables] = ["r5", "tables"].map(|part| samples.join(part).display().to_string());
    let answer: serde_json::Value =
        serde_json::from_str(&folder.well(&["ingest", "--json", &fhir, &tables])).expect("JSON");
    assert_eq!((&answer["quarantined"], &answer["passed_over"]), (&0.into(), &serde_json::json!([])), "{answer:#}");
    let patients = answer["metrics"].as_array().and_then(|all| all.iter().find(|row| row["metric"] == "patients"));
    assert_eq!(patients.map(|row| &row["numerator"]), Some(&6.into()), "{answer:#}");
}
