//! From the bytes of a landed object to its records, in chunks of bounded size.
//!
//! An object is one resource, a JSON array, a Bundle of any type, or NDJSON, each also gzipped. What cannot be split
//! (the tail of a truncated array, Bundle or gzip stream) is one record. A chunk's borders depend on the bytes alone.

mod document;
mod input;
mod lines;
mod spare;
mod window;

use std::io;

use document::Documents;
pub use input::Measured;
pub(crate) use input::{Ended, Input};
use lines::Lines;
use metriccare_fhir::read::Rule;
pub use spare::SpareBuffers;
use window::Window;

use super::Limits;

/// Where a record lies and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The record's bytes in its chunk.
    pub bytes: std::ops::Range<usize>,
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its offset in the (decompressed) object.
    pub offset: u64,
    /// Its length in the (decompressed) object; larger than `bytes` where it was too large to keep.
    pub length: u64,
    /// How it is to be read.
    pub kind: SpanKind,
}

/// What stands at a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A resource, or a Bundle small enough to be expanded in memory.
    Resource,
    /// An entry of a Bundle.
    Entry,
    /// What cannot be read, with the rule it broke and why.
    Broken(Rule, &'static str),
}

/// A piece of the object with whole records in it.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that the spans point into.
    pub bytes: Vec<u8>,
    /// The records, in the order of the object.
    pub spans: Vec<Span>,
}

/// The records of one landed object.
pub struct Records<'a> {
    form: Form<'a>,
    spare: SpareBuffers,
}

enum Form<'a> {
    Lines(Lines<'a>),
    Documents(Documents<'a>),
}

/// What a first pass can learn only at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints {
    /// A list named `entry` makes an object a Bundle only where its type was named before: another resource has one too.
    pub type_before_entries: bool,
}

impl<'a> Records<'a> {
    /// Looks at the object's first bytes and decides how it is split; `key` tells by its ending what it should be.
    ///
    /// # Errors
    /// Where the object cannot be read from its store.
    pub fn open(key: &str, reader: Box<dyn io::Read + Send + 'a>, limits: Limits, hints: Hints) -> io::Result<Self> {
        let spare = SpareBuffers::new(limits.chunk);
        let mut window = Window::new(Input::open(reader, limits.unpacked)?, limits, spare.clone());
        window.skip_byte_order_mark()?;
        let form = if window.looks_like_lines(key)? {
            Form::Lines(Lines::new(window))
        } else {
            Form::Documents(Documents::new(window, hints))
        };
        Ok(Records { form, spare })
    }

    /// The next chunk, `None` at the end.
    ///
    /// # Errors
    /// Where the object cannot be read from its store. Damage inside the object is a record, not an error.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let chunk = match &mut self.form {
            Form::Lines(lines) => lines.next_chunk()?,
            Form::Documents(documents) => documents.next_chunk()?,
        };
        Ok((!chunk.spans.is_empty()).then_some(chunk))
    }

    /// Where the buffers of chunks are given back.
    pub fn spare_buffers(&self) -> SpareBuffers {
        self.spare.clone()
    }

    /// Whether an object that was taken for a Bundle turned out to be another resource.
    pub fn mistook_a_bundle(&self) -> bool {
        matches!(&self.form, Form::Documents(documents) if documents.mistook_a_bundle())
    }

    /// Reads what is left and says how many bytes the object had, and their fingerprint.
    ///
    /// # Errors
    /// Where the object cannot be read from its store.
    pub fn measure(self) -> io::Result<Measured> {
        match self.form {
            Form::Lines(lines) => lines.into_window(),
            Form::Documents(documents) => documents.into_window(),
        }
        .into_input()
        .measure()
    }
}

#[cfg(test)]
mod tests;
