//! Where a bronze file grows: in memory while it is small, in a temporary file from then on.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use metriccare_lake::bronze::Sinks;
use metriccare_ports::Payload;
use tempfile::{NamedTempFile, TempPath};

/// A file that is larger than this goes to disk.
const IN_MEMORY: usize = 8 << 20;

/// A growing file.
#[derive(Debug)]
pub(crate) enum Spool {
    Memory(Vec<u8>),
    Disk(BufWriter<NamedTempFile>),
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
    pub(crate) fn finish(self) -> io::Result<Spooled> {
        match self {
            Spool::Memory(bytes) => Ok(bytes.into()),
            Spool::Disk(writer) => {
                let (file, path): (File, TempPath) =
                    writer.into_inner().map_err(|error| error.into_error())?.into_parts();
                let bytes = file.metadata()?.len();
                Ok(Spooled { payload: Payload::File(path.to_path_buf()), bytes, _file: Some(path) })
            }
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Spool::Memory(held) = self {
            if held.len() + bytes.len() <= IN_MEMORY {
                held.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            let mut file = BufWriter::new(NamedTempFile::new()?);
            file.write_all(held)?;
            *self = Spool::Disk(file);
        }
        match self {
            Spool::Memory(held) => held.write(bytes),
            Spool::Disk(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Spool::Memory(_) => Ok(()),
            Spool::Disk(file) => file.flush(),
        }
    }
}

/// Opens spools.
#[derive(Debug, Default)]
pub(crate) struct Spools;

impl Sinks for Spools {
    type File = Spool;

    fn create(&mut self) -> io::Result<Spool> {
        Ok(Spool::Memory(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_stays_in_memory_and_a_large_one_does_not() {
        let mut small = Spool::Memory(Vec::new());
        small.write_all(b"abc").expect("memory");
        assert!(matches!(small.finish().expect("memory").payload, Payload::Bytes(bytes) if bytes == "abc"));
        let mut large = Spool::Memory(Vec::new());
        let piece = vec![7; 3 << 20];
        for _ in 0..4 {
            large.write_all(&piece).expect("a temporary file");
        }
        let spooled = large.finish().expect("a temporary file");
        let Payload::File(path) = &spooled.payload else { panic!("12 MiB should be on disk") };
        assert_eq!(std::fs::metadata(path).expect("it is there").len(), 12 << 20);
    }
}
