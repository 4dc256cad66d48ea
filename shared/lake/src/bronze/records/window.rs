//! A sliding window over the object's text: what is being scanned stays, what is done with goes.

use std::io;

use metriccare_fhir::read::Rule;

use super::{
    Span, SpanKind,
    input::{Ended, Input},
    spare::SpareBuffers,
};
use crate::bronze::Limits;

/// How many bytes are looked at to tell lines from documents.
const PEEK: usize = 64 * 1024;

/// The bytes in view, and where they lie in the object.
pub(super) struct Window<'a> {
    input: Input<'a>,
    spare: SpareBuffers,
    pub(super) limits: Limits,
    pub(super) bytes: Vec<u8>,
    /// The next byte to scan.
    pub(super) position: usize,
    /// The offset of `bytes[0]` in the object.
    base: u64,
    /// Line breaks before `counted`.
    lines: u64,
    counted: usize,
    ended: bool,
}

impl<'a> Window<'a> {
    pub(super) fn new(input: Input<'a>, limits: Limits, spare: SpareBuffers) -> Self {
        Window { input, spare, limits, bytes: Vec::new(), position: 0, base: 0, lines: 0, counted: 0, ended: false }
    }

    pub(super) fn into_input(self) -> Input<'a> {
        self.input
    }

    /// What ended the text before the object's end, if anything, as the record that what is lost is.
    pub(super) fn lost(&self) -> Option<SpanKind> {
        self.input.ended.map(|ended| match ended {
            Ended::Damaged => {
                SpanKind::Broken(Rule::Truncated, "the gzip stream is damaged or ends early: what follows is lost")
            }
            Ended::TooLarge => SpanKind::Broken(
                Rule::TooLarge,
                "the object decompresses to more than an object may: what follows is not read",
            ),
        })
    }

    /// Whether everything that the object holds is in view.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Reads up to `wanted` more bytes into view; false where there are none left.
    pub(super) fn extend(&mut self, wanted: usize) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let got = self.input.fill(&mut self.bytes, wanted)?;
        self.ended = got < wanted;
        Ok(got > 0)
    }

    /// Forgets everything before `keep`.
    pub(super) fn forget(&mut self, keep: usize) {
        self.count_lines(keep);
        self.bytes.drain(..keep);
        self.base += keep as u64;
        self.position -= keep;
        self.counted -= keep;
    }

    /// Gives away everything before `end`, without a copy of it; what is behind goes on in another buffer.
    pub(super) fn hand_over(&mut self, end: usize) -> Vec<u8> {
        self.count_lines(end);
        let last = self.ended && end == self.bytes.len();
        let mut tail = if last { Vec::new() } else { self.spare.take() };
        tail.extend_from_slice(&self.bytes[end..]);
        self.bytes.truncate(end);
        self.base += end as u64;
        self.position = 0;
        self.counted = 0;
        std::mem::replace(&mut self.bytes, tail)
    }

    /// The offset in the object of a position in view.
    pub(super) fn offset(&self, position: usize) -> u64 {
        self.base + position as u64
    }

    /// The line, from 1, that a position stands on; positions are asked for in order.
    pub(super) fn line(&mut self, position: usize) -> u64 {
        self.count_lines(position);
        self.lines + 1
    }

    fn count_lines(&mut self, until: usize) {
        if until > self.counted {
            self.lines += memchr::memchr_iter(b'\n', &self.bytes[self.counted..until]).count() as u64;
            self.counted = until;
        }
    }

    /// The byte at the position, read into view where it must be; `keep` is the first position that stays.
    pub(super) fn peek(&mut self, keep: &mut usize) -> io::Result<Option<u8>> {
        if self.position == self.bytes.len() {
            if *keep > 0 {
                let gone = *keep;
                self.forget(gone);
                *keep = 0;
            }
            let step = self.limits.chunk;
            if !self.extend(step)? {
                return Ok(None);
            }
        }
        Ok(Some(self.bytes[self.position]))
    }

    pub(super) fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        self.extend(PEEK)?;
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.position = 3;
            self.forget(3);
        }
        Ok(())
    }

    /// Reads on until the first two lines are in view, or more than a record may have.
    fn view_two_lines(&mut self) -> io::Result<()> {
        while !self.ended && self.bytes.len() <= self.limits.record && !has_two_lines(&self.bytes) {
            let missing = self.limits.record + 1 - self.bytes.len();
            self.extend(missing.min(self.limits.chunk.max(PEEK)))?;
        }
        Ok(())
    }

    /// Whether the object is one record a line.
    ///
    /// It is where its first line holds a whole JSON object. A first line that does not is the beginning of a document
    /// (a resource, an array or a Bundle over many lines) or a broken record: the lines behind it tell.
    pub(super) fn looks_like_lines(&mut self, key: &str) -> io::Result<bool> {
        let named = is_named_ndjson(key);
        if named && self.bytes.trim_ascii_start().starts_with(b"{") {
            self.view_two_lines()?;
        }
        let view = self.bytes.trim_ascii_start();
        let Some(end) = memchr::memchr(b'\n', view) else {
            // An object that is all there is, on one line, is read the same either way, but a cut Bundle gives more of its
            // entries as a document. With more than a record may have on its first line, it is a line that is too long.
            let object = view.starts_with(b"{");
            return Ok(named && !view.is_empty() && !view.starts_with(b"[") && object != self.ended);
        };
        let first = view[..end].trim_ascii();
        let next = view[end..].trim_ascii_start();
        Ok(match first.first() {
            Some(b'{') if is_balanced(first) => next.is_empty() || next.starts_with(b"{") || named,
            Some(b'{') if first.last().is_some_and(|last| b"[{,:".contains(last)) => {
                named && begins_with_a_record(next)
            }
            Some(b'{') => next.starts_with(b"{\""),
            Some(b'[') => false,
            _ => named || has_a_line_of_json(view),
        })
    }
}

/// The span of a record in a chunk that takes the window's bytes `start..end`.
pub(super) fn span(window: &mut Window<'_>, start: usize, end: usize, at: usize, kind: SpanKind) -> Span {
    let line = window.line(start);
    Span { bytes: at..at + (end - start), line, offset: window.offset(start), length: (end - start) as u64, kind }
}

fn is_named_ndjson(key: &str) -> bool {
    let name = key.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".ndjson", ".jsonl", ".ldjson"].iter().any(|ending| name.ends_with(ending))
}

/// Whether brackets outside strings close as often as they open, and not before the end.
fn is_balanced(line: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_i64, false, false);
    for (i, byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth -= 1;
                if depth == 0 && i + 1 < line.len() {
                    return false;
                }
            }
            _ => {}
        }
    }
    depth == 0 && !in_string
}

/// Whether the first line is a record of its own.
fn begins_with_a_record(view: &[u8]) -> bool {
    let line = view.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    line.starts_with(b"{\"") && is_balanced(line)
}

/// Whether two lines that are not blank are whole in view.
fn has_two_lines(view: &[u8]) -> bool {
    let view = view.trim_ascii_start();
    let next = memchr::memchr(b'\n', view).map(|end| view[end..].trim_ascii_start());
    next.is_some_and(|next| memchr::memchr(b'\n', next).is_some())
}

fn has_a_line_of_json(view: &[u8]) -> bool {
    view.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii();
        line.starts_with(b"{\"") && line.ends_with(b"}")
    })
}
