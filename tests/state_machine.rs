//! The rebuild's state machine on a local cloud: it runs the statements in ranges of buckets, publishes all tables or none,
//! and removes earlier runs. `infra/athena/state_machine.py` plays Athena and says what is tried.

use std::{path::Path, process::Command};

use metriccare_tests::{
    engines::{BEDS, dirty_world, infra, lake, year},
    python, simulated,
};

static TARGET: &str = env!("CARGO_TARGET_TMPDIR");

#[tokio::test]
async fn a_run_publishes_all_tables_or_none() {
    let python = python::environment(Path::new(TARGET), "state-machine", &infra().join("athena/requirements.txt"));
    let place = Path::new(TARGET).join("state-machine-lake");
    // Two ranges of buckets, since Athena writes at most a hundred partitions a statement.
    let world = dirty_world(200, 20);
    let objects = [year(&world), simulated::tables(&world, 100)].concat();
    lake(&place, &objects, BEDS, 120).await;
    let run = Command::new(python).arg(infra().join("athena/state_machine.py")).arg(&place).output().expect("Python");
    let (shown, complained) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{shown}{complained}");
    #[expect(clippy::disallowed_macros, reason = "a test talks to whoever runs it")]
    {
        println!("{shown}");
    }
}
