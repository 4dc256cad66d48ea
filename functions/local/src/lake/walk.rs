//! The files below a folder of a person's, for every command that takes one.
//!
//! A link to a file is as good as the file. A link to a folder may lead in a circle, so that it is not followed but told of.
//! What cannot be read is named with its own path, and the rest is found all the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file below a folder.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// Its name below the folder, with `/` between the parts; what is no UTF-8 in it is replaced.
    pub(crate) name: String,
}

/// What lies directly in a folder of the walk.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a Path,
    /// Its own name, without the folders that it lies in.
    pub(crate) name: &'a str,
    /// Whether it lies in the folder that was asked for, not in one below.
    pub(crate) at_top: bool,
}

/// What was found, each kind in the order of its names.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<File>,
    /// Links to folders, and what is neither a file nor a folder, each with the words that say so.
    pub(crate) passed_over: Vec<String>,
    /// What cannot be read, each with its path and why: a link that leads nowhere, a folder that is closed to us.
    pub(crate) failures: Vec<String>,
}

/// Every file below a folder but for what is to be passed over: files, or folders with all that they hold.
///
/// # Errors
/// Only where the folder itself cannot be read.
pub(crate) fn walk(folder: &Path, pass_over: &mut dyn FnMut(&Entry<'_>) -> bool) -> io::Result<Found> {
    let mut found = Found::default();
    below(folder, "", pass_over, &mut found)?;
    Ok(found)
}

fn below(
    folder: &Path,
    prefix: &str,
    pass_over: &mut dyn FnMut(&Entry<'_>) -> bool,
    found: &mut Found,
) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if pass_over(&Entry { path: &path, name: &name, at_top: prefix.is_empty() }) {
            continue;
        }
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if entry.file_type()?.is_dir() {
            if let Err(error) = below(&path, &name, pass_over, found) {
                found.failures.push(format!("{}: {error}", path.display()));
            }
            continue;
        }
        match fs::metadata(&path) {
            Ok(data) if data.is_file() => found.files.push(File { path, name }),
            Ok(data) if data.is_dir() => {
                let words = "a link to a folder is not followed; name it as a path of its own to have what it holds";
                found.passed_over.push(format!("{}: {words}", path.display()));
            }
            Ok(_) => found.passed_over.push(format!("{}: neither a file nor a folder", path.display())),
            Err(error) => found.failures.push(format!("{}: {}", path.display(), why(&path, &error))),
        }
    }
    Ok(())
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

    /// A folder of this test alone, gone with it.
    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn links_to_files_are_followed_and_no_link_stops_the_walk() {
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
