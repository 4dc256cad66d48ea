//! What repairs a lake and what explains it: rebuild, explain object, quarantine, stats.

mod folder;

use std::{fs, path::Path};

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use crate::folder::Folder;

/// The tables of a layer, without commits and other documents.
fn tables(folder: &Folder, layer: &str) -> Vec<(String, Vec<u8>)> {
    let files = folder.files(layer);
    files.into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect()
}

#[test]
fn damaged_layers_are_rebuilt_to_the_same_bytes() {
    let folder = Folder::new("rebuild");
    folder.well(&["run", "--patients", "200", "--dirty", "duplicates=3%,late=2%,broken=1%"]);
    let (silver, gold) = (tables(&folder, "lake/silver"), tables(&folder, "lake/gold"));
    let damaged = folder.0.join("lake/silver/encounter/bucket=03/part.parquet");
    fs::write(&damaged, "no Parquet").expect("it can be written");
    fs::remove_file(folder.0.join("lake/gold/mortality/part.parquet")).expect("it is there");
    fs::write(folder.0.join("lake/gold/mortality/old.parquet"), "of an older version").expect("it can be written");
    assert_eq!(folder.badly(&["verify"]).0, 1);

    let said = folder.well(&["rebuild"]);
    assert!(said.starts_with("./lake rebuilt from bronze: ") && said.contains("of gold\n"), "{said}");
    assert!(!folder.0.join("lake/gold/mortality/old.parquet").exists());
    assert!(tables(&folder, "lake/silver") == silver && tables(&folder, "lake/gold") == gold);
    folder.well(&["verify"]);

    let bronze = tables(&folder, "lake/bronze/encounter");
    fs::remove_dir_all(folder.0.join("lake/bronze/encounter")).expect("it is there");
    let report: Value = serde_json::from_str(&folder.well(&["rebuild", "--from", "landing", "--json"])).expect("JSON");
    assert!(report["files"]["bronze"].as_u64().expect("a count") > bronze.len() as u64, "{report}");
    assert!(tables(&folder, "lake/bronze/encounter") == bronze);
    assert!(tables(&folder, "lake/silver") == silver && tables(&folder, "lake/gold") == gold);
    folder.well(&["verify"]);
    assert_eq!(folder.badly(&["rebuild", "--lake", "nowhere"]).0, 2);
}

/// An export of two patients, of which one cannot be read.
fn export(folder: &Folder) {
    let lines = "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"birthDate\":\"yesterday\"}\n\
                 {\"resourceType\":\"Patient\",\"id\":\"p2\"}\n{\"resourceType\":\"Device\",\"id\":\"d\"}\n";
    fs::write(folder.0.join("patients.ndjson"), lines).expect("it can be written");
}

#[test]
fn an_objects_way_is_explained_from_claim_to_silver() {
    let folder = Folder::new("explain-object");
    export(&folder);
    folder.well(&["ingest", "patients.ndjson"]);
    let keys: Vec<_> = folder.files("lake/landing").into_keys().filter(|key| !key.starts_with('.')).collect();
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    let report: Value = serde_json::from_str(&folder.well(&["explain", "object", key, "--json"])).expect("JSON");
    assert_eq!(report["landed"]["in_bronze"], true);
    assert!(report["landed"]["claim"].as_str().expect("text").starts_with("completed, attempt 1, by "), "{report}");
    let version = &report["versions"][0];
    let counts = ["records", "accepted", "quarantined", "skipped"].map(|name| version[name].as_u64().expect("a count"));
    assert_eq!(counts, [3, 1, 1, 1]);
    assert_eq!(
        (&version["quarantine"][0]["line"], &version["quarantine"][0]["rule"]),
        (&1.into(), &"bad-value".into())
    );
    assert_eq!(version["latest"], serde_json::json!([{"type": "patient", "rows": 1, "latest": 1}]));
    let newer = r#"{"resourceType":"Patient","id":"p2","meta":{"lastUpdated":"2025-01-01T00:00:00Z"}}"#;
    fs::write(folder.0.join("newer.ndjson"), newer).expect("it can be written");
    folder.well(&["ingest", "newer.ndjson"]);
    let words = folder.well(&["explain", "object", key]);
    assert!(words.contains("0 of 1 patient are the latest version") && !words.contains("yesterday\""), "{words}");
    let (status, said) = folder.badly(&["explain", "object", &key.replace("patients", "patient")]);
    assert!(status == 2 && said.contains("did you mean"), "{said}");
}

