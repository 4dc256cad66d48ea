//! Rows of many bronze files brought together by bucket, and their index entries by key: in memory up to a limit, in a
//! temporary file from then on.
//!
//! So a batch of any size is merged in the memory of a few buckets, and each bucket is merged once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use metriccare_lake::{
    relational::{RELATIONAL, TableRows},
    silver::{Resource, decode_rows, encode_rows, index::Entry},
    table_file::FileError,
};
use metriccare_ports::{Error, ErrorKind};

use crate::error::FlowError;

/// A commit's place in the batch.
pub(super) type At = usize;

/// A silver table: that of a resource, or one of the eight of the star by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SilverTable {
    Resource(Resource),
    Star(usize),
}

impl SilverTable {
    fn path(self) -> &'static str {
        match self {
            SilverTable::Resource(resource) => resource.silver().path,
            SilverTable::Star(place) => RELATIONAL[place].silver.path,
        }
    }
}

/// What some bronze files bring.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Rows by bucket and table.
    pub(super) rows: Vec<(u16, SilverTable, TableRows)>,
    /// Entries for the index, each with the commit that it comes from.
    pub(super) entries: Vec<(At, Entry)>,
}

/// Where a piece of the temporary file stands: offset and length, in bytes.
type Segment = (u64, u64);

/// Rows of one bucket and table.
#[derive(Debug, Default)]
struct Rows {
    held: TableRows,
    spilled: Vec<Segment>,
    /// Their size in memory, spilled ones included.
    bytes: u64,
}

/// Entries whose keys begin with one byte, encoded.
#[derive(Debug, Default)]
struct Entries {
    held: Vec<u8>,
    spilled: Vec<Segment>,
    count: usize,
}

#[derive(Debug)]
struct State {
    rows: BTreeMap<(u16, SilverTable), Rows>,
    entries: Vec<Entries>,
    held_bytes: u64,
    file: Option<File>,
    file_end: u64,
}

/// Rows by bucket and entries by key.
#[derive(Debug)]
pub(super) struct Shuffle {
    limit: u64,
    state: Mutex<State>,
}

impl Shuffle {
    /// An empty shuffle that keeps about so many bytes in memory.
    pub(super) fn new(limit: u64) -> Self {
        let entries = std::iter::repeat_with(Entries::default).take(256).collect();
        let state = State { rows: BTreeMap::new(), entries, held_bytes: 0, file: None, file_end: 0 };
        Shuffle { limit, state: Mutex::new(state) }
    }

    /// Adds what files bring; spills all that is held where it becomes too much.
    pub(super) fn add(&self, part: Part) -> Result<(), FlowError> {
        let mut state = self.state();
        for (bucket, table, mut batches) in part.rows {
            let bytes = batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum::<u64>();
            state.held_bytes += bytes;
            let rows = state.rows.entry((bucket, table)).or_default();
            rows.bytes += bytes;
            rows.held.append(&mut batches);
        }
        for (at, entry) in part.entries {
            let entries = &mut state.entries[usize::from(entry.key.first_byte())];
            let before = entries.held.len();
            entries.held.extend((at as u64).to_le_bytes());
            entry.encode(&mut entries.held);
            entries.count += 1;
            let bytes = entries.held.len() - before;
            state.held_bytes += bytes as u64;
        }
        if state.held_bytes > self.limit { state.spill() } else { Ok(()) }
    }

    /// The buckets that have rows.
    pub(super) fn buckets(&self) -> BTreeSet<u16> {
        self.state().rows.keys().map(|(bucket, _)| *bucket).collect()
    }

    /// The most bytes that the rows of one table of a bucket take in memory.
    pub(super) fn bytes(&self, bucket: u16) -> u64 {
        let first = SilverTable::Resource(Resource::Patient);
        let state = self.state();
        let tables = state.rows.range((bucket, first)..).take_while(|((at, _), _)| *at == bucket);
        tables.map(|(_, rows)| rows.bytes).max().unwrap_or_default()
    }

