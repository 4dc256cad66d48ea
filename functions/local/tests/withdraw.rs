//! What was withdrawn is out of every layer: the lake is the one that never had it.

mod folder;

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::folder::Folder;

/// A stay that moves to another patient in its second version, and a record that cannot be read.
const EXPORT: &str = concat!(
    r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p1"},"#,
    r#""period":{"start":"2025-03-01T08:00:00Z","end":"2025-03-04T08:00:00Z"},"meta":{"versionId":"2","lastUpdated":"2025-03-05T00:00:00Z"}}"#,
    "\n",
    r#"{"resourceType":"Patient","id":"p1","gender":"female","birthDate":"1950-01-01"}"#,
    "\n",
    r#"{"resourceType":"Patient","id":"p2","birthDate":"yesterday"}"#,
    "\n",
);

/// Every file of a lake but its ledger, its remembered times, and its withdrawals.
fn lake(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let mut files = folder.files("lake");
    files.retain(|name, _| {
        !name.split('/').any(|part| part.starts_with('.')) && !name.starts_with("bronze/withdrawal/")
    });
    files
}

fn same(is: &BTreeMap<String, Vec<u8>>, should: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(is), names(should));
    for (name, bytes) in should {
        assert!(is[name] == *bytes, "{name} differs");
    }
}

#[test]
fn a_withdrawn_object_is_in_no_layer() {
    let folder = Folder::new("withdraw");
    folder.well(&["run", "--patients", "120", "--dirty", "late=2%,broken=1%"]);
    let never = lake(&folder);
    fs::write(folder.0.join("export.ndjson"), EXPORT).expect("it can be written");
    folder.well(&["ingest", "export.ndjson"]);
    let with = lake(&folder);
    let key = with.keys().find(|name| name.ends_with("export.ndjson")).expect("it landed");
    let key = key.strip_prefix("landing/").expect("a landed object").to_owned();
    assert!(never.iter().any(|(name, bytes)| name.starts_with("gold/") && with.get(name) != Some(bytes)));

    let (status, said) = folder.badly(&["withdraw", &key, &key.replace("export", "exports"), "--reason", "x"]);
    assert!(status == 2 && said.contains("nothing is withdrawn: there is no object") && said.contains(&key), "{said}");
    assert_eq!(folder.badly(&["withdraw", &key]).0, 2, "a reason is needed");
    assert_eq!(folder.badly(&["withdraw", &key, "--reason", " "]).0, 2, "an empty one is none");
    same(&lake(&folder), &with);

    let said = folder.well(&["withdraw", &key, "--reason", "sent by mistake"]);
    assert!(
        said.starts_with("1 object withdrawn with 3 records: ") && said.contains("silver and gold rebuilt"),
        "{said}"
    );
    same(&lake(&folder), &never);
    folder.well(&["verify"]);
    let rows: Vec<Value> =
        serde_json::from_str(&folder.well(&["show", "bronze_withdrawal", "--format", "json"])).expect("JSON");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(
        [&row["sourcename"], &row["reason"], &row["records"], &row["patient_digest"]],
        [&Value::from(key.as_str()), &"sent by mistake".into(), &3.into(), &Value::Null]
    );

    // Landed again it stays out, after a rebuild from landing too; with another content it comes in.
    folder.well(&["ingest", "export.ndjson"]);
    folder.well(&["rebuild", "--from", "landing"]);
    let mut out = lake(&folder);
    assert!(out.remove(&format!("landing/{key}")).is_some());
    same(&out, &never);
    assert!(folder.well(&["verify"]).contains("1 object withdrawn and still in landing"));
    let again: Value =
        serde_json::from_str(&folder.well(&["withdraw", &key, "--reason", "x", "--json"])).expect("JSON");
    assert_eq!((&again["withdrawn"], &again["rebuilt"]), (&1.into(), &false.into()));
    same(&lake(&folder), &never);
    assert!(folder.well(&["withdraw", &key, "--reason", "x"]).contains("was withdrawn before"));
    fs::write(folder.0.join("export.ndjson"), EXPORT.replace("yesterday", "1960-01-01")).expect("it can be written");
    let ingested: Value = serde_json::from_str(&folder.well(&["ingest", "export.ndjson", "--json"])).expect("JSON");
    assert_eq!(ingested["quarantined"], 0);
    assert!(folder.well(&["explain", "stay", "e1"]).contains("e1"));
    folder.well(&["verify"]);
}
