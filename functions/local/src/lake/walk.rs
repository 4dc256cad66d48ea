//! The files in a folder and its subfolders, for every command that takes a folder.
//!
//! Links to files are followed. Links to folders are not, because they may form a cycle; they are reported. What cannot be
//! read is reported with its own path, and the rest is found all the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

/// A file in a folder.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// Its path within the folder, with `/` between the parts; invalid UTF-8 is replaced.
    pub(crate) name: String,
}

/// An entry of a folder.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a Path,
    /// Its own name, without its folders.
    pub(crate) name: &'a str,
    /// Whether it is directly in the folder that was asked for.
    pub(crate) at_top: bool,
}

/// What was found, each kind sorted by name.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<File>,
    /// Links to folders, and what is neither a file nor a folder, each with its path and the reason.
    pub(crate) passed_over: Vec<String>,
    /// What cannot be read, each with its path and the reason: a broken link, a folder without permission.
    pub(crate) failures: Vec<String>,
}

/// Every file in a folder and its subfolders, without the entries that `exclude` holds for: files, or whole folders.
///
/// # Errors
/// Only if the folder itself cannot be read.
pub(crate) fn walk(folder: &Path, exclude: &mut dyn FnMut(&Entry<'_>) -> bool) -> io::Result<Found> {
    fs::read_dir(folder)?;
    let mut found = Found::default();
    let mut entries = WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                found.failures.push(format!("{path}: {reason}"));
                continue;
            }
        };
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy());
        if exclude(&Entry { path, name: &name, at_top: entry.depth() == 1 }) {
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            continue;
        }
        if entry.file_type().is_dir() {
            continue;
        }
        match fs::metadata(path) {
            Ok(data) if data.is_file() => {
                let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
                let name = if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() };
                found.files.push(File { path: path.to_owned(), name });
            }
            Ok(data) if data.is_dir() => {
                let words = "a link to a folder is not followed; name it as a path of its own to have what it holds";
                found.passed_over.push(format!("{}: {words}", path.display()));
            }
            Ok(_) => found.passed_over.push(format!("{}: neither a file nor a folder", path.display())),
            Err(error) => found.failures.push(format!("{}: {}", path.display(), why(path, &error))),
        }
    }
    Ok(found)
}

fn why(path: &Path, error: &io::Error) -> String {
    match fs::read_link(path) {
        Ok(target) => format!("a link to {}, which cannot be read: {error}", target.display()),
        Err(_) => error.to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A temporary folder.
    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn links_to_files_are_followed_and_other_links_are_reported() {
        let folder = Scratch(std::env::temp_dir().join(format!("metriccare-walk-{}", std::process::id())));
        let root = &folder.0;
        fs::create_dir_all(root.join("s1")).expect("a fresh folder");
        fs::write(root.join("s1/a"), "12").expect("written");
        fs::write(root.join("z"), "1").expect("written");
        symlink(".", root.join("s1/loop")).expect("linked");
        symlink("a", root.join("s1/as-a")).expect("linked");
        symlink("nowhere", root.join("s1/gone")).expect("linked");
        let found = walk(root, &mut |_| false).expect("the folder is there");
        let files: Vec<_> = found.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(files, ["s1/a", "s1/as-a", "z"]);
        let words = format!("{}: a link to a folder is not followed", root.join("s1/loop").display());
        assert!(found.passed_over.len() == 1 && found.passed_over[0].starts_with(&words), "{:?}", found.passed_over);
        let words = format!("{}: a link to nowhere, which cannot be read: ", root.join("s1/gone").display());
        assert!(found.failures.len() == 1 && found.failures[0].starts_with(&words), "{:?}", found.failures);

        let found = walk(root, &mut |entry| entry.at_top && entry.name == "s1").expect("the folder is there");
        assert_eq!(found.files.len(), 1);
        assert!(walk(&root.join("none"), &mut |_| false).is_err());
    }
}
