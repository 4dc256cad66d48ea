//! The command as a person uses it: exit statuses, what is printed, what lies in the folders afterwards.

mod folder;

use std::fs;

use serde_json::Value;

use crate::folder::Folder;

#[test]
fn a_second_run_finds_nothing_to_do() {
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
fn verify_names_damaged_cells_and_the_next_run_restores_a_missing_table() {
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
fn a_broken_record_is_quarantined_whole_and_strict_is_a_status() {
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
    folder.well(&["ingest", "export", "--strict"]);
    let (status, said) = folder.badly(&["ingest", "export", "--strict", "--lake", "strict"]);
    assert!(status == 1 && said.contains("1 record is quarantined"), "a run is judged by what it took in: {said}");
    let diagnosis: Value = serde_json::from_str(&folder.well(&["doctor", "export", "--json"])).expect("JSON");
    assert_eq!(diagnosis["files"][0]["quarantine"][0]["rule"], "bad-value");
    assert_eq!(diagnosis["total"]["patients"], 1);
    folder.well(&["verify"]);
}

#[test]
fn wrong_usage_is_status_2_with_a_hint() {
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
fn ingest_and_doctor_refuse_a_marker_file_that_is_named() {
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
    let output = folder.metriccare(&["ingest", "_export"]);
    let (ingested, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(ingested.starts_with("1 file ingested, 1 passed over\n"), "{ingested}");
    assert!(said.contains("passed over: _export/_SUCCESS: a name that begins with . or _"), "{said}");
    assert!(ingested.contains("1 record: 1 accepted"), "{ingested}");
}

#[test]
fn folders_say_the_type_and_a_source_is_the_first_segment() {
    let folder = Folder::new("landing-keys");
    fs::create_dir_all(folder.0.join("bronze/encounter/2025/09/15")).expect("a fresh folder");
    let encounter = r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"IMP"}}"#;
    fs::write(folder.0.join("bronze/encounter/2025/09/15/enc.json"), encounter).expect("it can be written");
    fs::create_dir_all(folder.0.join("data")).expect("a fresh folder");
    fs::rename(folder.0.join("bronze"), folder.0.join("data/bronze")).expect("moved");
    folder.well(&["ingest", "data"]);
    let landed = folder.files("lake/landing");
    assert!(landed.contains_key("encounter/2025/09/15/enc.json"), "{:?}", landed.keys());
    let output = folder.metriccare(&["ingest", "data", "--source", "st-marys"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let landed = folder.files("lake/landing");
    assert!(landed.contains_key("source=st-marys/encounter/2025/09/15/enc.json"), "{:?}", landed.keys());
    assert!(said.contains("have the same bytes: without --source and with it"), "{said}");
    let summary: Value = serde_json::from_str(&folder.well(&["ingest", "--json"])).expect("JSON");
    assert_eq!(summary["already_done"], 2);
    assert!(summary["unlinked"]["encounters_without_patient"].as_i64().expect("a count") > 0, "{summary}");
    assert!(folder.well(&["verify"]).contains("without a patient"));
    let (status, said) = folder.badly(&["ingest", "data", "--source", "St Mary"]);
    assert!(status == 2 && said.contains("lower-case letters, digits and hyphens"), "{said}");
}

#[test]
fn a_lake_that_is_copied_without_its_times_is_the_same_lake() {
    let folder = Folder::new("copied");
    folder.well(&["run", "--patients", "60"]);
    fs::write(folder.0.join("lake/landing/by-hand.json"), r#"{"resourceType":"Patient","id":"by-hand"}"#)
        .expect("written");
    folder.well(&["ingest"]);
    for (name, bytes) in folder.files("lake") {
        let path = folder.0.join("copy").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }
    let time = |name: &str| fs::metadata(folder.0.join(name)).and_then(|data| data.modified()).expect("a time");
    assert!(time("copy/landing/by-hand.json") > time("lake/landing/by-hand.json"), "the copy has times of its own");
    let verified = folder.well(&["verify", "--lake", "copy"]);
    assert!(verified.ends_with("the lake holds\n"), "{verified}");
    let summary: Value = serde_json::from_str(&folder.well(&["ingest", "--lake", "copy", "--json"])).expect("JSON");
    assert_eq!((&summary["records"], &summary["already_done"]), (&Value::from(0), &Value::from(7)));
}

#[test]
fn doctor_names_what_is_not_linked_and_ids_of_two_servers() {
    let folder = Folder::new("two-servers");
    let encounter = |id: &str, patient: &str, start: &str| {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\
             \"subject\":{{\"reference\":\"{patient}\"}},\"period\":{{\"start\":\"{start}\",\"end\":\"2025-06-09T08:00:00Z\"}}}}\n"
        )
    };
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n";
    let one = [
        patient,
        &encounter("1", "Patient/1", "2025-06-01T08:00:00Z"),
        &encounter("2", "Patient/1", "2025-06-02T08:00:00Z"),
    ];
    // The same encounter under another patient is a correction, at another time as well it is of another server.
    let two = [
        encounter("1", "Patient/2", "2025-06-05T08:00:00Z"),
        encounter("2", "Patient/3", "2025-06-02T08:00:00Z"),
        encounter("3", "https://a.org/fhir/Patient/7", "2025-06-03T08:00:00Z"),
        encounter("4", "https://b.org/fhir/Patient/7", "2025-06-03T08:00:00Z"),
    ];
    fs::write(folder.0.join("one.ndjson"), one.concat()).expect("it can be written");
    fs::write(folder.0.join("two.ndjson"), two.concat()).expect("it can be written");
    let said = folder.well(&["doctor", "one.ndjson"]);
    assert!(!said.contains("not linked") && !said.contains("--source"), "{said}");
    let said = folder.well(&["doctor", "one.ndjson", "two.ndjson"]);
    assert!(said.contains("not linked: 4 encounters with a patient that is in none of these files"), "{said}");
    let words = "2 ids seem to come from two servers (Encounter/1, Patient/7): ingest";
    assert!(said.contains(words), "{said}");
    let ingest = |file: &str| String::from_utf8(folder.metriccare(&["ingest", file]).stderr).expect("UTF-8");
    assert!(!ingest("one.ndjson").contains("two servers"));
    let said = ingest("two.ndjson");
    assert!(said.contains(&format!("warning: {words}")), "what landed before is compared as well: {said}");
}

#[test]
fn verify_looks_both_ways() {
    let folder = Folder::new("both-ways");
    folder.well(&["run", "--patients", "30"]);
    fs::write(folder.0.join("lake/landing/late.json"), r#"{"resourceType":"Patient","id":"late"}"#).expect("written");
    let (status, said) = folder.badly(&["verify"]);
    assert!(status == 1 && said.contains("late.json landed and is not in bronze"), "{said}");
    folder.well(&["ingest"]);
    fs::remove_file(folder.0.join("lake/landing/late.json")).expect("it is there");
    let (_, said) = folder.badly(&["verify"]);
    assert!(said.contains("1 object of bronze no longer in landing: late.json"), "{said}");
}

#[cfg(unix)]
#[test]
fn links_to_files_are_followed_and_others_are_reported() {
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

#[cfg(unix)]
#[test]
fn a_link_within_the_lake_is_refused_by_name_and_nothing_outside_changes() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("links-in-the-lake");
    folder.well(&["run", "--patients", "10"]);
    fs::rename(folder.0.join("lake/gold"), folder.0.join("outside")).expect("moved");
    symlink("../outside", folder.0.join("lake/gold")).expect("linked");
    fs::write(folder.0.join("secret.ndjson"), r#"{"resourceType":"Patient","id":"secret"}"#).expect("written");
    let outside = folder.files("outside");
    for arguments in [&["rebuild"][..], &["run", "--patients", "10", "--seed", "3"]] {
        let (_, said) = folder.badly(arguments);
        assert!(said.contains("lake/gold: a symbolic link is no part of a bucket"), "{arguments:?}: {said}");
        assert!(folder.files("outside") == outside, "{arguments:?}");
    }
    fs::remove_file(folder.0.join("lake/gold")).expect("there");
    fs::rename(folder.0.join("outside"), folder.0.join("lake/gold")).expect("moved");
    symlink("../../secret.ndjson", folder.0.join("lake/landing/link.ndjson")).expect("linked");
    let (_, said) = folder.badly(&["ingest"]);
    assert!(said.contains("link.ndjson: a symbolic link is no part of a bucket"), "{said}");
}

#[cfg(not(feature = "query"))]
#[test]
fn a_build_without_sql_names_the_build_with_it() {
    let (status, said) = Folder::new("no-sql").badly(&["query", "SELECT 1"]);
    assert!(status == 2 && said.contains("cargo run --release --features query -- query"), "{status} {said}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn without_the_sdk_s3_arguments_name_the_build_with_it() {
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
fn objects_put_into_landing_by_hand_are_processed() {
    let folder = Folder::new("by-hand");
    folder.well(&["run", "--patients", "20"]);
    fs::create_dir_all(folder.0.join("lake/landing/by/hand")).expect("a fresh folder");
    fs::write(folder.0.join("lake/landing/by/hand/p.json"), r#"{"resourceType":"Patient","id":"by-hand"}"#)
        .expect("written");
    let summary: Value = serde_json::from_str(&folder.well(&["ingest", "--json"])).expect("JSON");
    assert_eq!((&summary["accepted"], &summary["already_done"]), (&Value::from(1), &Value::from(6)));
    folder.well(&["verify"]);
}

#[test]
fn the_number_of_buckets_of_a_new_lake_is_chosen_once() {
    let folder = Folder::new("buckets");
    folder.well(&["run", "--patients", "20", "--buckets", "4"]);
    let settings = fs::read_to_string(folder.0.join("lake/_lake.json")).expect("a lake");
    assert_eq!(serde_json::from_str::<Value>(&settings).expect("JSON")["buckets"], 4, "{settings}");
    folder.well(&["run", "--patients", "20"]);
    folder.well(&["verify"]);
    let (status, said) = folder.badly(&["run", "--patients", "20", "--buckets", "8"]);
    assert!(status == 2 && said.contains("--buckets 8") && said.contains("4 buckets"), "{status} {said}");
    let (status, said) = folder.badly(&["run", "--buckets", "2000"]);
    assert!(status == 2 && said.contains("1024"), "{status} {said}");
}
