//! The command as a person uses it: exit statuses, what is printed, what lies in the folders afterwards.

mod folder;

use std::fs;

use serde_json::Value;

use crate::folder::Folder;

#[test]
fn a_run_holds_and_a_second_one_finds_nothing_to_do() {
    let folder = Folder::new("run");
    let first: Value = serde_json::from_str(&folder.well(&["run", "--patients", "300", "--json"])).expect("JSON");
    assert_eq!(first["quarantined"], 0);
    assert_eq!(first["already_done"], 0);
    let patients = first["metrics"].as_array().expect("rows").iter().find(|row| row["metric"] == "patients");
    assert_eq!(patients.expect("it is counted")["numerator"], 300);
    let verified = folder.well(&["verify"]);
    assert!(verified.contains("answer key     holds") && verified.ends_with("the lake holds\n"), "{verified}");
    let gold = folder.files("lake/gold");
    let second: Value = serde_json::from_str(&folder.well(&["run", "--patients", "300", "--json"])).expect("JSON");
    assert_eq!((&second["records"], &second["already_done"]), (&Value::from(0), &Value::from(6)));
    assert!(gold == folder.files("lake/gold"), "a run that finds nothing new changes nothing");
}

#[test]
fn a_lakes_bytes_repeat_whatever_the_threads() {
    let folder = Folder::new("bytes");
    folder.well(&["run", "--patients", "200", "--lake", "one", "--threads", "1"]);
    folder.well(&["run", "--patients", "200", "--lake", "two", "--threads", "2"]);
    let lake = |name| {
        let mut files = folder.files(name);
        files.remove(".ledger.redb");
        files
    };
    assert!(lake("one") == lake("two"));
}

#[test]
fn shards_together_make_the_whole_and_a_small_population_is_a_larger_ones_beginning() {
    let folder = Folder::new("shards");
    let lines = |out: &str, kind: &str| -> Vec<u8> {
        folder.files(out).into_iter().filter(|(name, _)| name.starts_with(kind)).flat_map(|(_, bytes)| bytes).collect()
    };
    folder.well(&["generate", "fhir", "--patients", "90", "--out", "whole"]);
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        folder.well(&["generate", "fhir", "--patients", "90", "--out", "parts", "--shard", shard]);
    }
    for kind in ["patient", "encounter", "condition", "organization", "location", "practitioner"] {
        assert!(lines("whole", kind) == lines("parts", kind), "{kind}");
    }
    let answers = folder.files("parts/reference/_answers");
    assert_eq!(answers.len(), 4);
    folder.well(&["generate", "fhir", "--patients", "40", "--out", "small"]);
    assert!(lines("whole", "patient").starts_with(&lines("small", "patient")));

    let ingested = folder.well(&["ingest", "parts"]);
    assert!(ingested.contains(" 0 quarantined"), "{ingested}");
    let verified = folder.well(&["verify"]);
    assert!(verified.contains("answer key     holds"), "the shards' keys add up: {verified}");
}

#[test]
fn verify_names_the_cells_of_a_damaged_table_and_the_next_run_mends_a_lost_one() {
    let folder = Folder::new("damage");
    folder.well(&["run", "--patients", "200"]);
    let path = folder.0.join("lake/gold/mortality/part.parquet");
    let good = fs::read(&path).expect("it was made");

    fs::write(&path, &good[..good.len() / 2]).expect("it can be written");
    let (status, words) = folder.badly(&["verify"]);
    assert_eq!(status, 1, "{words}");
    assert!(words.contains("gold/mortality"), "{words}");

    fs::remove_file(&path).expect("it is there");
    let (status, words) = folder.badly(&["verify"]);
    assert!(status == 1 && words.contains("gold/mortality/part.parquet is missing"), "{words}");
    folder.well(&["run", "--patients", "200"]);
    assert!(fs::read(&path).expect("it is there again") == good);
    folder.well(&["verify"]);
}

#[test]
fn a_broken_file_is_kept_whole_and_strictness_is_a_status() {
    let folder = Folder::new("broken");
    let line = r#"{"resourceType":"Patient","id":"p1","birthDate":"yesterday"}"#;
    fs::create_dir(folder.0.join("export")).expect("a fresh folder");
    fs::write(
        folder.0.join("export/Patient.ndjson"),
        format!("{line}\n{{\"resourceType\":\"Patient\",\"id\":\"p2\"}}\n"),
    )
    .expect("it can be written");
    let ingested = folder.well(&["ingest", "export"]);
    assert!(ingested.contains("2 records: 1 accepted, 1 quarantined, 0 skipped"), "{ingested}");
    assert!(!ingested.contains("yesterday"), "a value may be personal: {ingested}");
    assert_eq!(folder.badly(&["ingest", "export", "--strict"]).0, 1);
    let diagnosis: Value = serde_json::from_str(&folder.well(&["doctor", "export", "--json"])).expect("JSON");
    assert_eq!(diagnosis["files"][0]["quarantine"][0]["rule"], "bad-value");
    assert_eq!(diagnosis["total"]["patients"], 1);
    folder.well(&["verify"]);
}

