//! Files on a disk, as far as memory goes: what is written is counted and gone.

use std::io::{self, Write};

use metriccare_lake::bronze::Sinks;

/// A file of which only the number of bytes is kept.
#[derive(Debug, Default)]
pub struct DiscardedFile(pub u64);

impl Write for DiscardedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens such files.
#[derive(Debug, Default)]
pub struct DiscardingSinks;

impl Sinks for DiscardingSinks {
    type File = DiscardedFile;

    fn create(&mut self) -> io::Result<DiscardedFile> {
        Ok(DiscardedFile::default())
    }
}
