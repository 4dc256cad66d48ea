//! The stream from a landed object to its bronze files.
//!
//! Chunks are read in waves: the records of a wave are parsed on all threads. Where enough rows wait, or at the end, the
//! partitions are encoded on all threads. The bytes that come out do not depend on the number of threads.

use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use parquet::errors::ParquetError;

use crate::relational;

use super::{
    BronzeFile, Counts, chunk_rows,
    directory::Directory,
    records::{Chunk, Hints, Measured, Records},
    rows::Origin,
    writers::Writers,
};

/// The landed object that is flattened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its full key in the landing bucket.
    pub key: String,
    /// Its id: the SHA-256, in hex, of its key, its version or ETag, and the time it landed.
    pub object_id: String,
    /// Its ETag.
    pub etag: String,
    /// When it landed, in UTC microseconds.
    pub landed_micros: i64,
}

impl Source {
    /// The UTC date on which the object landed, as `YYYY-MM-DD`.
    pub fn ingest_date(&self) -> String {
        chrono::DateTime::from_timestamp_micros(self.landed_micros)
            .map_or_else(|| "1970-01-01".to_owned(), |time| time.format("%Y-%m-%d").to_string())
    }
}

/// Sizes in bytes that bound memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A chunk of records.
    pub chunk: usize,
    /// The largest record that is read.
    pub record: usize,
    /// The largest record that is kept in the quarantine's `raw`.
    pub raw: usize,
    /// Rows that wait to be encoded. A small object's rows all wait for its end: a column that is being written holds a
    /// compressor and buffers, and where its rows can wait, its files are written one after the other in the same memory.
    pub rows: usize,
    /// Encoded rows of all files together that are held before row groups are closed.
    pub encoded: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { chunk: 4 << 20, record: 64 << 20, raw: 1 << 20, rows: 32 << 20, encoded: 128 << 20 }
    }
}

/// Where bronze files are written: temporary files in practice, memory in tests.
pub trait Sinks {
    /// A file that is being written.
    type File: Write + Send;

    /// Opens a new file.
    ///
    /// # Errors
    /// Where there is no room for it.
    fn create(&mut self) -> io::Result<Self::File>;
}

/// What a landed object became.
#[derive(Debug)]
pub struct Flattened<F> {
    /// Its bronze files, sorted by key, none of them empty.
    pub files: Vec<(BronzeFile, F)>,
    /// What became of its records.
    pub counts: Counts,
    /// Its size in bytes and its hash.
    pub measured: Measured,
}

/// Why a landed object could not be flattened; never because of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum FlattenError {
    /// The store could not be read, or a sink not be written.
    #[error("reading the landed object or writing its rows failed: {0}")]
    Io(#[from] io::Error),
    /// The Parquet writer failed.
    #[error("writing Parquet failed: {0}")]
    Parquet(#[from] ParquetError),
}

/// Flattens a landed object into bronze files.
///
/// `open` opens the object at its beginning; it is called again where a name or a Bundle's type came too late in the
/// object to be known at once.
///
/// # Errors
/// Only what the store or the sinks do: every fault of the data is a row of the quarantine.
pub fn flatten<S: Sinks>(
    source: &Source,
    mut open: impl FnMut() -> io::Result<Box<dyn Read + Send>>,
    sinks: &mut S,
    threads: NonZeroUsize,
    limits: Limits,
) -> Result<Flattened<S::File>, FlattenError> {
    let (head, reader) = read_head(open()?)?;
    if let Some(landed) = relational::recognise(&head, &source.key) {
        return relational::flatten(source, landed, reader, sinks, limits);
    }
    let mut first = Some(reader);
    let mut hints = Hints::default();
    let mut known = Directory::default();
    loop {
        let reader = first.take().map_or_else(&mut open, Ok)?;
        let records = Records::open(&source.key, reader, limits, hints)?;
        let pass = one_pass(source, records, &known, sinks, threads, limits)?;
        if pass.mistook_a_bundle && !hints.type_before_entries {
            hints.type_before_entries = true;
        } else if known.is_empty() && pass.learned.came_late() {
            known = pass.learned;
        } else {
            let files = pass.writers.finish(&source.object_id, threads.get())?;
            return Ok(Flattened { files, counts: pass.counts, measured: pass.measured });
        }
    }
}

/// Bytes that decide whether an object is a table of the relational set.
const HEAD: u64 = 16 * 1024;

/// The first bytes of an object, and a reader that begins with them again.
fn read_head(mut reader: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head)?;
    let again = io::Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(again)))
}

struct Pass<F: Write + Send> {
    writers: Writers<F>,
    counts: Counts,
    measured: Measured,
    learned: Directory,
    mistook_a_bundle: bool,
}

fn one_pass<S: Sinks>(
    source: &Source,
    mut records: Records<'_>,
    known: &Directory,
    sinks: &mut S,
    threads: NonZeroUsize,
    limits: Limits,
) -> Result<Pass<S::File>, FlattenError> {
    let origin = Origin { sourcename: &source.key, landed_micros: source.landed_micros };
    let mut writers = Writers::new(source.ingest_date(), limits);
    let mut counts = Counts::default();
    let mut learned = Directory::default();
    let threads = threads.get();
    let spare = records.spare_buffers();
    let make_rows = |chunk: Chunk| {
        let rows = chunk_rows::read(&chunk, origin, known, limits);
        spare.give(chunk);
        rows
    };
    let mut wave = read_wave(&mut records, threads)?;
    while !wave.is_empty() {
        let mut work = |wave| -> Result<(), FlattenError> {
            for mut rows in on_threads(threads, wave, make_rows) {
                counts.add(&rows.counts);
                learned.learn(std::mem::take(&mut rows.found), std::mem::take(&mut rows.wanted));
                writers.add(rows, sinks)?;
                // After each chunk, not after each wave: what is written must not depend on the number of threads.
                writers.encode(threads)?;
            }
            Ok(())
        };
        wave = if threads == 1 {
            work(wave)?;
            read_wave(&mut records, threads)?
        } else {
            // Reading and hashing cannot be shared out; they go on beside the work.
            std::thread::scope(|scope| {
                let next = scope.spawn(|| read_wave(&mut records, threads));
                work(wave)?;
                next.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(FlattenError::Io)
            })?
        };
    }
    let mistook_a_bundle = records.mistook_a_bundle();
    Ok(Pass { writers, counts, measured: records.measure()?, learned, mistook_a_bundle })
}

/// The next chunks, enough for every thread to have the next one at hand; none at the end.
fn read_wave(records: &mut Records<'_>, threads: usize) -> io::Result<Vec<Chunk>> {
    let mut wave = Vec::with_capacity(threads * 2);
    while wave.len() < threads * 2 {
        match records.next_chunk()? {
            Some(chunk) => wave.push(chunk),
            None => break,
        }
    }
    Ok(wave)
}

/// Does a piece of work for each item on up to `threads` threads; the results stand in the items' order.
pub(super) fn on_threads<T: Send, R: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    if threads < 2 || items.len() < 2 {
        return items.into_iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let slots: Vec<_> = items.into_iter().map(|item| (Mutex::new(Some(item)), Mutex::new(None))).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(slots.len()) {
            scope.spawn(|| {
                while let Some((item, result)) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(item) = item {
                        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(work(item));
                    }
                }
            });
        }
    });
    let taken = |(_, result): (Mutex<Option<T>>, Mutex<Option<R>>)| {
        result
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .expect("every slot was worked on before the scope ended")
    };
    slots.into_iter().map(taken).collect()
}

#[cfg(test)]
mod tests;
