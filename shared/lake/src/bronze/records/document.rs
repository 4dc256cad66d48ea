//! Documents: a resource, an array of resources, or a Bundle, over any number of lines; several may follow each other.
//!
//! The scanner knows brackets and strings only. Whether a record is good JSON is decided where it is read, so one bad
//! record does not end its file.

use std::io;

use metriccare_fhir::read::Rule;

use super::{
    Chunk, Hints, Span, SpanKind,
    lines::too_large,
    window::{Window, span},
};

/// Where in a document the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between documents.
    Top,
    /// In an array of resources.
    Array,
    /// In the `entry` list of a Bundle.
    Entries,
    /// In a Bundle, behind its `entry` list.
    Rest,
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    Cut,
}

/// Where a record begins in the object.
#[derive(Clone, Copy, Debug)]
struct Begin {
    offset: u64,
    line: u64,
}

/// The documents of an object.
pub(super) struct Documents<'a> {
    window: Window<'a>,
    hints: Hints,
    place: Place,
    kind: Option<String>,
    mistook: bool,
    done: bool,
}

impl<'a> Documents<'a> {
    pub(super) fn new(window: Window<'a>, hints: Hints) -> Self {
        Documents { window, hints, place: Place::Top, kind: None, mistook: false, done: false }
    }

