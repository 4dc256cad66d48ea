//! `metriccare show`: a table without an engine, its conditions and formats; a lake that may only be read.

mod folder;

use std::fs;

use metriccare_lake::{
    cells,
    schema::{GOLD_READMISSION, TABLES},
};
use serde_json::Value;

use crate::folder::Folder;

#[test]
fn rows_are_those_of_the_files_in_every_format() {
    let folder = Folder::new("show");
    folder.well(&["run", "--patients", "300", "--facilities", "3"]);
    let file = fs::read(folder.0.join("lake/gold/readmission/part.parquet")).expect("gold is there");
    let rows = cells::read_rows(&GOLD_READMISSION, &file.into()).expect("it can be read");
    let json: Vec<Value> =
        serde_json::from_str(&folder.well(&["show", "gold_readmission", "--format", "json"])).expect("JSON");
    assert_eq!(json.len(), rows.len());
    for (object, row) in json.iter().zip(&rows) {
        for ((column, _), cell) in GOLD_READMISSION.file_columns().zip(row) {
            let value = &object[column];
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let expected = if value.is_null() { "null".to_owned() } else { cell.to_string() };
            assert!(text == expected || value.is_f64(), "{column}: {text} is not {expected}");
        }
    }
    let hospital = json[0]["hospital_name"].as_str().expect("a name");
    let by_hospital = ["--where", &format!("hospital_name={hospital}"), "--where", "definition=naive"];
    let csv = folder.well(&[&["show", "gold/readmission", "--format", "csv"], &by_hospital[..]].concat());
    let expected = json.iter().filter(|row| row["hospital_name"] == hospital && row["definition"] == "naive").count();
    assert!(expected > 0 && csv.lines().count() == 1 + expected, "{csv}");
    let names: Vec<_> = GOLD_READMISSION.columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(csv.lines().next(), Some(names.join(",").as_str()));
    let table = folder.well(&["show", "gold_readmission", "--where", "month=1999-01"]);
    assert!(table.ends_with("0 rows\n"), "{table}");

    let bucket = folder.well(&["show", "silver_patient", "--where", "bucket=00", "--format", "csv"]);
    let whole = folder.well(&["show", "silver_patient", "--format", "csv"]);
    assert!(whole.lines().count() == 301 && bucket.lines().count() < 60, "{bucket}");
    assert!(bucket.lines().skip(1).all(|line| line.ends_with(",00")), "the partition column is read from the path");
    for table in TABLES {
        folder.well(&["show", &table.glue_name(), "--format", "csv"]);
    }
    for (arguments, words) in [
        (&["gold_readmissions"][..], "did you mean \"gold_readmission\"?"),
        (&["gold_stay", "--where", "hospital=x"], "did you mean \"hospital_name\""),
        (&["gold_stay", "--where", "hospital_name"], "COLUMN=VALUE"),
        (&["gold_stay", "--lake", "nowhere"], "there is no lake here"),
    ] {
        let (status, said) = folder.badly(&[&["show"], arguments].concat());
        assert!(status == 2 && said.contains(words), "{arguments:?}: {said}");
    }
}

/// Commands that only read, each with what it prints of a lake that is whole.
const READERS: [(&[&str], &str); 4] = [
    (&["show", "gold_summary"], "rows"),
    (&["explain", "readmission"], "95 % interval"),
    (&["report", "--out", "page.html"], "page.html"),
    (&["verify"], "the lake holds"),
];

#[cfg(unix)]
#[test]
fn a_lake_that_may_only_be_read_is_read_and_not_changed() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("read-only");
    folder.well(&["run", "--patients", "60"]);
    let before = folder.files("lake");
    let protect = |mode| {
        for entry in ["lake", "lake/landing", "lake/gold", "lake/.store", "lake/.store/writing", "lake/landing/.store"]
        {
            let path = folder.0.join(entry);
            if path.exists() {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
            }
        }
    };
    protect(0o555);
    for (arguments, words) in READERS {
        let said = folder.well(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    protect(0o755);
    assert!(folder.files("lake") == before, "reading changes nothing");
}

#[test]
fn a_lake_is_read_while_another_process_has_its_ledger() {
    let folder = Folder::new("held");
    folder.well(&["run", "--patients", "60"]);
    // The lock that a running command has.
    let ledger = fs::File::options().read(true).write(true).open(folder.0.join("lake/.ledger.redb")).expect("there");
    ledger.lock().expect("it is free");
    for (arguments, words) in READERS {
        let said = folder.well(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let (status, said) = folder.badly(&["ingest"]);
    assert!(status == 1 && said.contains("ledger"), "a command that writes waits, and says why: {said}");
}
