//! The Python environments that stand-ins and checks run in, made by `infra/local-cloud/environment`, once.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folder of the programs of an environment, made where there is none.
pub(crate) fn environment(name: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/local-cloud/environment");
    let made = Command::new(script).arg(name).stderr(Stdio::inherit()).output();
    let made = made.expect("bash runs infra/local-cloud/environment");
    assert!(made.status.success(), "the Python environment {name} could not be made; what is missing stands above");
    PathBuf::from(String::from_utf8(made.stdout).expect("a path").trim())
}
