//! The landed object's bytes: hashed and counted as they come, and decompressed where they are gzip.
//!
//! A fault of the store and a fault of the data look alike to a decompressor. They are told apart here: the first is
//! an error that is worth a retry, the second is a record for the quarantine.

use std::{
    io::{self, BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
};

use flate2::bufread::MultiGzDecoder;

use crate::keys::Fingerprint;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 256 * 1024;

/// The size and hash of a landed object's bytes, as they lie in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Bytes in the store.
    pub bytes: u64,
    /// Their XXH3-128 in hex.
    pub content_id: String,
}

#[derive(Default)]
struct Tally {
    hash: Fingerprint,
    bytes: u64,
    failed: bool,
}

/// Counts and hashes what passes, and remembers whether the store failed.
struct Tallied<'a> {
    reader: Box<dyn Read + Send + 'a>,
    tally: Arc<Mutex<Tally>>,
}

impl Read for Tallied<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.reader.read(buffer);
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match &result {
            Ok(count) => {
                tally.hash.update(&buffer[..*count]);
                tally.bytes += *count as u64;
            }
            Err(error) => tally.failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        result
    }
}

enum Stream<'a> {
    Plain(BufReader<Tallied<'a>>),
    Gzip(Box<MultiGzDecoder<BufReader<Tallied<'a>>>>),
}

/// A landed object, read as text.
pub(crate) struct Input<'a> {
    stream: Stream<'a>,
    tally: Arc<Mutex<Tally>>,
    /// The object's data ended in damage: what follows cannot be decompressed.
    pub(crate) damaged: bool,
}

impl<'a> Input<'a> {
    pub(crate) fn open(reader: Box<dyn Read + Send + 'a>) -> io::Result<Self> {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut reader = BufReader::with_capacity(BUFFER, Tallied { reader, tally: Arc::clone(&tally) });
        let gzip = io::BufRead::fill_buf(&mut reader)?.starts_with(&GZIP);
        let stream = if gzip { Stream::Gzip(Box::new(MultiGzDecoder::new(reader))) } else { Stream::Plain(reader) };
        Ok(Input { stream, tally, damaged: false })
    }

    /// Appends up to `wanted` bytes; fewer only at the end.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
        if self.damaged {
            return Ok(0);
        }
        let before = buffer.len();
        let (mut filled, end) = (before, before + wanted);
        let outcome = loop {
            if filled == buffer.len() {
                if filled == end {
                    break Ok(());
                }
                // Piece by piece: a piece is hashed while it is in the processor's cache.
                buffer.resize(end.min(filled + BUFFER), 0);
            }
            let result = match &mut self.stream {
                Stream::Plain(reader) => reader.read(&mut buffer[filled..]),
                Stream::Gzip(reader) => reader.read(&mut buffer[filled..]),
            };
            match result {
                Ok(0) => break Ok(()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        buffer.truncate(filled);
        if let Err(error) = outcome {
            let failed = self.tally.lock().unwrap_or_else(PoisonError::into_inner).failed;
            if failed || matches!(self.stream, Stream::Plain(_)) {
                return Err(error);
            }
            self.damaged = true;
        }
        Ok(buffer.len() - before)
    }

    /// Reads what is left, however damaged, and gives the size and the hash of the whole object.
    pub(crate) fn measure(self) -> io::Result<Measured> {
        let mut raw = match self.stream {
            Stream::Plain(reader) => reader,
            Stream::Gzip(reader) => reader.into_inner(),
        };
        io::copy(&mut raw, &mut io::sink())?;
        drop(raw);
        let tally = std::mem::take(&mut *self.tally.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Measured { bytes: tally.bytes, content_id: tally.hash.finish() })
    }
}

/// Reads as [`Input::fill`] does: damage of compressed data is the end of the text, and [`Input::damaged`] says so.
impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.damaged {
            return Ok(0);
        }
        let result = match &mut self.stream {
            Stream::Plain(reader) => return reader.read(buffer),
            Stream::Gzip(reader) => reader.read(buffer),
        };
        match result {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                if self.tally.lock().unwrap_or_else(PoisonError::into_inner).failed {
                    return Err(error);
                }
                self.damaged = true;
                Ok(0)
            }
            other => other,
        }
    }
}