#[test]
fn wrong_usage_is_status_2_and_says_what_to_do() {
    let folder = Folder::new("usage");
    fs::create_dir(folder.0.join("empty")).expect("a fresh folder");
    fs::write(folder.0.join("file"), "x").expect("it can be written");
    for (arguments, words) in [
        (vec!["run", "--patient", "5"], "--patients"),
        (vec!["run", "--patients", "0"], "patients is 0: it must be from 1"),
        (vec!["run", "--lake", "file"], "a file is in the way"),
        (vec!["ingest", "empty"], "there is no file in this folder"),
        (vec!["ingest", "nowhere"], "nowhere"),
        (vec!["verify", "--lake", "nowhere"], "make one with"),
        (vec!["generate", "fhir", "--shard", "3/2"], "k from 1 to n"),
        (vec!["generate", "fhir", "--day", "2024-02-30"], "YYYY-MM-DD"),
    ] {
        let (status, said) = folder.badly(&arguments);
        assert!(status == 2 && said.contains(words), "{arguments:?}: {status} {said}");
    }
}

#[test]
fn a_marker_that_is_named_is_refused_alike_by_ingest_and_doctor() {
    let folder = Folder::new("marker");
    let patient = r#"{"resourceType":"Patient","id":"p"}"#;
    fs::create_dir(folder.0.join("_export")).expect("a fresh folder");
    for name in ["_file.ndjson", ".file.ndjson", "_export/p.ndjson", "_export/_SUCCESS"] {
        fs::write(folder.0.join(name), patient).expect("it can be written");
    }
    for name in ["_file.ndjson", ".file.ndjson", "_export/_SUCCESS"] {
        for command in ["ingest", "doctor"] {
            let (status, said) = folder.badly(&[command, name]);
            assert!(status == 2 && said.contains(name) && said.contains("rename it"), "{command}: {status} {said}");
        }
    }
    assert!(!folder.0.join("lake").exists(), "a refused command makes no lake");
    let ingested = folder.well(&["ingest", "_export"]);
    assert!(ingested.starts_with("1 file ingested"), "{ingested}");
    assert!(ingested.contains("1 records: 1 accepted"), "{ingested}");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_passed_over_or_named_and_stops_nothing_else() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("links");
    fs::create_dir_all(folder.0.join("export/s1")).expect("a fresh folder");
    let patient = r#"{"resourceType":"Patient","id":"p"}"#;
    fs::write(folder.0.join("export/s1/p.ndjson"), patient).expect("it can be written");
    fs::write(folder.0.join("elsewhere.ndjson"), patient.replace("\"p\"", "\"q\"")).expect("it can be written");
    symlink("../elsewhere.ndjson", folder.0.join("export/q.ndjson")).expect("linked");
    symlink(".", folder.0.join("export/s1/loop")).expect("linked");
    for command in ["ingest", "doctor"] {
        let said = folder.metriccare(&[command, "export"]);
        let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(said.status.success() && out.contains("2 records: 2 "), "{command}: {out} {err}");
        assert!(err.contains("passed over: export/s1/loop: a link to a folder is not followed"), "{command}: {err}");
    }
    symlink("nowhere", folder.0.join("export/s1/gone")).expect("linked");
    for command in ["ingest", "doctor"] {
        let (status, said) = folder.badly(&[command, "export"]);
        let words = "export/s1/gone: a link to nowhere, which cannot be read";
        assert!(status == 2 && said.contains(words), "{command}: {status} {said}");
    }
}

#[cfg(not(feature = "query"))]
#[test]
fn a_build_without_sql_says_which_command_has_it() {
    let (status, said) = Folder::new("no-sql").badly(&["query", "SELECT 1"]);
    assert!(status == 2 && said.contains("cargo run --release --features query -- query"), "{status} {said}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn without_the_sdk_everything_on_s3_is_answered_with_the_command_that_has_it() {
    let folder = Folder::new("no-sdk");
    for arguments in [
        vec!["run", "--lake", "s3://my-lake"],
        vec!["ingest", "--lake", "s3://my-lake"],
        vec!["verify", "--lake", "s3://my-lake/quality", "--landing", "s3://my-landing"],
        vec!["report", "--lake", "s3://my-lake"],
        vec!["generate", "fhir", "--out", "s3://my-lake/in", "--env-file", "aws.env"],
        vec!["generate", "tables", "--out", "s3://my-lake/in"],
        vec!["simulate", "--patients", "10", "--out", "s3://my-lake/in"],
        vec!["upload", "in", "s3://my-lake/in"],
        vec!["redrive", "--stage", "bronze", "--dry-run"],
    ] {
        let (status, said) = folder.badly(&arguments);
        let words = format!("cargo run --release --features aws -- {}\n", arguments.join(" "));
        assert!(status == 2 && said.contains(&words), "{arguments:?}: {status} {said}");
    }
    for (arguments, words) in [
        (vec!["run", "--lake", "s3:/my-lake"], "s3://bucket/prefix"),
        (vec!["run", "--lake", "s3://My_Lake"], "is no name of a bucket"),
        (vec!["run", "--landing", "s3://my-landing"], "lands inside it"),
    ] {
        let (status, said) = folder.badly(&arguments);
        assert!(status == 2 && said.contains(words), "{arguments:?}: {status} {said}");
    }
}

#[test]
fn what_was_put_into_landing_by_hand_is_carried_through() {
    let folder = Folder::new("by-hand");
    folder.well(&["run", "--patients", "20"]);
    fs::create_dir_all(folder.0.join("lake/landing/by/hand")).expect("a fresh folder");
    fs::write(folder.0.join("lake/landing/by/hand/p.json"), r#"{"resourceType":"Patient","id":"by-hand"}"#)
        .expect("written");
    let carried: Value = serde_json::from_str(&folder.well(&["ingest", "--json"])).expect("JSON");
    assert_eq!((&carried["accepted"], &carried["already_done"]), (&Value::from(1), &Value::from(6)));
    folder.well(&["verify"]);
}
