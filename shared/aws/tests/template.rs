//! What production pipelines on S3 events most often get wrong, held against `template.yaml`.

mod emulators;

use std::{path::Path, process::Command};

#[test]
fn the_template_gets_right_what_others_get_wrong() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = emulators::environment("emulators").join("python");
    let run = |arguments: &[&str], folder: &str| {
        let done = Command::new(&python).args(arguments).current_dir(root.join(folder)).status();
        assert!(done.expect("Python runs").success(), "{arguments:?} in {folder} failed; what is wrong stands above");
    };
    run(&["-m", "unittest", "--quiet", "template_test"], "infra/local-cloud");
    run(&["save-queries", "--check"], "infra/athena");
    run(&["-m", "cfnlint", "../template.yaml"], "infra");
}