    /// The tables of which a bucket has rows.
    pub(super) fn tables(&self, bucket: u16) -> BTreeSet<SilverTable> {
        self.state().rows.keys().filter(|(at, _)| *at == bucket).map(|(_, table)| *table).collect()
    }

    /// Takes out the rows of one bucket and table.
    pub(super) fn take_rows(&self, bucket: u16, table: SilverTable) -> Result<TableRows, FlowError> {
        let (mut batches, pieces) = {
            let mut state = self.state();
            let Some(rows) = state.rows.remove(&(bucket, table)) else { return Ok(Vec::new()) };
            state.held_bytes = state.held_bytes.saturating_sub(rows.bytes);
            let pieces = rows.spilled.iter().map(|segment| state.read(*segment)).collect::<Result<Vec<_>, _>>()?;
            (rows.held, pieces)
        };
        for piece in pieces {
            batches.append(&mut decode_rows(table.path(), piece).map_err(|source| unreadable(table, source))?);
        }
        Ok(batches)
    }

    /// Takes out the next entries in the order of their keys, with their commits: about so many, and all that begin with
    /// the same byte. None where there are no more.
    pub(super) fn next_entries(&self, about: usize) -> Result<Vec<(At, Entry)>, FlowError> {
        let mut found = Vec::new();
        let mut state = self.state();
        for place in 0..state.entries.len() {
            if found.len() + state.entries[place].count > about && !found.is_empty() {
                break;
            }
            let entries = std::mem::take(&mut state.entries[place]);
            state.held_bytes = state.held_bytes.saturating_sub(entries.held.len() as u64);
            for segment in entries.spilled {
                decode_entries(&state.read(segment)?, &mut found)?;
            }
            decode_entries(&entries.held, &mut found)?;
        }
        Ok(found)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic left half added is merged or fails as what it is: rows of a batch that is tried again.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn spill(&mut self) -> Result<(), FlowError> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile().map_err(unusable)?);
        }
        let file = self.file.as_mut().expect("it was just made");
        let mut write = |bytes: &[u8]| -> Result<Segment, FlowError> {
            file.seek(SeekFrom::Start(self.file_end)).and_then(|_| file.write_all(bytes)).map_err(unusable)?;
            let segment = (self.file_end, bytes.len() as u64);
            self.file_end += segment.1;
            Ok(segment)
        };
        for ((_, table), rows) in &mut self.rows {
            if !rows.held.is_empty() {
                let bytes = encode_rows(table.path(), &rows.held).map_err(|source| unreadable(*table, source))?;
                rows.spilled.push(write(&bytes)?);
                rows.held = Vec::new();
            }
        }
        for entries in &mut self.entries {
            if !entries.held.is_empty() {
                entries.spilled.push(write(&entries.held)?);
                entries.held = Vec::new();
            }
        }
        self.held_bytes = 0;
        Ok(())
    }

    fn read(&mut self, (offset, length): Segment) -> Result<Vec<u8>, FlowError> {
        let file = self.file.as_mut().ok_or_else(|| unusable(io::ErrorKind::NotFound.into()))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(unusable)?;
        Ok(bytes)
    }
}

fn decode_entries(mut bytes: &[u8], found: &mut Vec<(At, Entry)>) -> Result<(), FlowError> {
    while let Some((at, rest)) = bytes.split_first_chunk::<8>() {
        bytes = rest;
        let entry = Entry::decode(&mut bytes).ok_or_else(|| unusable(io::ErrorKind::InvalidData.into()))?;
        found.push((u64::from_le_bytes(*at) as usize, entry));
    }
    Ok(())
}

fn unusable(error: io::Error) -> FlowError {
    let reason = format!("rows wait for their merge in a temporary file, which cannot be used: {error}");
    Error::new(ErrorKind::Full, "spill", "temporary file", reason).with_source(error).into()
}

fn unreadable(table: SilverTable, source: FileError) -> FlowError {
    FlowError::File { key: table.path().to_owned(), source }
}
