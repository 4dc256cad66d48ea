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

/// Every printed cell of every table of a lake.
fn tables(folder: &Folder) -> String {
    let stats: Value = serde_json::from_str(&folder.well(&["stats", "--json"])).expect("JSON");
    let names =
        stats["tables"].as_array().expect("tables").iter().map(|table| table["table"].as_str().expect("a name"));
    names.map(|name| folder.well(&["show", &name.replace('/', "_"), "--format", "csv"])).collect()
}

#[test]
fn a_withdrawn_patient_is_found_in_no_file_and_no_table() {
    const ID: &str = "person-to-withdraw";
    let folder = Folder::new("withdraw-patient");
    folder.well(&["run", "--patients", "60"]);
    let others = EXPORT.replace("p2", "p9").replace("yesterday", "1944-04-04");
    let own = format!(
        "{{\"resourceType\":\"Patient\",\"id\":\"{ID}\",\"birthDate\":\"yesterday\"}}\n{}",
        EXPORT.lines().next().expect("a line").replace("Patient/p1", &format!("Patient/{ID}")).replace("e1", "e2")
    );
    let never = Folder::new("withdraw-patient-never");
    never.well(&["run", "--patients", "60"]);
    for (folder, text) in [(&never, others.clone()), (&folder, format!("{others}{own}\n"))] {
        let path = folder.0.join("export.ndjson");
        fs::write(&path, text).expect("it can be written");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_750_000_000);
        fs::File::options().write(true).open(&path).expect("there").set_modified(time).expect("it has a time");
        folder.well(&["ingest", "export.ndjson"]);
        fs::remove_file(&path).expect("it is there");
    }
    let found = |files: BTreeMap<String, Vec<u8>>| {
        let holds = |bytes: &Vec<u8>| bytes.windows(ID.len()).any(|part| part == ID.as_bytes());
        files.into_iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert!(found(lake(&folder)).iter().any(|name| name.starts_with("landing/")));
    assert!(tables(&folder).contains(ID));
    let (status, said) = folder.badly(&["withdraw", "--patient", "nobody-here", "--reason", "x"]);
    assert!(status == 2 && said.contains("no landed object has a record"), "{said}");
    assert_eq!(folder.badly(&["withdraw", "--patient", ID, "--reason", &format!("{ID} asked")]).0, 2);

    let said = folder.well(&["withdraw", "--patient", ID, "--reason", "asked to"]);
    assert!(said.starts_with("2 records withdrawn from 1 landed object; silver and gold rebuilt"), "{said}");
    let mut left = lake(&folder);
    assert_eq!(left.remove("_withdrawal.key").map(|key| key.len()), Some(32));
    same(&left, &lake(&never));
    assert!(found(folder.files("lake/bronze")).is_empty() && found(left).is_empty());
    let shown = tables(&folder);
    assert!(!shown.contains(ID) && shown.contains("asked to"));
    folder.well(&["verify"]);
    assert!(folder.well(&["withdraw", "--patient", ID, "--reason", "x"]).contains("was withdrawn before"));
}
