//! Standard input and output: answers from a pipe, data to a pipe, and nothing else beside it.

mod folder;

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::folder::Folder;

/// Runs a command with an input, and gives its standard output.
fn piped(folder: &Folder, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_metriccare"))
        .current_dir(&folder.0)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the command reads");
    let output = child.wait_with_output().expect("the command ends");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_simulator_reads_its_answers_from_a_pipe() {
    let folder = Folder::new("simulate-pipe");
    let summary = piped(&folder, &["simulate"], "100\n2022\n\n\n\n\n");
    assert!(summary.contains("Year simulated:           2022\nTotal patients simulated: 100\n"), "{summary}");
    assert!(summary.contains("Mortality   : 10\nInfection   : 20\nReadmission : 15\nALOS        : 100\n"), "{summary}");
    let short = piped(&folder, &["simulate", "--patients", "50", "--out", "short"], "2021\n4\n");
    assert!(short.contains("Year simulated:           2021\nTotal patients simulated: 50\n"), "{short}");
    assert!(short.contains("Mortality   : 2\nInfection   : 10\n"), "{short}");
    let defaults = piped(&folder, &["simulate", "--patients", "50", "--out", "defaults"], "");
    assert!(defaults.contains("Year simulated:           2023\n"), "{defaults}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn the_simulators_upload_says_which_build_has_it() {
    let folder = Folder::new("simulate-upload");
    let (status, said) = folder.badly(&["simulate", "--patients", "20", "--upload"]);
    assert!(status == 2 && said.contains("--features aws -- simulate --patients 20 --upload"), "{status} {said}");
    assert!(!folder.0.join("fhir_data").exists(), "it says so before it makes anything");
}

#[test]
fn fhir_on_standard_output_is_what_the_files_hold() {
    let folder = Folder::new("fhir-stdout");
    let world = ["--patients", "40", "--facilities", "3", "--providers", "5"];
    let generate = |more: &[&str]| folder.well(&[&["generate", "fhir"], &world[..], more].concat());
    generate(&["--out", "files"]);
    let files = folder.files("files");
    let lines = |kind: &str| -> Vec<String> {
        let files = files.iter().filter(|(name, _)| name.starts_with(&format!("{kind}/")));
        files
            .flat_map(|(_, bytes)| {
                String::from_utf8(bytes.clone()).expect("UTF-8").lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    };
    let ndjson = generate(&["--out", "-", "--threads", "1"]);
    assert!(ndjson == generate(&["--out", "-", "--threads", "3"]), "threads change no byte");
    for (kind, resource) in [("organization", "Organization"), ("patient", "Patient"), ("condition", "Condition")] {
        let start = format!("{{\"resourceType\":\"{resource}\"");
        let found: Vec<_> = ndjson.lines().filter(|line| line.starts_with(&start)).collect();
        assert!(!found.is_empty() && found == lines(kind), "{kind}");
    }
    let array: Vec<Value> = serde_json::from_str(&generate(&["--out", "-", "--format", "json"])).expect("an array");
    assert_eq!(array.len(), ndjson.lines().count());
    let bundle: Value = serde_json::from_str(&generate(&["--out", "-", "--format", "bundle"])).expect("a Bundle");
    assert_eq!(bundle["entry"].as_array().map(Vec::len), Some(array.len()));
    let first_half = generate(&["--out", "-", "--shard", "1/2"]);
    let both = first_half + &generate(&["--out", "-", "--shard", "2/2"]);
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert!(sorted(&both) == sorted(&ndjson), "shards together make the whole");
    for (flag, words) in [("--json", "name a folder with --out"), ("--dirty=late=1%", "which needs a folder")] {
        let (status, said) = folder.badly(&["generate", "fhir", "--out", "-", flag]);
        assert!(status == 2 && said.contains(words), "{said}");
    }
}

#[test]
fn a_table_on_standard_output_is_what_its_file_holds() {
    let folder = Folder::new("tables-stdout");
    let generate = |more: &[&str]| folder.metriccare(&[&["generate", "tables", "--patients", "600"], more].concat());
    assert!(generate(&["--out", "files"]).status.success());
    let files = folder.files("files");
    for table in ["patients", "encounters", "claims", "registry", "providers", "facilities", "cms_measures", "hai_data"]
    {
        let output = generate(&["--table", table, "--out", "-"]);
        assert!(output.status.success(), "{table}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == files[&format!("{table}.csv")], "{table}");
    }
    let mut text = Vec::new();
    let zipped = generate(&["--table", "claims", "--out", "-", "--gzip"]).stdout;
    flate2::read::MultiGzDecoder::new(zipped.as_slice()).read_to_end(&mut text).expect("gzip");
    assert!(text == files["claims.csv"]);
    for form in ["csv", "parquet"] {
        assert!(generate(&["--table", "registry", "--format", form, "--out", form]).status.success());
        assert_eq!(folder.files(form).into_keys().collect::<Vec<_>>(), [format!("registry.{form}")]);
    }
    for (more, words) in [
        (&["--out", "-"][..], "takes one table"),
        (&["--out", "-", "--table", "claims", "--format", "parquet"], "needs files"),
        (&["--out", "-", "--table", "hai_data", "--shard", "1/2"], "of the whole population"),
        (&["--out", "-", "--table", "claim"], "claims"),
    ] {
        let (status, said) = folder.badly(&[&["generate", "tables"], more].concat());
        assert!(status == 2 && said.contains(words), "{more:?}: {said}");
    }
}

#[test]
fn a_day_without_a_year_is_of_its_own_year() {
    let folder = Folder::new("day-year");
    let feed = ["generate", "fhir", "--patients", "60", "--day", "2024-02-29"];
    folder.well(&[&feed[..], &["--out", "one"]].concat());
    folder.well(&[&feed[..], &["--year", "2024", "--out", "two"]].concat());
    assert!(folder.files("one") == folder.files("two"));
    let (status, said) = folder.badly(&[&feed[..], &["--year", "2025"]].concat());
    assert!(status == 2 && said.contains("it must be a day of the world's year, which is 2025"), "{said}");
}
