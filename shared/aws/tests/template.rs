//! What production pipelines on S3 events most often get wrong, held against `template.yaml`.

mod python;

use std::{path::Path, process::Command};

#[test]
fn the_template_gets_right_what_others_get_wrong() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let programs = python::environment("emulators");
    let run = |program: &str, arguments: &[&str], folder: &str| {
        let done = Command::new(programs.join(program)).args(arguments).current_dir(root.join(folder)).status();
        assert!(
            done.expect("it runs").success(),
            "{program} {arguments:?} in {folder} failed; what is wrong stands above"
        );
    };
    run("python", &["-m", "unittest", "--quiet", "template_test"], "infra/local-cloud");
    run("python", &["save-queries", "--check"], "infra/athena");
    run("cfn-lint", &["template.yaml"], ".");
}
