//! Python environments for what is tested with Python: made once from a pinned list, made again when the list changes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use metriccare_lake::keys::hex;
use sha2::{Digest, Sha256};

/// The Python program of an environment below `target` that has what the list requires.
///
/// # Panics
/// With what to do about it, where Python 3 or a package is not to be had.
pub fn environment(target: &Path, name: &str, requirements: &Path) -> PathBuf {
    let list = fs::read(requirements).unwrap_or_else(|error| panic!("{}: {error}", requirements.display()));
    let place = target.join("python").join(format!("{name}-{}", &hex(&Sha256::digest(&list))[..12]));
    fs::create_dir_all(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    // Several test programs may ask at once: the first makes it, the others wait.
    let lock = fs::File::create(place.with_extension("lock")).expect("a lock file beside the environment");
    lock.lock().expect("a lock that is given in the end");
    let (python, complete) = (place.join("bin/python"), place.join("complete"));
    if complete.is_file() {
        return python;
    }
    fs::remove_dir_all(&place).expect("what an earlier attempt left can be removed");
    let mut make = Command::new("python3");
    run(
        make.args(["-m", "venv"]).arg(&place),
        "this test runs Athena's SQL with Python 3: install Python 3.10 or later with its venv module (Debian: python3-venv)",
    );
    let mut install = Command::new(&python);
    run(
        install
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements),
        "the packages could not be installed: is a package index in reach?",
    );
    fs::write(complete, "").expect("a mark in the environment");
    python
}

fn run(command: &mut Command, advice: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{advice}\n{error}"));
    assert!(output.status.success(), "{advice}\n{}", String::from_utf8_lossy(&output.stderr));
}
