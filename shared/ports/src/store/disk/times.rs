//! The times of objects, remembered beside them, so that a folder that is copied without its files' times keeps them.
//!
//! `.store/times/<hash of the key>` holds an object's time in microseconds, its ETag and its key. It counts as long as the
//! object still has that ETag. One that cannot be read, such as one that a kill cut short, is ignored, and the file's own
//! time counts again.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use xxhash_rust::xxh3::xxh3_64;

use super::{super::ETag, path::own_folder};

/// The remembered times of a folder.
#[derive(Debug)]
pub(super) struct Times {
    folder: PathBuf,
    /// Whether new times are written down.
    writes: bool,
    /// Those that were asked for or written by this process.
    by_key: Mutex<HashMap<String, (ETag, i64)>>,
}

impl Times {
    pub(super) fn new(root: &Path, writes: bool) -> Self {
        Times { folder: own_folder(root).join("times"), writes, by_key: Mutex::new(HashMap::new()) }
    }

    /// Whether new times are written down.
    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    /// The time of an object: the remembered one of this content, else that of its file, which is remembered from now on.
    pub(super) fn resolve(&self, key: &str, etag: &ETag, modified_micros: i64) -> i64 {
        let mut by_key = self.lock();
        let known = by_key.get(key).cloned().or_else(|| self.read(key));
        match known {
            Some((known, micros)) if known == *etag => {
                by_key.insert(key.to_owned(), (known, micros));
                micros
            }
            _ => {
                self.insert(&mut by_key, key, etag, modified_micros);
                modified_micros
            }
        }
    }

    /// Remembers the time of an object that was just written.
    pub(super) fn remember(&self, key: &str, etag: &ETag, micros: i64) {
        let mut by_key = self.lock();
        if by_key.get(key).is_none_or(|known| *known != (etag.clone(), micros)) {
            self.insert(&mut by_key, key, etag, micros);
        }
    }

    fn insert(&self, by_key: &mut HashMap<String, (ETag, i64)>, key: &str, etag: &ETag, micros: i64) {
        if self.writes {
            // A time that cannot be written down is only lost to copies of the folder.
            let written = fs::create_dir_all(&self.folder)
                .and_then(|()| fs::write(self.path(key), format!("{micros} {etag} {key}\n")));
            drop(written);
        }
        by_key.insert(key.to_owned(), (etag.clone(), micros));
    }

    fn read(&self, key: &str) -> Option<(ETag, i64)> {
        let text = fs::read_to_string(self.path(key)).ok()?;
        let mut parts = text.strip_suffix('\n')?.splitn(3, ' ');
        let (micros, etag) = (parts.next()?.parse().ok()?, parts.next()?);
        (parts.next()? == key).then(|| (ETag::new(etag), micros))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{:016x}", xxh3_64(key.as_bytes())))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (ETag, i64)>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_holds_for_its_content_and_a_torn_one_is_ignored() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (one, two) = (ETag::new("one"), ETag::new("two"));
        let times = Times::new(folder.path(), true);
        times.remember("a b/c", &one, 5);
        assert_eq!(times.resolve("a b/c", &one, 9), 5);
        assert_eq!(times.resolve("a b/c", &two, 9), 9, "another content has its own time");
        assert_eq!(times.resolve("by-hand", &one, 7), 7);
        times.remember("torn", &one, 8);
        fs::write(times.path("torn"), "8 one tor").expect("written");

        let reader = Times::new(folder.path(), false);
        assert_eq!((reader.resolve("a b/c", &two, 0), reader.resolve("by-hand", &one, 0)), (9, 7));
        assert_eq!((reader.resolve("torn", &one, 3), reader.resolve("none", &one, 1)), (3, 1));
        assert!(!reader.path("none").exists(), "a reader writes nothing");
    }
}
