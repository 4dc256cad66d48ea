//! What a power cut may do to a lake on disk, and that the next command mends it: the promise of docs/trust.md.

mod folder;

use std::{collections::BTreeMap, fs};

use crate::folder::Folder;

type Files = BTreeMap<String, Vec<u8>>;

const LEDGER: &str = ".ledger.redb";

/// The objects of a lake: no ledger, and nothing that the store keeps for itself.
fn objects(files: &Files) -> Files {
    let is_object = |name: &str| !name.split('/').any(|part| part.starts_with('.'));
    files.iter().filter(|(name, _)| is_object(name)).map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

fn same(is: &Files, should: &Files, when: &str) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(is), names(should), "{when}");
    for (name, bytes) in should {
        assert!(is[name] == *bytes, "{when}: {name} differs");
    }
}

/// Pseudo-random numbers from a seed, of the upper bits of a linear congruential generator.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What a lake may be after a power cut between two states, while works were done: the ledger is the older one, everything
/// has landed with its reference data, a file of bronze is anything, and any other file is whole, as it was or as it became.
fn cut_while_working(before: &Files, after: &Files, seed: u64) -> Files {
    let mut draw = Draw(seed);
    let mut left = before.clone();
    for (name, bytes) in after {
        if name == LEDGER || before.get(name) == Some(bytes) {
            continue;
        }
        let found = match (name.split('/').next(), draw.below(4)) {
            (Some("landing" | "reference"), _) => bytes.clone(),
            (_, 0) => continue,
            (Some("bronze"), 1) => Vec::new(),
            (Some("bronze"), 2) => bytes[..bytes.len() / 2].to_vec(),
            _ => bytes.clone(),
        };
        left.insert(name.clone(), found);
    }
    left
}

/// What it may be while objects were landing: some have landed, and nothing else was begun.
fn cut_while_landing(before: &Files, after: &Files, seed: u64) -> Files {
    let mut draw = Draw(seed);
    let mut left = before.clone();
    let landed = after.iter().filter(|(name, _)| name.starts_with("landing/") && !before.contains_key(*name));
    // A remembered time stands for the time of the file, which is forced with it.
    let landed = landed.filter(|(name, _)| name.contains("/.store/times/") || draw.below(2) == 0);
    left.extend(landed.map(|(name, bytes)| (name.clone(), bytes.clone())));
    left
}

#[test]
fn what_was_not_forced_to_the_disk_is_done_again() {
    let folder = Folder::new("power-cut");
    folder.well(&["generate", "fhir", "--patients", "25", "--seed", "7", "--out", "first"]);
    folder.well(&["generate", "fhir", "--patients", "25", "--seed", "8", "--out", "second"]);
    folder.write("second/broken.ndjson", b"no JSON\n");
    folder.well(&["ingest", "first"]);
    let before = folder.files("lake");
    folder.well(&["ingest", "second"]);
    let after = folder.files("lake");
    assert!(before[LEDGER] != after[LEDGER]);

    for seed in 0..12 {
        folder.restore("lake", &cut_while_working(&before, &after, seed));
        folder.well(&["ingest"]);
        same(&objects(&folder.files("lake")), &objects(&after), &format!("working, seed {seed}"));
        if seed % 4 == 0 {
            folder.well(&["verify"]);
        }
    }
    for seed in 0..4 {
        folder.restore("lake", &cut_while_landing(&before, &after, seed));
        folder.well(&["ingest", "second"]);
        same(&objects(&folder.files("lake")), &objects(&after), &format!("landing, seed {seed}"));
    }
}

/// Damage that a failing disk does, or a hand: what shows it, and what mends it.
#[test]
fn every_kind_of_empty_or_missing_file_is_shown_and_mended() {
    let folder = Folder::new("damaged-files");
    folder.well(&["run", "--patients", "25"]);
    let whole = folder.files("lake");
    let first = |prefix: &str| whole.keys().find(|name| name.starts_with(prefix)).expect(prefix).clone();
    let rebuild: &[&str] = &["rebuild"];
    let run: &[&str] = &["run", "--patients", "25"];
    for (prefix, is_shown, mends) in [
        ("bronze/encounter/", true, &["rebuild", "--from", "landing"][..]),
        ("bronze/_commits/", true, &["rebuild", "--from", "landing"]),
        ("silver/encounter/", true, rebuild),
        // It only says that the bucket changed: gold reads the tables.
        ("silver/_commits/", false, rebuild),
        ("gold/mortality/", true, rebuild),
        (LEDGER, false, &["ingest"]),
        ("landing/encounter", true, run),
    ] {
        for is_missing in [false, true] {
            let (name, when) = (first(prefix), format!("{prefix}, missing: {is_missing}"));
            folder.restore("lake", &whole);
            let path = folder.0.join("lake").join(&name);
            if is_missing {
                fs::remove_file(path).expect("it is there");
            } else {
                fs::write(path, "").expect("it can be written");
            }
            let output = folder.metriccare(&["verify"]);
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(i32::from(is_shown)), "{when}: {said}");
            assert!(!said.contains("panicked"), "{when}: {said}");
            folder.well(mends);
            same(&objects(&folder.files("lake")), &objects(&whole), &when);
            folder.well(&["verify"]);
        }
    }
}
