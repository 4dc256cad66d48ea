//! Files of other people's systems as landed objects.

use std::{fs, path::Path};

use crate::{Landed, landed::object};

/// Every file of a folder, in the order of their names; the key is the folder's name and the file's.
///
/// # Panics
/// Where the folder cannot be read.
pub fn folder(path: &Path) -> Vec<Landed> {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a folder with a name");
    let mut files: Vec<_> = fs::read_dir(path)
        .expect("a folder that can be read")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let land = |file: &Path| {
        let own = file.file_name().and_then(|name| name.to_str()).expect("a plain name");
        object(&format!("{name}/{own}"), 0, fs::read(file).expect("a file that can be read"))
    };
    files.iter().map(|file| land(file)).collect()
}
