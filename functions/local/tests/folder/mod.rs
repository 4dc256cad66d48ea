//! A temporary folder in which a test runs the command.

#![allow(dead_code, unreachable_pub, reason = "every file of tests uses a part of it")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A temporary folder.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the target folder can be written");
        Folder(path)
    }

    pub fn metriccare(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metriccare"));
        command.current_dir(&self.0).args(arguments).output().expect("the command starts")
    }

    /// Runs a command that has to end well, and gives what it printed.
    pub fn well(&self, arguments: &[&str]) -> String {
        let output = self.metriccare(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a command that has to end badly, and gives its status and its words.
    pub fn badly(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.metriccare(arguments);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().expect("it was not killed"), String::from_utf8(said).expect("UTF-8"))
    }

    /// Every file below a folder, by its path there.
    pub fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        Folder::files_below(&self.0.join(below))
    }

    /// Makes a folder hold these files and no others.
    pub fn restore(&self, below: &str, files: &BTreeMap<String, Vec<u8>>) {
        let _ = fs::remove_dir_all(self.0.join(below));
        for (name, bytes) in files {
            self.write(&format!("{below}/{name}"), bytes);
        }
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, bytes).expect("it can be written");
    }

    /// Every file below any folder, by its path there.
    pub fn files_below(root: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("it is there") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(root).expect("it is below").display().to_string();
                    files.insert(name, fs::read(path).expect("it can be read"));
                }
            }
        }
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
