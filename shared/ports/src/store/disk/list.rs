//! Listing a folder as S3 lists a bucket: by a prefix of the whole key, sorted by the keys' bytes.

use std::{
    fs::{self, DirEntry, Metadata},
    io,
    path::{Path, PathBuf},
};

use super::{
    super::Listed,
    Folder,
    fault::fault,
    path::{is_key_segment, refuse_link},
};
use crate::{Error, ErrorKind, Result, clock::micros};

impl Folder {
    /// Every object under a prefix. A file that goes away meanwhile is left out.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let mut found = Vec::new();
        if prefix.split_once('/').is_some_and(|(top, _)| self.hidden.iter().any(|hidden| hidden == top)) {
            return Ok(found);
        }
        let mut open = vec![self.folder_of(prefix)?];
        while let Some((path, beginning)) = open.pop() {
            let Some(entries) = present(fs::read_dir(&path), &path)? else { continue };
            for entry in entries {
                let Some(entry) = present(entry, &path)? else { continue };
                let Some(name) = self.name(&entry, &beginning)? else { continue };
                let key = format!("{beginning}{name}");
                let Some(kind) = present(entry.file_type(), &path)? else { continue };
                if kind.is_symlink() && (key.starts_with(prefix) || prefix.starts_with(&key)) {
                    refuse_link("list", &entry.path())?;
                }
                if kind.is_dir() {
                    let under = format!("{key}/");
                    // Down only where the prefix may still match.
                    if under.starts_with(prefix) || prefix.starts_with(&under) {
                        open.push((entry.path(), under));
                    }
                } else if key.starts_with(prefix)
                    && let Some(metadata) = present(fs::metadata(entry.path()), &path)?
                    && metadata.is_file()
                {
                    found.push(listed(key, &metadata, &path)?);
                }
            }
        }
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// An entry's name, if it is one of the bucket's.
    fn name(&self, entry: &DirEntry, beginning: &str) -> Result<Option<String>> {
        let name = entry.file_name().into_string().map_err(|_| {
            let path: PathBuf = entry.path();
            Error::new(ErrorKind::Invalid, "list", path.display(), "the name is not UTF-8: rename or remove the file")
        })?;
        let foreign = beginning.is_empty() && self.hidden.contains(&name);
        Ok((is_key_segment(&name) && !foreign).then_some(name))
    }
}

fn listed(key: String, metadata: &Metadata, path: &Path) -> Result<Listed> {
    let modified = metadata.modified().map_err(|error| fault("list", path, error))?;
    Ok(Listed { key, size: metadata.len(), last_modified_micros: micros(modified), etag: None })
}

/// What is there, or nothing where it has gone or was never a folder.
fn present<T>(result: io::Result<T>, path: &Path) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(fault("list", path, error)),
    }
}
