//! Where the bronze files of one object grow: in memory while they are small, in temporary files from then on.
//!
//! An object may have a file for each of thousands of hospitals. What they hold in memory is bounded together, and no temporary
//! file stays open between two writes: the system allows a process only so many.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use metriccare_lake::bronze::Sinks;
use metriccare_ports::Payload;
use tempfile::{NamedTempFile, TempPath};

/// A file that is larger than this goes to disk.
const ONE_IN_MEMORY: usize = 8 << 20;

/// Where the files of an object are larger together, those that grow go to disk.
const ALL_IN_MEMORY: usize = 64 << 20;

/// What waits in memory for a file on disk before it is opened and written.
const WRITTEN_AT_ONCE: usize = 16 << 10;

/// A growing file.
#[derive(Debug)]
pub(crate) struct Spool {
    /// What is in memory: all of it, or what waits to be written to the file.
    held: Vec<u8>,
    file: Option<TempPath>,
    /// What the spools of the object hold in memory together.
    together: Arc<AtomicUsize>,
}

/// A finished file: what is put, and what has to live until it has been.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub(crate) payload: Payload,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    _file: Option<TempPath>,
}

impl From<Vec<u8>> for Spooled {
    fn from(bytes: Vec<u8>) -> Self {
        Spooled { bytes: bytes.len() as u64, payload: bytes.into(), _file: None }
    }
}

impl Spool {
    pub(crate) fn finish(mut self) -> io::Result<Spooled> {
        if self.file.is_some() {
            self.write_held(&[])?;
        }
        match self.file.take() {
            None => {
                let held = std::mem::take(&mut self.held);
                self.together.fetch_sub(held.len(), Ordering::Relaxed);
                Ok(held.into())
            }
            Some(path) => {
                let bytes = std::fs::metadata(&path)?.len();
                Ok(Spooled { payload: Payload::File(path.to_path_buf()), bytes, _file: Some(path) })
            }
        }
    }

    /// Writes what is held, and more, to the file, which is made where there is none.
    fn write_held(&mut self, more: &[u8]) -> io::Result<()> {
        let mut file: File = match &self.file {
            Some(path) => OpenOptions::new().append(true).open(path)?,
            None => {
                let (file, path) = NamedTempFile::new()?.into_parts();
                self.file = Some(path);
                file
            }
        };
        let held = std::mem::take(&mut self.held);
        self.together.fetch_sub(held.len(), Ordering::Relaxed);
        file.write_all(&held)?;
        file.write_all(more)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.together.fetch_sub(self.held.len(), Ordering::Relaxed);
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.held.len() + bytes.len();
        let is_full = match self.file {
            Some(_) => size >= WRITTEN_AT_ONCE,
            None => size > ONE_IN_MEMORY || self.together.load(Ordering::Relaxed) + bytes.len() > ALL_IN_MEMORY,
        };
        if is_full {
            self.write_held(bytes)?;
        } else {
            self.held.extend_from_slice(bytes);
            self.together.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens the spools of one object.
#[derive(Debug, Default)]
pub(crate) struct Spools {
    together: Arc<AtomicUsize>,
}

impl Sinks for Spools {
    type File = Spool;

    fn create(&mut self) -> io::Result<Spool> {
        Ok(Spool { held: Vec::new(), file: None, together: Arc::clone(&self.together) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spooled: &Spooled) -> Vec<u8> {
        match &spooled.payload {
            Payload::Bytes(bytes) => bytes.to_vec(),
            Payload::File(path) => std::fs::read(path).expect("it is there"),
        }
    }

    #[test]
    fn a_small_file_stays_in_memory_and_a_large_one_does_not() {
        let mut spools = Spools::default();
        let mut small = spools.create().expect("memory");
        small.write_all(b"abc").expect("memory");
        assert!(matches!(small.finish().expect("memory").payload, Payload::Bytes(bytes) if bytes == "abc"));
        let mut large = spools.create().expect("memory");
        let piece = vec![7; 3 << 20];
        for _ in 0..4 {
            large.write_all(&piece).expect("a temporary file");
        }
        let spooled = large.finish().expect("a temporary file");
        let Payload::File(path) = &spooled.payload else { panic!("12 MiB should be on disk") };
        assert_eq!(std::fs::metadata(path).expect("it is there").len(), 12 << 20);
        assert_eq!(spools.together.load(Ordering::Relaxed), 0, "what is finished holds nothing");
    }

    #[test]
    fn thousands_of_files_hold_little_memory_together_and_stay_whole() {
        let mut spools = Spools::default();
        let mut files: Vec<Spool> = (0..2_000).map(|_| spools.create().expect("memory")).collect();
        for round in 0..20_u8 {
            for (at, file) in files.iter_mut().enumerate() {
                file.write_all(&vec![round; 3_000 + at]).expect("written");
            }
            assert!(spools.together.load(Ordering::Relaxed) <= ALL_IN_MEMORY, "round {round}");
        }
        let on_disk = files.iter().filter(|file| file.file.is_some()).count();
        assert!(on_disk > 1_000, "{on_disk}");
        for (at, file) in files.into_iter().enumerate().step_by(97) {
            let spooled = file.finish().expect("finished");
            let expected: Vec<u8> = (0..20_u8).flat_map(|round| vec![round; 3_000 + at]).collect();
            assert!(read(&spooled) == expected && spooled.bytes == expected.len() as u64, "file {at}");
        }
    }
}
