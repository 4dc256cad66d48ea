//! No personal datum leaves the tables: after a run over dirty records, nothing that a command says, writes beside the lake's
//! tables or keeps in its ledger has a name, a birth date, a record number or an id of a patient or an encounter.

mod folder;

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::folder::Folder;

/// What no output may have.
const PERSONAL: [&str; 8] = [
    "Zyxabeth",
    "Quxmeister",
    "MRN-778811",
    "1931-07-19",
    "patid-55512",
    "encid-99341",
    "Elm Street 4711",
    "zyx-phone-0042",
];

/// Records that hold all of it, and are wrong in every way that is known.
fn dirty() -> String {
    let patient = r#""name":[{"family":"Quxmeister","given":["Zyxabeth"]}],"birthDate":"1931-07-19","identifier":[{"value":"MRN-778811"}],"address":[{"line":["Elm Street 4711"]}],"telecom":[{"value":"zyx-phone-0042"}]"#;
    let encounter = r#""subject":{"reference":"Patient/patid-55512","display":"Zyxabeth Quxmeister"}"#;
    [
        format!(r#"{{"resourceType":"Patient","id":"patid-55512",{patient}}}"#),
        format!(r#"{{"resourceType":"Encounter","id":"encid-99341","status":"finished","class":{{"code":"IMP"}},{encounter},"period":{{"start":"2025-01-01","end":"2025-01-03"}}}}"#),
        // Wrong types and values, a type that is a name, broken and cut JSON, no ids, an id that no source may have.
        format!(r#"{{"resourceType":"Patient","id":["patid-55512"],{patient}}}"#),
        format!(r#"{{"resourceType":"Patient","id":"patid-55512","gender":["Zyxabeth"],{patient}}}"#),
        format!(r#"{{"resourceType":"Encounter","id":"encid-99341","period":{{"start":"1931-07-19 by Zyxabeth"}},{encounter}}}"#),
        format!(r#"{{"resourceType":"Encounter","id":"encid-99341","period":"Quxmeister",{encounter}}}"#),
        format!(r#"{{"resourceType":"Zyxabeth Quxmeister",{patient}}}"#),
        format!(r#"{{"resourceType":"1931-07-19",{patient}}}"#),
        format!(r#"{{"resourceType":"Patient",{patient}}}"#),
        format!(r#"{{"Zyxabeth":"MRN-778811",{patient}}}"#),
        format!(r#"{{"resourceType":"Patient","id":"patid-55512",{patient}"#),
        "Zyxabeth Quxmeister, born 1931-07-19, MRN-778811".to_owned(),
        format!(r#"{{"resourceType":"Condition","id":"c","subject":{{"reference":"Patient?identifier=x|MRN-778811"}},"recordedDate":"patid-55512",{patient}}}"#),
        r#"{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE","url":"Encounter?identifier=MRN-778811"}},{"request":{"method":"DELETE","url":"Encounter/encid-99341"},"response":{"lastModified":"Zyxabeth"}},{"resource":{"resourceType":"Patient","id":"patid-55512","birthDate":"Quxmeister"}},"Zyxabeth"]}"#.to_owned(),
    ]
    .join("\n")
}

/// The relational tables with the same persons, in rows that are right and wrong.
fn rows() -> String {
    let sample = include_str!("../../../samples/tables/patients.csv");
    let (header, first) = (sample.lines().next().expect("a header"), sample.lines().nth(1).expect("a row"));
    let wrong = first.split(',').map(|_| "Zyxabeth 1931-07-19").collect::<Vec<_>>().join(",");
    let mut named = first.split(',').collect::<Vec<_>>();
    named[0] = "patid-55512";
    format!("{header}\n{}\n{wrong}\nQuxmeister\n\"MRN-778811\n", named.join(","))
}

fn clean(what: &str, bytes: &[u8]) {
    for datum in PERSONAL {
        let found = bytes.windows(datum.len()).position(|window| window == datum.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(200)..(at + 120).min(bytes.len())];
            panic!("{what} has {datum}: …{}…", String::from_utf8_lossy(around));
        }
    }
}

#[test]
fn nothing_that_is_said_or_kept_beside_the_tables_is_personal() {
    let folder = Folder::new("personal");
    fs::create_dir_all(folder.0.join("export")).expect("it can be made");
    fs::write(folder.0.join("export/records.ndjson"), dirty()).expect("it can be written");
    fs::write(folder.0.join("export/list.json"), format!("[{}]", dirty().replace('\n', ",")))
        .expect("it can be written");
    fs::write(folder.0.join("export/rejected.ndjson"), "Zyxabeth\nQuxmeister\n").expect("it can be written");
    fs::write(folder.0.join("export/patients.csv"), rows()).expect("it can be written");
    fs::write(folder.0.join("export/other.csv"), "Zyxabeth,Quxmeister\n1931-07-19,MRN-778811\n")
        .expect("it can be written");
    let mut said = 0;
    for arguments in [
        &["doctor", "export"][..],
        &["doctor", "export", "--json"],
        &["ingest", "export", "--source", "north"],
        &["ingest", "export"],
        &["ingest", "export", "--strict"],
        &["verify"],
        &["stats"],
        &["report", "--out", "report.html"],
        &["quarantine", "list"],
        &["quarantine", "list", "--json"],
        &["quarantine", "retry"],
        &["explain", "object", "records.ndjson"],
        &["explain", "object", "export/records.ndjson", "--json"],
        &["rebuild"],
        &["withdraw", "rejected.ndjson", "export/rejected.ndjson", "--reason", "sent by mistake"],
        &["withdraw", "--patient", "patid-55512", "--reason", "asked for"],
        &["withdraw", "--patient", "nobody", "--reason", "asked for", "--json"],
        &["redrive"],
    ] {
        // Some end badly, as they have to on such records: what they say counts.
        let output = folder.metriccare(arguments);
        said += output.stdout.len() + output.stderr.len();
        clean(&format!("stdout of {arguments:?}"), &output.stdout);
        clean(&format!("stderr of {arguments:?}"), &output.stderr);
    }
    assert!(said > 3_000, "{said} bytes were said");
    let (mut kept, mut tables) = (0, 0);
    for (name, bytes) in folder.files("lake") {
        // Landing and the tables hold the records themselves; everything else is for whoever runs the lake.
        let is_table = name.ends_with(".parquet") || name.starts_with("silver/_index/");
        if name.starts_with("landing/") || is_table {
            tables += 1;
            continue;
        }
        kept += 1;
        clean(&name, &bytes);
        if name.contains("ledger") {
            let key = b"records.ndjson";
            assert!(!bytes.windows(key.len()).any(|window| window == key), "{name} has a landed key, not its digest");
        }
    }
    assert!(kept > 5 && tables > 5, "{kept} files beside {tables}");
    clean("report.html", &fs::read(folder.0.join("report.html")).unwrap_or_default());
}

/// The names, birth dates, record numbers and ids of generated records, one text each.
fn personal(value: &Value, of: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| personal(value, name, into)),
        Value::Array(values) => values.iter().for_each(|value| personal(value, of, into)),
        Value::String(text) if matches!(of, "family" | "given" | "birthDate" | "id" | "reference") => {
            into.insert(text.rsplit('/').next().unwrap_or(text).to_owned());
        }
        Value::String(text) if of == "value" && text.len() > 4 => {
            into.insert(text.clone());
        }
        _ => {}
    }
}

#[test]
fn no_generated_patient_is_named_by_what_commands_say_or_keep() {
    let folder = Folder::new("personal-generated");
    let run: &[&str] = &["run", "--patients", "80", "--dirty", "broken=20%,duplicates=10%,late=5%"];
    let mut said = String::new();
    let mut say = |arguments: &[&str]| {
        let output = folder.metriccare(arguments);
        said += &String::from_utf8_lossy(&[output.stdout, output.stderr].concat());
    };
    say(run);
    let mut secrets = BTreeSet::new();
    for (name, bytes) in folder.files("lake/landing") {
        if name.contains("patient") || name.contains("encounter") {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).for_each(|record: Value| {
                personal(&record, "", &mut secrets);
            });
        }
    }
    assert!(secrets.len() > 400, "{}", secrets.len());
    for arguments in [&["verify"][..], &["stats", "--partitions"], &["quarantine", "list"], &["quarantine", "retry"]] {
        say(arguments);
    }
    for arguments in [&["compact"][..], &["rebuild", "--from", "landing"], &["report", "--out", "report.html"], run] {
        say(arguments);
    }
    // A layer that was damaged: errors name the file, and nothing of what is in it.
    let damaged = folder.files("lake/silver/patient").into_keys().next().expect("a file");
    folder.write(&format!("lake/silver/patient/{damaged}"), b"PAR1 Zyxabeth PAR1");
    for arguments in [&["verify"][..], &["ingest"], &["stats"]] {
        say(arguments);
    }
    let ledger = fs::read(folder.0.join("lake/.ledger.redb")).expect("a ledger");
    let report = fs::read(folder.0.join("report.html")).expect("a report");
    let [ledger, report] = [ledger, report].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(said.contains("broken") || said.contains("quarantined"), "{said}");
    for (what, text) in [("output", &said), ("the ledger", &ledger), ("the report", &report)] {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '-'));
        let found: Vec<_> = words.filter(|word| secrets.contains(*word)).collect();
        assert!(found.is_empty(), "{what} has {found:?}");
    }
}
