//! The landed object's bytes: hashed and counted as they come, and decompressed where they are gzip.
//!
//! A fault of the store and a fault of the data look alike to a decompressor. They are distinguished here: the first is
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

/// Why a landed object is not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its compressed data is damaged, or ends early.
    Damaged,
    /// It decompresses to more than an object may.
    TooLarge,
}

enum Stream<'a> {
    Plain(BufReader<Tallied<'a>>),
    Gzip(Box<MultiGzDecoder<BufReader<Tallied<'a>>>>),
}

/// A landed object, read as text.
pub(crate) struct Input<'a> {
    stream: Stream<'a>,
    tally: Arc<Mutex<Tally>>,
    /// What ended the text before the object's end, if anything.
    pub(crate) ended: Option<Ended>,
    /// Bytes that may still be decompressed.
    left: u64,
}

impl<'a> Input<'a> {
    /// Opens an object; `unpacked` is how much it may decompress to.
    pub(crate) fn open(reader: Box<dyn Read + Send + 'a>, unpacked: u64) -> io::Result<Self> {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut reader = BufReader::with_capacity(BUFFER, Tallied { reader, tally: Arc::clone(&tally) });
        let gzip = io::BufRead::fill_buf(&mut reader)?.starts_with(&GZIP);
        let stream = if gzip { Stream::Gzip(Box::new(MultiGzDecoder::new(reader))) } else { Stream::Plain(reader) };
        let left = if gzip { unpacked } else { u64::MAX };
        Ok(Input { stream, tally, ended: None, left })
    }

    /// Appends up to `wanted` bytes; fewer only at the end.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
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
            match self.read(&mut buffer[filled..]) {
                Ok(0) => break Ok(()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        buffer.truncate(filled);
        outcome.map(|()| buffer.len() - before)
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

/// Damage of compressed data, and the most that it may decompress to, are the end of the text: [`Input::ended`] says so.
impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended.is_some() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let result = match &mut self.stream {
            Stream::Plain(reader) => return reader.read(buffer),
            // A byte more is asked for where nothing may come: whether the object ends here decides.
            Stream::Gzip(reader) if most == 0 && !buffer.is_empty() => {
                let more = reader.read(&mut [0]);
                if let Ok(1..) = more {
                    self.ended = Some(Ended::TooLarge);
                    return Ok(0);
                }
                more
            }
            Stream::Gzip(reader) => reader.read(&mut buffer[..most]),
        };
        match result {
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                if self.tally.lock().unwrap_or_else(PoisonError::into_inner).failed {
                    return Err(error);
                }
                self.ended = Some(Ended::Damaged);
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}
