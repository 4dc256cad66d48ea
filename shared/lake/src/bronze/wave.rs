//! Reads the next part of a landed object on all threads: each takes the next chunk as soon as it is done with one.

use std::{
    io,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{
    chunk_rows::Findings,
    records::{Chunk, Records},
    rows::{Rows, TABLES},
};

/// A chunk that was read: where its rows are, and what else was found.
pub(super) struct ReadChunk {
    number: usize,
    worker: usize,
    /// Its rows in the worker's tables.
    rows: [Range<usize>; TABLES],
    pub(super) findings: Findings,
}

impl ReadChunk {
    /// The worker that has its rows, and which rows of that table they are.
    pub(super) fn rows_of(&self, table: usize) -> (usize, Range<usize>) {
        (self.worker, self.rows[table].clone())
    }
}

/// What all threads take their chunks from.
struct Source<'s, 'r> {
    records: &'s mut Records<'r>,
    next: usize,
    /// Bytes that may still be handed out.
    left: usize,
    error: Option<io::Error>,
}

impl Source<'_, '_> {
    fn next(&mut self) -> Option<(usize, Chunk)> {
        if self.left == 0 {
            return None;
        }
        match self.records.next_chunk() {
            Ok(Some(chunk)) => {
                self.left = self.left.saturating_sub(weight(&chunk));
                self.next += 1;
                return Some((self.next, chunk));
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
        self.left = 0;
        None
    }
}

/// About how many bytes the row of a record takes that has hardly any itself.
const ROW: usize = 128;
/// A record of so many bytes may hold many: it may be a Bundle.
const MANY: usize = 64 * 1024;
/// About how many bytes an entry of a Bundle takes at least, for each bracket in it.
const BRACKET: usize = 32;

/// What a chunk counts in its wave: its bytes, or, where these are fewer, what its rows take.
fn weight(chunk: &Chunk) -> usize {
    let brackets = |bytes: &[u8]| memchr::memchr_iter(b'{', bytes).count();
    let large = chunk.spans.iter().filter(|span| span.bytes.len() > MANY);
    let entries: usize = large.map(|span| brackets(&chunk.bytes[span.bytes.clone()])).sum();
    chunk.bytes.len().max(chunk.spans.len() * ROW).max(entries * BRACKET).max(1)
}

/// Reads chunks until they have so many bytes, and gives them in the order of the object, whatever thread read them; none
/// at its end. Which chunks are in a wave depends on the object alone.
pub(super) fn read_wave(
    records: &mut Records<'_>,
    bytes: usize,
    workers: &mut [Rows],
    read: impl Fn(&Chunk, &mut Rows) -> Findings + Sync,
) -> io::Result<Vec<ReadChunk>> {
    let spare = records.spare_buffers();
    let source = Mutex::new(Source { records, next: 0, left: bytes.max(1), error: None });
    let next = || source.lock().unwrap_or_else(PoisonError::into_inner).next();
    let done = Mutex::new(Vec::new());
    let work = |worker: usize, rows: &mut Rows| {
        while let Some((number, chunk)) = next() {
            let before = rows.lengths();
            let findings = read(&chunk, rows);
            let after = rows.lengths();
            let rows = std::array::from_fn(|table| before[table]..after[table]);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(ReadChunk { number, worker, rows, findings });
            spare.give(chunk);
        }
    };
    match workers {
        [rows] => work(0, rows),
        workers => std::thread::scope(|scope| {
            for (worker, rows) in workers.iter_mut().enumerate() {
                scope.spawn(move || work(worker, rows));
            }
        }),
    }
    if let Some(error) = source.into_inner().unwrap_or_else(PoisonError::into_inner).error {
        return Err(error);
    }
    let mut chunks = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    chunks.sort_unstable_by_key(|chunk| chunk.number);
    Ok(chunks)
}
