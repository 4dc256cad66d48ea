//! Reading what another engine computed: `report`, `explain` and `verify` on the tables that DuckDB writes with Athena's SQL.

mod folder;
#[path = "../../../tests/src/python.rs"]
#[expect(unreachable_pub, reason = "it is public where the other tests use it")]
mod python;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::folder::Folder;

/// Has DuckDB compute silver and gold of the lake into a folder.
fn rebuild(folder: &Folder, out: &str) {
    let athena = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/athena/rebuild");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python: PathBuf = python::environment(target, "two-engines", &athena.join("requirements.txt"));
    let mut compare = Command::new(python);
    compare.arg(athena.join("compare.py")).arg(folder.0.join("lake")).arg("--out").arg(folder.0.join(out));
    let output = compare.output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

#[test]
fn the_tables_of_another_engine_are_reported_explained_and_verified() {
    let folder = Folder::new("engine-tables");
    folder.well(&["run", "--patients", "300", "--facilities", "3", "--dirty", "broken=2%,late=5%,duplicates=3%"]);
    folder.well(&["generate", "tables", "--patients", "300", "--facilities", "3", "--out", "tables"]);
    folder.well(&["ingest", "tables"]);
    rebuild(&folder, "rebuilt");

    let checks = |more: &[&str]| {
        let text = folder.well(&[&["verify", "--json"], more].concat());
        let verified: Value = serde_json::from_str(&text).expect("JSON");
        let checks = verified["checks"].as_array().expect("checks").clone();
        checks.into_iter().partition::<Vec<_>, _>(|check| check["name"] == "links")
    };
    let ((own_links, own), (links, verified)) = (checks(&[]), checks(&["--tables", "rebuilt"]));
    assert_eq!(verified, own, "the same checks compare as much");
    assert!(own.len() > 5 && own_links[0]["skipped"].is_null() && links[0]["skipped"].is_string(), "{links:?}");

    folder.well(&["report", "--out", "own.html"]);
    folder.well(&["report", "--out", "engine.html", "--tables", "rebuilt"]);
    let page = |name: &str| fs::read_to_string(folder.0.join(name)).expect("a page");
    assert!(page("own.html").len() > 10_000 && page("own.html") == page("engine.html"));

    let explain = |more: &[&str]| folder.well(&[&["explain", "readmission", "--json"], more].concat());
    assert_eq!(explain(&[]), explain(&["--tables", "rebuilt"]));
    let stays = folder.well(&["show", "gold_stay", "--format", "csv"]);
    let stay = stays.lines().nth(1).and_then(|row| row.split(',').next()).expect("a stay").to_owned();
    let explain = |more: &[&str]| folder.well(&[&["explain", "stay", &stay, "--json"], more].concat());
    assert_eq!(explain(&[]), explain(&["--tables", "rebuilt"]));

    // A number that the engine got wrong is found.
    fs::remove_dir_all(folder.0.join("rebuilt/silver/encounter/bucket=03")).expect("a bucket of 300 patients");
    let (status, said) = folder.badly(&["verify", "--tables", "rebuilt"]);
    assert!(status == 1 && said.contains("silver/encounter encounter_id=") && said.contains("is missing"), "{said}");
    let (status, said) = folder.badly(&["report", "--tables", "nowhere"]);
    assert!(status == 2 && said.contains("nowhere") && said.contains("silver/"), "{said}");
}
