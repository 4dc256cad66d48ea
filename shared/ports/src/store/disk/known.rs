//! ETags of large files that were hashed before, so that head and get do not read a gigabyte twice.
//!
//! A remembered ETag counts as long as the file is the same one by device, number, size and both times. That is good
//! enough for reading. A compare-and-swap never asks here: it hashes what is there, under its lock.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io,
    sync::{Mutex, PoisonError},
};

use super::super::ETag;

/// Smaller files are hashed faster than they are looked up safely.
const WORTH_REMEMBERING: u64 = 1024 * 1024;

/// How many ETags are remembered before all are forgotten.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct KnownETags {
    by_key: Mutex<HashMap<String, (Identity, ETag)>>,
}

impl KnownETags {
    /// The ETag of an open file: remembered, or hashed and then remembered. The file's position moves.
    pub(super) fn etag(&self, key: &str, metadata: &Metadata, file: &mut File) -> io::Result<ETag> {
        let identity = identity(metadata).filter(|_| metadata.len() >= WORTH_REMEMBERING);
        let Some(identity) = identity else { return ETag::of_reader(file) };
        if let Some((known, etag)) = self.lock().get(key)
            && *known == identity
        {
            return Ok(etag.clone());
        }
        let etag = ETag::of_reader(file)?;
        self.remember(key, identity, etag.clone());
        Ok(etag)
    }

    /// Remembers the ETag of a file that was just written.
    pub(super) fn written(&self, key: &str, metadata: &Metadata, etag: &ETag) {
        if metadata.len() >= WORTH_REMEMBERING
            && let Some(identity) = identity(metadata)
        {
            self.remember(key, identity, etag.clone());
        }
    }

    /// Forgets a key whose file was not what was expected.
    pub(super) fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    fn remember(&self, key: &str, identity: Identity, etag: ETag) {
        let mut by_key = self.lock();
        if by_key.len() >= MOST {
            by_key.clear();
        }
        by_key.insert(key.to_owned(), (identity, etag));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Identity, ETag)>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Device, number, size, and the times of content and status in nanoseconds.
type Identity = (u64, u64, u64, i128, i128);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let modified = nanos(metadata.mtime(), metadata.mtime_nsec());
    let status = nanos(metadata.ctime(), metadata.ctime_nsec());
    Some((metadata.dev(), metadata.ino(), metadata.len(), modified, status))
}

/// Without a file's number there is no telling one file from another: everything is hashed.
#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<Identity> {
    None
}
