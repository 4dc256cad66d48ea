//! An object of a thousand hospitals: bronze makes a file for each, with few files open and in little memory.

#![cfg(target_os = "linux")]

mod folder;

use std::{fmt::Write, process::Command};

use crate::folder::Folder;

const HOSPITALS: usize = 1_000;

#[test]
fn an_object_of_a_thousand_hospitals_needs_few_open_files_and_little_memory() {
    let folder = Folder::new("hospitals");
    let mut encounters = String::new();
    for at in 0..40_000 {
        writeln!(
            encounters,
            "{{\"resourceType\":\"Encounter\",\"id\":\"e{at}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\
             \"subject\":{{\"reference\":\"Patient/p{at}\"}},\"serviceProvider\":{{\"display\":\"Hospital {}\"}},\
             \"period\":{{\"start\":\"2024-02-01T08:00:00Z\",\"end\":\"2024-02-03T09:30:15Z\"}}}}",
            at % HOSPITALS
        )
        .expect("memory");
    }
    folder.write("e.ndjson", encounters.as_bytes());
    // What a person's shell allows is 256 on some systems; memory is that of the whole address space, measured by the kernel.
    let script = "ulimit -n 256; \"$@\" & pid=$!; peak=0; while [ -r /proc/$pid/status ]; do \
                  now=$(sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$pid/status 2>/dev/null); \
                  [ -z \"$now\" ] || peak=$now; [ -n \"$now\" ] || break; sleep 0.05; done; wait $pid; code=$?; echo \"peak $peak\"; exit $code";
    let binary = env!("CARGO_BIN_EXE_metriccare");
    let output =
        Command::new("sh").current_dir(&folder.0).args(["-c", script, "sh", binary, "ingest", "e.ndjson"]).output();
    let output = output.expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let files = folder.files("lake/bronze/encounter");
    assert_eq!(files.len(), HOSPITALS);
    let peak: u64 = said.rsplit("peak ").next().and_then(|text| text.trim().parse().ok()).expect("a peak");
    assert!((1_000..600 * 1024).contains(&peak), "{peak} KiB");
    folder.well(&["verify"]);
}