    pub(super) fn into_window(self) -> Window<'a> {
        self.window
    }

    pub(super) fn mistook_a_bundle(&self) -> bool {
        self.mistook
    }

    pub(super) fn next_chunk(&mut self) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        while !self.done && chunk.bytes.len() < self.window.limits.chunk {
            self.step(&mut chunk)?;
        }
        Ok(chunk)
    }

    fn step(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let Some(byte) = self.next_token()? else {
            self.done = true;
            if let Some(lost) = self.window.lost() {
                self.take(chunk, self.window.position, lost);
            } else if self.place != Place::Top {
                let cut = SpanKind::Broken(Rule::Truncated, "the array or Bundle is not closed: the object ends early");
                self.take(chunk, self.window.position, cut);
            }
            return Ok(());
        };
        match (self.place, byte) {
            (Place::Top, b'[') => self.enter(Place::Array),
            (Place::Top, b'{') => self.object(chunk)?,
            (Place::Array | Place::Entries, b',') => self.window.position += 1,
            (Place::Array, b']') => self.enter(Place::Top),
            (Place::Entries, b']') => self.enter(Place::Rest),
            (Place::Array, b'{' | b'[' | b'"') => self.value(chunk, SpanKind::Resource)?,
            (Place::Entries, b'{' | b'[' | b'"') => self.value(chunk, SpanKind::Entry)?,
            (Place::Rest, _) => {
                let start = self.window.position;
                self.members(chunk, start, true)?;
            }
            (Place::Top | Place::Array | Place::Entries, _) => self.junk(chunk)?,
        }
        Ok(())
    }

    fn enter(&mut self, place: Place) {
        self.window.position += 1;
        self.place = place;
    }

    /// The next byte that is no white space; nothing before it is kept.
    fn next_token(&mut self) -> io::Result<Option<u8>> {
        loop {
            let mut keep = self.window.position;
            match self.window.peek(&mut keep)? {
                Some(byte) if byte.is_ascii_whitespace() || byte == 0x1e => self.window.position += 1,
                other => return Ok(other),
            }
        }
    }

    /// An object at the top: a resource, or a Bundle whose entries are records of their own.
    fn object(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let start = self.window.position;
        self.kind = None;
        self.window.position += 1;
        self.members(chunk, start, false)
    }

    /// The members of an object up to its end, or up to the entries of a Bundle.
    fn members(&mut self, chunk: &mut Chunk, start: usize, in_bundle: bool) -> io::Result<()> {
        let begin = self.begin(start);
        let mut keep = start;
        loop {
            let token = self.token_keeping(&mut keep, in_bundle)?;
            // One byte at least is still to come: the bracket that closes it.
            if !in_bundle && self.window.offset(self.window.position) - begin.offset >= self.window.limits.record as u64
            {
                return self.skip_large(chunk, begin);
            }
            let Some(byte) = token else {
                let cut = SpanKind::Broken(Rule::Truncated, "the object ends before its JSON does");
                let kind = self.window.lost().unwrap_or(cut);
                self.done = true;
                self.take(chunk, keep, kind);
                return Ok(());
            };
            match byte {
                b'}' => {
                    self.window.position += 1;
                    if !in_bundle {
                        self.take(chunk, keep, SpanKind::Resource);
                    }
                    self.place = Place::Top;
                    return Ok(());
                }
                b',' | b':' => self.window.position += 1,
                b'"' => {
                    let at = self.window.position - keep;
                    self.scan(&mut keep)?;
                    let name = self.window.bytes.get(keep + at..self.window.position).unwrap_or_default().to_vec();
                    if self.member(&name, &mut keep, in_bundle)? {
                        return Ok(());
                    }
                }
                _ => {
                    self.scan(&mut keep)?;
                }
            }
        }
    }

    /// One member's value; true where it was the beginning of a Bundle's entries.
    fn member(&mut self, name: &[u8], keep: &mut usize, in_bundle: bool) -> io::Result<bool> {
        if name != b"\"resourceType\"" && name != b"\"entry\"" {
            return Ok(false);
        }
        if self.token_keeping(keep, in_bundle)? != Some(b':') {
            return Ok(false);
        }
        self.window.position += 1;
        let value = self.token_keeping(keep, in_bundle)?;
        if name == b"\"entry\"" {
            let bundle = match &self.kind {
                Some(kind) => kind == "Bundle",
                None => !self.hints.type_before_entries,
            };
            if value == Some(b'[') && bundle {
                self.enter(Place::Entries);
                return Ok(true);
            }
        } else if value == Some(b'"') {
            let at = self.window.position - *keep;
            self.scan(keep)?;
            let kind = self.window.bytes.get(*keep + at..self.window.position).unwrap_or_default();
            let kind = String::from_utf8_lossy(kind).trim_matches('"').to_owned();
            self.mistook |= in_bundle && kind != "Bundle";
            self.kind = Some(kind);
        }
        Ok(false)
    }

    fn token_keeping(&mut self, keep: &mut usize, in_bundle: bool) -> io::Result<Option<u8>> {
        loop {
            if in_bundle || self.window.position - *keep > self.window.limits.record {
                *keep = self.window.position;
            }
            match self.window.peek(keep)? {
                Some(byte) if byte.is_ascii_whitespace() => self.window.position += 1,
                other => return Ok(other),
            }
        }
    }

    /// A value in a list, kept as a record.
    fn value(&mut self, chunk: &mut Chunk, kind: SpanKind) -> io::Result<()> {
        let mut keep = self.window.position;
        let (begin, ending) = (self.begin(keep), self.scan(&mut keep)?);
        if self.window.offset(keep) > begin.offset {
            self.too_large(chunk, begin);
            return Ok(());
        }
        let kind = match ending {
            Ending::Whole => kind,
            Ending::Cut => {
                self.done = true;
                let cut = SpanKind::Broken(Rule::Truncated, "the object ends inside this record");
                self.window.lost().unwrap_or(cut)
            }
        };
        self.take(chunk, keep, kind);
        Ok(())
    }

    /// Anything that is no value: up to the next separator, one broken record.
    fn junk(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let mut keep = self.window.position;
        let stops: &[u8] = if self.place == Place::Top { b"\n" } else { b",]\n" };
        let begin = self.begin(keep);
        let alone = self.place == Place::Top && begin.offset == 0;
        loop {
            match self.window.peek(&mut keep)? {
                Some(byte) if !alone && self.window.position > keep && stops.contains(&byte) => break,
                Some(_) => self.window.position += 1,
                None => break,
            }
            if self.window.position - keep > self.window.limits.record {
                keep = self.window.position - self.window.limits.raw;
                while self.window.peek(&mut keep)?.is_some() {
                    self.window.position += 1;
                    keep = self.window.position;
                }
                self.too_large(chunk, begin);
                return Ok(());
            }
        }
        self.take(chunk, keep, SpanKind::Broken(Rule::NotJson, "there is no JSON value here"));
        Ok(())
    }

    /// A whole object at the top that is too large: the rest of it, from between two of its members, is passed over.
    fn skip_large(&mut self, chunk: &mut Chunk, begin: Begin) -> io::Result<()> {
        let mut depth = 1_u64;
        let (mut in_string, mut escaped) = (false, false);
        loop {
            let mut now = self.window.position;
            let Some(byte) = self.window.peek(&mut now)? else { break };
            self.window.position += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.too_large(chunk, begin);
        Ok(())
    }

    fn begin(&mut self, position: usize) -> Begin {
        Begin { offset: self.window.offset(position), line: self.window.line(position) }
    }

    /// A record that ends here, and of which only its place is kept.
    fn too_large(&mut self, chunk: &mut Chunk, begin: Begin) {
        let (at, length) = (chunk.bytes.len(), self.window.offset(self.window.position) - begin.offset);
        chunk.spans.push(Span { bytes: at..at, line: begin.line, offset: begin.offset, length, kind: too_large() });
    }

    /// Scans one value: brackets and strings, or a bare word. Bytes from `keep` on stay in view, unless they become
    /// more than a record may have: then `keep` moves on and the record is lost but for its place.
    fn scan(&mut self, keep: &mut usize) -> io::Result<Ending> {
        let (mut depth, mut in_string, mut escaped, mut any) = (0_u64, false, false, false);
        loop {
            let Some(byte) = self.window.peek(keep)? else {
                return Ok(if depth == 0 && !in_string && any { Ending::Whole } else { Ending::Cut });
            };
            if depth == 0 && !in_string && any && (byte.is_ascii_whitespace() || b",]}:".contains(&byte)) {
                return Ok(Ending::Whole);
            }
            self.window.position += 1;
            any = true;
            if self.window.position - *keep > self.window.limits.record {
                *keep = self.window.position;
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => {
                    in_string = !in_string;
                    if !in_string && depth == 0 {
                        return Ok(Ending::Whole);
                    }
                }
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(Ending::Whole);
                    }
                }
                _ => {}
            }
        }
    }

    /// Moves the bytes from `start` up to the position into the chunk, as one record.
    fn take(&mut self, chunk: &mut Chunk, start: usize, kind: SpanKind) {
        let end = self.window.position;
        let at = chunk.bytes.len();
        let record = span(&mut self.window, start, end, at, kind);
        chunk.bytes.extend_from_slice(&self.window.bytes[start..end]);
        chunk.spans.push(record);
    }
}
