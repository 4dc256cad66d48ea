//! From a key to a path: segment by segment, as it is written, or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{super::check_key, Folder};
use crate::{Error, ErrorKind, Result};

impl Folder {
    /// The path of a key. `=`, spaces, percent signs and any letters stay as they are.
    pub(super) fn path(&self, operation: &'static str, key: &str) -> Result<PathBuf> {
        check_key(operation, &self.bucket, key)?;
        let mut path = self.root.clone();
        for (place, segment) in key.split('/').enumerate() {
            if let Some(reason) = refusal(segment) {
                return Err(self.refused(operation, key, reason));
            }
            if place == 0 && self.hidden.iter().any(|hidden| hidden == segment) {
                return Err(self.refused(operation, key, "the folder belongs to another bucket"));
            }
            path.push(segment);
            refuse_link(operation, &path)?;
        }
        Ok(path)
    }

    /// The deepest folder that holds everything below a prefix, and the keys' beginning that it stands for.
    pub(super) fn folder_of(&self, prefix: &str) -> Result<(PathBuf, String)> {
        let Some((folders, _)) = prefix.rsplit_once('/') else {
            return Ok((self.root.clone(), String::new()));
        };
        let mut path = self.root.clone();
        for segment in folders.split('/') {
            if let Some(reason) = refusal(segment) {
                return Err(self.refused("list", prefix, reason));
            }
            path.push(segment);
            refuse_link("list", &path)?;
        }
        Ok((path, format!("{folders}/")))
    }

    fn refused(&self, operation: &'static str, key: &str, reason: &str) -> Error {
        Error::new(ErrorKind::Invalid, operation, format_args!("{}/{key}", self.bucket), reason)
    }
}

/// Refuses a symbolic link below the bucket's folder: it could lead out of it, and a write would change what is elsewhere.
pub(super) fn refuse_link(operation: &'static str, path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            let reason = "a symbolic link is no part of a bucket: put the file or folder itself there";
            Err(Error::new(ErrorKind::Invalid, operation, path.display(), reason))
        }
        _ => Ok(()),
    }
}

/// Why a segment cannot be the name of a file or folder of a bucket.
fn refusal(segment: &str) -> Option<&'static str> {
    if segment.is_empty() {
        Some("the key has an empty segment: a slash at its beginning or end, or two in a row")
    } else if segment == "." || segment == ".." {
        Some("the key has a segment `.` or `..`, which on disk would be another place")
    } else if segment.starts_with('.') {
        Some("the key has a segment that begins with a dot: such names belong to the folder, not to the bucket")
    } else if segment.contains('\0') {
        Some("the key has a zero byte")
    } else if cfg!(windows) && segment.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) {
        Some("the key has a character that this system allows in no name")
    } else {
        None
    }
}

/// Whether a name in the folder is one of the bucket's.
pub(super) fn is_key_segment(name: &str) -> bool {
    refusal(name).is_none()
}

/// The folder's own place for locks and files being written.
pub(super) fn own_folder(root: &Path) -> PathBuf {
    root.join(".store")
}
