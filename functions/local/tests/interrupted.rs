//! Every command that writes, killed at several moments, on a full disk and without permission: the lake is never damaged, the
//! error is clear, and the same command run once more ends as if nothing had happened.

#![cfg(unix)]

mod folder;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::folder::Folder;

type Files = BTreeMap<String, Vec<u8>>;

/// Commands that write into the lake, or beside it, on a lake that [`prepared`] made.
const WRITING: [&[&str]; 10] = [
    &["run", "--patients", "30", "--seed", "5"],
    &["ingest", "export"],
    &["rebuild"],
    &["rebuild", "--from", "landing"],
    &["compact"],
    &["quarantine", "retry"],
    &["withdraw", "--patient", "p1", "--reason", "asked for"],
    &["generate", "fhir", "--patients", "300", "--out", "lake/fhir"],
    &["generate", "tables", "--patients", "300", "--out", "lake/tables"],
    &["simulate", "--patients", "300", "--out", "lake/simulated"],
];

/// Commands that only read.
const READING: [&[&str]; 7] = [
    &["verify"],
    &["stats"],
    &["show", "gold_mortality"],
    &["quarantine", "list"],
    &["doctor", "export"],
    &["explain", "readmission"],
    &["report", "--out", "report.html"],
];

/// A lake with two deliveries, one quarantined record and a patient to withdraw, and an export that is not in it yet.
fn prepared(name: &str) -> (Folder, Files) {
    let folder = Folder::new(name);
    let patients =
        "{\"resourceType\":\"Patient\",\"id\":\"p1\"}\n{\"resourceType\":\"Patient\",\"id\":\"p2\"}\nno JSON\n";
    folder.write("first/patients.ndjson", patients.as_bytes());
    folder.well(&["generate", "fhir", "--patients", "25", "--seed", "8", "--out", "export"]);
    folder.well(&["run", "--patients", "25"]);
    folder.well(&["ingest", "first"]);
    // The first withdrawal makes the lake's key of withdrawals, at random.
    folder.well(&["withdraw", "--patient", "p2", "--reason", "asked for"]);
    let files = folder.files("lake");
    (folder, files)
}

/// The objects of a lake: no ledger, nothing that the store keeps for itself, no withdrawal with its time.
fn objects(folder: &Folder) -> Files {
    let mut files = folder.files("lake");
    files.retain(|name, _| {
        !name.split('/').any(|part| part.starts_with('.')) && !name.starts_with("bronze/withdrawal/")
    });
    files
}

fn same(is: &Files, should: &Files, when: &str) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(is), names(should), "{when}");
    for (name, bytes) in should {
        assert!(is[name] == *bytes, "{when}: {name} differs");
    }
}

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metriccare"));
    command.current_dir(&folder.0).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Ends a command as a person or the system does, and says whether it was still running.
fn kill_after(folder: &Folder, arguments: &[&str], wait: Duration) -> bool {
    let mut child = command(folder, arguments).spawn().expect("it starts");
    thread::sleep(wait);
    let was_running = child.try_wait().expect("an answer").is_none();
    child.kill().expect("killed");
    child.wait().expect("it has ended");
    was_running
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the moments of the kills follow from how long a command takes here")]
fn a_killed_command_that_is_run_again_ends_as_if_it_had_not_been_killed() {
    let (folder, before) = prepared("killed");
    for arguments in WRITING {
        folder.restore("lake", &before);
        let begun = Instant::now();
        folder.well(arguments);
        let took = begun.elapsed();
        let after = objects(&folder);
        for part in [2, 5, 8] {
            // A command that was faster this time is killed sooner, until the kill hits it.
            let mut wait = took * part / 10;
            folder.restore("lake", &before);
            while !kill_after(&folder, arguments, wait) {
                folder.restore("lake", &before);
                wait /= 2;
            }
            let when = format!("{arguments:?} killed after {part} tenths");
            folder.well(arguments);
            same(&objects(&folder), &after, &when);
        }
        let output = command(&folder, &["verify"]).output().expect("it starts");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    }
}

#[test]
fn a_killed_reader_leaves_the_lake_as_it_was() {
    let (folder, _) = prepared("killed-reader");
    let before = folder.files("lake");
    for arguments in READING {
        kill_after(&folder, arguments, Duration::from_millis(15));
        assert!(folder.files("lake") == before, "{arguments:?}");
        folder.well(arguments);
        assert!(folder.files("lake") == before, "{arguments:?}");
    }
}

/// Runs a command whose files may have so many blocks of 512 bytes, and that is told so by an error, not by a signal.
fn on_a_full_disk(folder: &Folder, arguments: &[&str], blocks: u32) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.current_dir(&folder.0).args(["-c", &script, "sh", env!("CARGO_BIN_EXE_metriccare")]).args(arguments);
    command.output().expect("a shell")
}

#[test]
fn a_command_on_a_full_disk_says_so_and_ends_well_when_there_is_space() {
    let (folder, before) = prepared("full");
    let mut refused = 0;
    for arguments in WRITING {
        folder.restore("lake", &before);
        folder.well(arguments);
        let after = objects(&folder);
        // No byte at all, small files only, and all but the largest.
        for blocks in [0, 4, 60] {
            folder.restore("lake", &before);
            let output = on_a_full_disk(&folder, arguments, blocks);
            let (said, when) = (text(&output), format!("{arguments:?} with {blocks} blocks"));
            assert!(!said.contains("panicked"), "{when}: {said}");
            if !output.status.success() {
                refused += 1;
                let words = ["larger than the disk takes", "no space", "File too large", "too large"];
                assert!(words.iter().any(|word| said.contains(word)), "{when}: {said}");
            }
            folder.well(arguments);
            // A withdrawal ends without an object that could not be taken in again, and says so: the next ingest takes it.
            if arguments[0] == "withdraw" {
                folder.well(&["ingest"]);
            }
            same(&objects(&folder), &after, &when);
        }
    }
    assert!(refused >= 20, "only {refused} of 30 met the limit");
}

#[test]
fn a_command_without_permission_says_so_and_changes_nothing() {
    let (folder, _) = prepared("forbidden");
    let before = folder.files("lake");
    let is_root = fs::metadata(folder.0.join("export")).expect("it is there").uid() == 0;
    if is_root {
        // Root may write everywhere: the command runs as nobody.
        if command(&folder, &["--version"]).uid(65_534).status().map_or(true, |status| !status.success()) {
            return;
        }
    } else {
        set_mode(&folder, 0o555);
    }
    for arguments in WRITING {
        let mut command = command(&folder, arguments);
        if is_root {
            command.uid(65_534);
        }
        let output = command.output().expect("it starts");
        let said = text(&output);
        assert!(!output.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
        assert!(said.to_lowercase().contains("permission denied"), "{arguments:?}: {said}");
        assert!(folder.files("lake") == before, "{arguments:?}");
    }
    set_mode(&folder, 0o755);
}

/// Sets the mode of every folder of the lake.
fn set_mode(folder: &Folder, mode: u32) {
    let mut open = vec![folder.0.join("lake")];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).expect("it is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            }
        }
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(&path, permissions).expect("ours");
    }
}
