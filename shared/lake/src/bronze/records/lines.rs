//! NDJSON: one record a line. A broken line is one broken record; the next line is read as if nothing had been.

use std::io;

use metriccare_fhir::read::Rule;

use super::{
    Chunk, Span, SpanKind,
    window::{Window, span},
};

/// The lines of an object.
pub(super) struct Lines<'a> {
    window: Window<'a>,
    said_damage: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(window: Window<'a>) -> Self {
        Lines { window, said_damage: false }
    }

    pub(super) fn into_window(self) -> Window<'a> {
        self.window
    }

    /// As many whole lines as fit into a chunk; a blank line is no record.
    pub(super) fn next_chunk(&mut self) -> io::Result<Chunk> {
        loop {
            let chunk = self.read_chunk()?;
            let done = self.window.ended() && self.window.bytes.is_empty();
            if !chunk.spans.is_empty() || done {
                return Ok(chunk);
            }
        }
    }

    fn read_chunk(&mut self) -> io::Result<Chunk> {
        let size = self.window.limits.chunk;
        let missing = size.saturating_sub(self.window.bytes.len());
        self.window.extend(missing)?;
        while !self.window.ended() && memchr::memrchr(b'\n', &self.window.bytes).is_none() {
            if self.window.bytes.len() > self.window.limits.record {
                return self.skip_long_line();
            }
            self.window.extend(size)?;
        }
        let end = match memchr::memrchr(b'\n', &self.window.bytes) {
            Some(last) if !self.window.ended() => last + 1,
            _ => self.window.bytes.len(),
        };
        let mut spans = Vec::new();
        let mut start = 0;
        while start < end {
            let stop = memchr::memchr(b'\n', &self.window.bytes[start..end]).map_or(end, |at| start + at);
            let line = &self.window.bytes[start..stop];
            let lead = line.len() - line.trim_ascii_start().len();
            let text = line.trim_ascii().len();
            if text > 0 {
                let (from, to) = (start + lead, start + lead + text);
                let kind = if text > self.window.limits.record {
                    too_large()
                } else if let Some(lost) = self.window.lost().filter(|_| stop == end) {
                    self.said_damage = true;
                    lost
                } else {
                    SpanKind::Resource
                };
                spans.push(span(&mut self.window, from, to, from, kind));
            }
            start = stop + 1;
        }
        let bytes = self.window.hand_over(end);
        let mut chunk = Chunk { bytes, spans };
        if let Some(lost) = self.window.lost().filter(|_| self.window.ended() && !self.said_damage) {
            self.said_damage = true;
            let at = chunk.bytes.len();
            let lost = span(&mut self.window, 0, 0, at, lost);
            chunk.spans.push(lost);
        }
        Ok(chunk)
    }

    /// A line that is too long to keep: its beginning is kept, its length is counted.
    fn skip_long_line(&mut self) -> io::Result<Chunk> {
        let (line, offset) = (self.window.line(0), self.window.offset(0));
        let bytes = self.window.bytes[..self.window.limits.raw].to_vec();
        let mut length = 0;
        loop {
            match memchr::memchr(b'\n', &self.window.bytes) {
                Some(at) => {
                    length += at as u64;
                    self.window.position = at + 1;
                    self.window.forget(at + 1);
                    break;
                }
                None => {
                    let all = self.window.bytes.len();
                    length += all as u64;
                    self.window.position = all;
                    self.window.forget(all);
                    let size = self.window.limits.chunk;
                    if !self.window.extend(size)? {
                        break;
                    }
                }
            }
        }
        let spans = vec![Span { bytes: 0..bytes.len(), line, offset, length, kind: too_large() }];
        Ok(Chunk { bytes, spans })
    }
}

pub(super) fn too_large() -> SpanKind {
    SpanKind::Broken(Rule::TooLarge, "the record is larger than a record may be")
}
