//! A file that is written under a temporary name and renamed when complete, so that readers never see a part of it.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use crate::output::failure::Failure;

/// How much is written at once: for large writes the kernel takes large pages, which on a virtual machine are often memory
/// that was never touched, and several times as slow.
const WRITTEN_AT_ONCE: usize = 16 * 1024;

/// A file under its temporary name until it is published; dropped before that, it is removed.
pub(crate) struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    published: bool,
}

impl AtomicFile {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        AtomicFile { path: folder.join(name), temporary, published: false }
    }

    pub(crate) fn create(&self) -> Result<File, Failure> {
        File::create(&self.temporary).map_err(|error| self.failure(&error))
    }

    /// Appends to the file that was created.
    pub(crate) fn append(&self, file: &mut File, bytes: &[u8]) -> Result<(), Failure> {
        let mut pieces = bytes.chunks(WRITTEN_AT_ONCE);
        pieces.try_for_each(|piece| file.write_all(piece)).map_err(|error| self.failure(&error))
    }

    /// Gives the file its name; its size and its path.
    pub(crate) fn publish(&mut self) -> Result<(u64, &Path), Failure> {
        std::fs::rename(&self.temporary, &self.path).map_err(|error| self.failure(&error))?;
        self.published = true;
        let bytes = std::fs::metadata(&self.path).map_err(|error| self.failure(&error))?.len();
        Ok((bytes, &self.path))
    }

    pub(crate) fn failure(&self, error: &std::io::Error) -> Failure {
        Failure::failed(format!("{} cannot be written: {error}", self.path.display()))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.published {
            // The error that led here was reported already.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}
