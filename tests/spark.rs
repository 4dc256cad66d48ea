//! The third engine: Spark, by the same statements, writes every row of silver and gold that the pipeline wrote.
//!
//! Skipped with the reason where there is no Java.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use metriccare_tests::{
    crowded::crowd,
    engines::{BEDS, compare, dirty_world, infra, lake, year},
    python, simulated,
};

static TARGET: &str = env!("CARGO_TARGET_TMPDIR");

static PYTHON: LazyLock<PathBuf> =
    LazyLock::new(|| python::environment(Path::new(TARGET), "spark", &infra().join("spark/requirements.txt")));

/// Whether Spark can start here; says so where it cannot.
fn java() -> bool {
    let found = Command::new("java").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = found.is_ok_and(|status| status.success());
    if !there {
        #[expect(clippy::disallowed_macros, reason = "a test talks to whoever runs it")]
        {
            eprintln!("skipped: Spark needs Java 17 or later, and there is no `java` on the PATH");
        }
    }
    there
}

#[tokio::test]
async fn spark_computes_what_the_pipeline_wrote() {
    if !java() {
        return;
    }
    let folder = Path::new(TARGET).join("spark-lakes");
    // One after the other: a Spark takes both cores for itself.
    let beds = "hospital_name,staffed_beds\nDuke,20\n2025,3\n";
    let world = dirty_world(300, 20);
    let dirty = [year(&world), simulated::tables(&world, 100)].concat();
    for (name, objects, hospitals, buckets) in [("dirty", dirty, BEDS, 16), ("crowd", crowd(7), beds, 3)] {
        let place = folder.join(name);
        lake(&place, &objects, hospitals, buckets).await;
        compare(&PYTHON, &place, &["--engine", "spark"]);
    }
}
