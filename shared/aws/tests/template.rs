//! What production pipelines on S3 events most often get wrong, checked on `template.yaml` and the templates nested in it.

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
    let nested = std::fs::read_dir(root.join("infra/templates")).expect("the nested templates");
    let nested = nested.map(|entry| entry.expect("an entry").path().to_string_lossy().into_owned());
    let templates: Vec<String> = std::iter::once("template.yaml".to_owned()).chain(nested).collect();
    assert!(templates.len() > 1, "no nested templates");
    run("cfn-lint", &templates.iter().map(String::as_str).collect::<Vec<_>>(), ".");
}
