//! The stream from a landed object to its bronze files.
//!
//! The object is read in waves: all threads make rows of a wave's chunks, then all threads hand them to their files, in the
//! order of the object. The bytes that come out do not depend on the number of threads.

use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
};

use metriccare_fhir::read::{Fault, Rule};
use parquet::errors::ParquetError;

use crate::{keys, relational, schema::BRONZE_QUARANTINE};

use super::{
    BronzeFile, Counts, WithdrawnPatients,
    chunk_rows::{self, Findings},
    records::{Chunk, Hints, Measured, Records, Span, SpanKind},
    references::{MOST, Next, References},
    row_group::write_file,
    rows::{Origin, QuarantineRows, Rows},
    wave::read_wave,
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

/// What bounds memory, and the time that one object may take; sizes are in bytes. The reason of a refusal names its limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A chunk of records.
    pub chunk: usize,
    /// The largest record that is read.
    pub record: usize,
    /// The largest record that is kept in the quarantine's `raw`.
    pub raw: usize,
    /// The most elements, told by their commas, of a resource that is read.
    pub elements: usize,
    /// The largest row of a CSV object, and with it the most columns.
    pub row: usize,
    /// What a gzipped object may decompress to.
    pub unpacked: u64,
    /// Landed bytes whose rows are handed to their files together.
    pub wave: usize,
    /// Rows of all files together that wait for a row group, before the largest are written.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            chunk: 1 << 20,
            record: 64 << 20,
            raw: 1 << 20,
            elements: 500_000,
            row: 1 << 20,
            unpacked: 64 << 30,
            wave: 32 << 20,
            waiting: 128 << 20,
        }
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
    /// How its records were handled.
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
/// `open` opens the object at its beginning; it is called again where a reference, a name or a Bundle's type could not be
/// understood before the rest of the object was known.
///
/// # Errors
/// Only what the store or the sinks do: every fault of the data is a row of the quarantine.
pub fn flatten<S: Sinks>(
    source: &Source,
    open: impl FnMut() -> io::Result<Box<dyn Read + Send>>,
    sinks: &mut S,
    threads: NonZeroUsize,
    limits: Limits,
) -> Result<Flattened<S::File>, FlattenError> {
    flatten_without(source, None, open, sinks, threads, limits)
}

/// [`flatten`]s a landed object without its records of withdrawn patients, which are counted as skipped.
///
/// # Errors
/// As [`flatten`].
pub fn flatten_without<S: Sinks>(
    source: &Source,
    withdrawn: Option<&WithdrawnPatients>,
    mut open: impl FnMut() -> io::Result<Box<dyn Read + Send>>,
    sinks: &mut S,
    threads: NonZeroUsize,
    limits: Limits,
) -> Result<Flattened<S::File>, FlattenError> {
    let origin = Origin::new(&source.key, source.landed_micros).without(withdrawn);
    let (head, reader) = read_head(open()?)?;
    if let Some(landed) = relational::recognise(&head, &source.key) {
        return relational::flatten(source, origin, landed, reader, sinks, limits);
    }
    let mut first = Some(reader);
    let mut hints = Hints::default();
    let mut known = References::default();
    loop {
        let reader = first.take().map_or_else(&mut open, Ok)?;
        let records = Records::open(&source.key, reader, limits, hints)?;
        let pass = one_pass(source, origin, records, &known, sinks, threads, limits)?;
        if pass.mistook_a_bundle && !hints.type_before_entries {
            hints.type_before_entries = true;
            known = References::default();
            continue;
        }
        match pass.learned.next_step() {
            Next::ReadAgain(learned) => known = *learned,
            Next::Done => {
                let files = pass.writers.finish(&source.object_id)?;
                return Ok(Flattened { files, counts: pass.counts, measured: pass.measured });
            }
            Next::TooMany => return reject(source, pass.measured, sinks, limits),
        }
    }
}

/// An object that is refused whole: one record of the quarantine, which says where the object lies.
fn reject<S: Sinks>(
    source: &Source,
    measured: Measured,
    sinks: &mut S,
    limits: Limits,
) -> Result<Flattened<S::File>, FlattenError> {
    let reason = format!(
        "the object has more than {MOST} addresses, identifiers or names that its references have to be looked up in: land \
         it in parts"
    );
    let fault = Fault::new(Rule::TooManyReferences, reason);
    let span = Span { bytes: 0..0, line: 1, offset: 0, length: measured.bytes, kind: SpanKind::Resource };
    let mut quarantine = QuarantineRows::default();
    quarantine.append(Origin::new(&source.key, source.landed_micros), &span, None, None, &fault, limits.raw);
    let mut counts = Counts { records: 1, ..Counts::default() };
    counts.quarantine(fault.rule.name());
    let (table, date) = (BRONZE_QUARANTINE.path, source.ingest_date());
    let key = keys::bronze_file(table, "ingest_date", Some(&date), &source.object_id);
    let file = write_file(&quarantine, sinks.create()?)?;
    Ok(Flattened { files: vec![(BronzeFile { key, table, partition: Some(date), rows: 1 }, file)], counts, measured })
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
    learned: References,
    mistook_a_bundle: bool,
}

fn one_pass<S: Sinks>(
    source: &Source,
    origin: Origin<'_>,
    mut records: Records<'_>,
    known: &References,
    sinks: &mut S,
    threads: NonZeroUsize,
    limits: Limits,
) -> Result<Pass<S::File>, FlattenError> {
    let threads = threads.get();
    let mut workers: Vec<_> = (0..threads).map(|_| Rows::default()).collect();
    let mut writers = Writers::new(&source.ingest_date(), limits, threads)?;
    let mut counts = Counts::default();
    let mut learned = known.to_learn();
    let read = |chunk: &Chunk, rows: &mut Rows| chunk_rows::read(chunk, origin, known, limits, rows);
    loop {
        let mut chunks = read_wave(&mut records, limits.wave, &mut workers, read)?;
        if chunks.is_empty() {
            break;
        }
        for Findings { counts: more, found, asked } in
            chunks.iter_mut().map(|chunk| std::mem::take(&mut chunk.findings))
        {
            counts.add(&more);
            learned.learn(found, asked);
        }
        if learned.has_too_many() {
            break;
        }
        writers.add(&chunks, &mut workers, sinks)?;
    }
    let mistook_a_bundle = records.mistook_a_bundle();
    Ok(Pass { writers, counts, measured: records.measure()?, learned, mistook_a_bundle })
}

#[cfg(test)]
mod entries;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod links;
#[cfg(test)]
mod references;
#[cfg(test)]
mod tests;
