//! A compacted lake: fewer files, the same rows, and nothing that any command notices.

mod folder;

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::folder::Folder;

fn layer(folder: &Folder, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = folder.files("lake");
    files.retain(|name, _| name.starts_with(prefix));
    files
}

fn bronze_files(folder: &Folder) -> usize {
    layer(folder, "bronze/").keys().filter(|name| name.ends_with(".parquet")).count()
}

fn patient(folder: &Folder, name: &str, id: &str) {
    let text = format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}\nno JSON\n");
    fs::write(folder.0.join(name), text).expect("it can be written");
    folder.well(&["ingest", name]);
}

/// A lake of many deliveries.
fn lake(name: &str) -> Folder {
    let folder = Folder::new(name);
    for day in ["2025-03-01", "2025-03-02", "2025-03-03", "2025-03-04"] {
        folder.well(&["run", "--patients", "300", "--day", day]);
    }
    patient(&folder, "a.ndjson", "added");
    folder
}

fn stats(folder: &Folder) -> Value {
    serde_json::from_str(&folder.well(&["stats", "--json"])).expect("JSON")
}

/// The rows of the tables of bronze.
fn rows(folder: &Folder) -> Vec<(String, u64)> {
    let stats = stats(folder);
    let tables = stats["tables"].as_array().expect("tables").iter();
    tables.map(|table| (table["table"].to_string(), table["rows"].as_u64().expect("a count"))).collect()
}

#[test]
fn a_compacted_lake_is_the_same_lake_in_fewer_files() {
    let folder = lake("compact");
    let (before, counted, files) = (layer(&folder, "silver/"), rows(&folder), bronze_files(&folder));
    let gold = layer(&folder, "gold/");
    let shown = folder.well(&["show", "bronze/encounter", "--format", "csv"]);

    assert!(folder.well(&["compact", "--min-files", "1000"]).starts_with("nothing to compact"));
    assert_eq!(bronze_files(&folder), files);
    let said = folder.well(&["compact", "--min-files", "2"]);
    assert!(said.contains("compacted: ") && said.contains("under way"), "{said}");
    assert_eq!(bronze_files(&folder), files, "the small files are there for queries that run");
    assert!(!layer(&folder, "compaction/").is_empty());
    folder.well(&["verify"]);
    // What lands meanwhile is written to both places.
    patient(&folder, "b.ndjson", "later");
    folder.well(&["verify"]);

    let answer = folder.well(&["compact", "--min-files", "2", "--keep-hours", "0", "--json"]);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert!(answer["replaced"].as_u64() > Some(2) && answer["under_way"] == 0, "{answer}");
    assert!(layer(&folder, "compaction/").is_empty());
    assert!(bronze_files(&folder) < files, "{} of {files}", bronze_files(&folder));
    let mut lines: Vec<_> = shown.lines().collect();
    let now = folder.well(&["show", "bronze/encounter", "--format", "csv"]);
    let mut compacted: Vec<_> = now.lines().collect();
    lines.sort_unstable();
    compacted.sort_unstable();
    assert!(lines == compacted, "the rows of bronze/encounter differ");

    let landed = folder.files("lake/landing");
    let key = landed.keys().find(|name| name.ends_with("/b.ndjson")).expect("it landed").clone();
    let explained = folder.well(&["explain", "object", &key]);
    assert!(explained.contains("1 accepted, 1 quarantined"), "{explained}");
    folder.well(&["verify"]);
    assert_eq!(folder.well(&["quarantine", "list", "--format", "csv"]).lines().count(), 3);
    folder.well(&["quarantine", "retry"]);
    folder.well(&["verify"]);
    assert_eq!(folder.well(&["quarantine", "list", "--format", "csv"]).lines().count(), 3);

    folder.well(&["withdraw", &key, "--reason", "by mistake"]);
    folder.well(&["verify"]);
    assert_eq!(
        rows(&folder).into_iter().filter(|(name, _)| !name.contains("withdrawal")).collect::<Vec<_>>(),
        counted.into_iter().filter(|(name, _)| !name.contains("withdrawal")).collect::<Vec<_>>()
    );
    folder.well(&["rebuild"]);
    assert!(layer(&folder, "silver/") == before && layer(&folder, "gold/") == gold, "silver and gold are as they were");
    folder.well(&["rebuild", "--from", "landing"]);
    assert!(layer(&folder, "silver/") == before && layer(&folder, "gold/") == gold, "also from landing");
    assert_eq!(bronze_files(&folder), files + 1, "one file for each object and partition, and the withdrawal");
}