#[test]
fn quarantined_records_are_listed_shown_and_tried_again() {
    let folder = Folder::new("quarantine");
    export(&folder);
    folder.well(&["ingest", "patients.ndjson"]);
    let list = |more: &[&str]| -> Vec<Value> {
        let text = folder.well(&[&["quarantine", "list", "--format", "json"], more].concat());
        serde_json::from_str(&text).expect("JSON")
    };
    let [record] = &list(&[])[..] else { panic!("one record is quarantined") };
    assert_eq!((&record["line"], &record["rule"]), (&1.into(), &"bad-value".into()));
    assert!(record.get("raw").is_none(), "the list has no personal data");
    assert!(list(&["--rule", "no-id"]).is_empty() && list(&["--rule", "bad-value"]).len() == 1);
    let key = record["sourcename"].as_str().expect("a key");
    let raw = folder.well(&["quarantine", "show", key, "1"]);
    assert_eq!(raw, "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"birthDate\":\"yesterday\"}\n");
    assert_eq!(folder.badly(&["quarantine", "show", key, "2"]).0, 2);

    let before = tables(&folder, "lake/silver");
    let retried: Value = serde_json::from_str(&folder.well(&["quarantine", "retry", "--json"])).expect("JSON");
    assert_eq!((&retried["objects"], &retried["quarantined_now"]), (&1.into(), &1.into()));
    assert!(tables(&folder, "lake/silver") == before);
    folder.well(&["verify"]);
    let (status, said) = folder.badly(&["quarantine", "retry", "nowhere"]);
    assert!(status == 2 && said.contains("has no quarantined record"), "{said}");
}

#[test]
fn stats_count_what_the_tables_hold() {
    let folder = Folder::new("stats");
    let run: Value = serde_json::from_str(&folder.well(&["run", "--patients", "80", "--json"])).expect("JSON");
    let stats: Value = serde_json::from_str(&folder.well(&["stats", "--json"])).expect("JSON");
    assert_eq!(stats["landing"]["rows"], run["records"]);
    for table in stats["tables"].as_array().expect("tables") {
        let name = table["table"].as_str().expect("a name");
        let files: Vec<_> = if folder.0.join("lake").join(name).is_dir() {
            tables(&folder, &format!("lake/{name}"))
        } else {
            Vec::new()
        };
        let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!((table["files"].as_u64(), table["bytes"].as_u64()), (Some(files.len() as u64), Some(bytes as u64)));
        let shown = folder.well(&["show", &name.replace('/', "_"), "--format", "csv"]);
        let lines = csv_rows(&shown);
        assert_eq!(table["rows"].as_u64(), Some(lines), "{name}");
        let partitions = table["partitions"].as_object().expect("partitions");
        if !partitions.is_empty() {
            let sum: u64 = partitions.values().map(|partition| partition["rows"].as_u64().expect("a count")).sum();
            assert_eq!(sum, lines, "{name}");
        }
    }
    assert!(folder.well(&["stats", "--partitions"]).contains("bucket=00"));
}

#[test]
fn stats_bound_what_named_queries_scan() {
    let folder = Folder::new("scans");
    folder.well(&["run", "--patients", "80", "--buckets", "4"]);
    let stats: Value = serde_json::from_str(&folder.well(&["stats", "--queries", "--json"])).expect("JSON");
    let bytes_of = |name: &str| {
        let tables = stats["tables"].as_array().expect("tables");
        tables.iter().find(|table| table["table"] == name).expect("a table")["bytes"].as_u64().expect("a count")
    };
    let queries = stats["queries"].as_array().expect("queries");
    for query in queries {
        for table in query["tables"].as_array().expect("tables") {
            let (bytes, all) = (table["bytes"].as_u64(), bytes_of(table["table"].as_str().expect("a name")));
            assert!(bytes <= Some(all), "{table}: more than the table's {all} bytes");
            assert!(all == 0 || bytes > Some(0), "{table}: nothing is read");
        }
    }
    let scan = |name: &str| queries.iter().find(|query| query["query"] == name).expect("a query");
    // The footers, read here by themselves.
    let summary = scan("summary");
    assert_eq!(summary["files"], 1);
    assert_eq!(summary["bytes"].as_u64(), Some(chunks(&folder.0.join("lake/gold/summary"), |_| true)));
    let regions =
        ["value", "month", "stays", "patients", "readmissions", "readmission_rate", "deaths", "mortality_rate"];
    let is_read = |column: &str| column == "dimension" || regions.contains(&column);
    let expected = chunks(&folder.0.join("lake/gold/demographics"), is_read);
    assert_eq!(scan("outcomes_by_region")["bytes"].as_u64(), Some(expected));
    assert!(expected < chunks(&folder.0.join("lake/gold/demographics"), |_| true));
    assert_eq!(scan("stays_of_a_bucket")["files"], 1, "one bucket is one file");
    assert_eq!(scan("length_of_stay_distribution")["files"], 4);
    let text = folder.well(&["stats", "--queries"]);
    assert!(text.contains("readmission_by_hospital") && text.contains("scanned at most"), "{text}");
}

/// The compressed bytes of some columns in the Parquet files below a folder.
fn chunks(folder: &Path, is_read: impl Fn(&str) -> bool) -> u64 {
    let files = Folder::files_below(folder).into_values().map(|bytes| {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("Parquet");
        let groups = reader.metadata().row_groups().to_vec();
        let columns = groups.iter().flat_map(|group| group.columns().to_vec());
        columns
            .filter(|column| is_read(&column.column_path().string()))
            .map(|column| column.compressed_size())
            .sum::<i64>()
    });
    files.sum::<i64>().try_into().expect("a size")
}

/// The rows of a CSV whose cells have no line breaks.
fn csv_rows(text: &str) -> u64 {
    text.lines().count() as u64 - 1
}
