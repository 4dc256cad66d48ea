//! Mutations of text: cut, joined, with bytes that are no UTF-8, with other line ends, marks and encodings.

use super::{Mangled, Sample, Step, flip, insert, place, some};
use crate::crowded::Draw;

const STEPS: &[Step<Vec<u8>>] = &[
    ("cut", |draw, bytes| bytes.truncate(place(draw, bytes))),
    ("beheaded", |draw, bytes| {
        bytes.drain(..place(draw, bytes));
    }),
    ("a bit flipped", |draw, bytes| flip(draw, bytes)),
    ("not UTF-8", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, draw.one_of(&[&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\x80"]));
    }),
    ("a control character", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, draw.one_of(&[&b"\0"[..], b"\x1e", b"\x0b", b"\x7f", b"\r", b"\n", b"\x1a"]));
    }),
    ("an escape", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, draw.one_of(&[&br"\ud800"[..], br"\u0000", br"\", br"\x", br"\udc00\ud800", br"\u12"]));
    }),
    ("a bracket or quote", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, draw.one_of(&[&b"{"[..], b"}", b"[", b"]", b"\"", b",", b":", b"{}", b"[]"]));
    }),
    ("a number beyond all types", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, draw.one_of(&[&b"1e999999999"[..], b"-", b"0x1F", b"Infinity", b"NaN", b"1.", b"00"]));
    }),
    ("a quote removed", |draw, bytes| {
        let start = place(draw, bytes);
        if let Some(at) = bytes[start..].iter().position(|byte| *byte == b'"') {
            bytes.remove(start + at);
        }
    }),
    ("CRLF", |_, bytes| {
        let text: Vec<u8> = bytes
            .iter()
            .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
            .copied()
            .collect();
        *bytes = text;
    }),
    ("a byte order mark", |_, bytes| insert(bytes, 0, b"\xef\xbb\xbf")),
    ("a byte order mark inside", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, b"\xef\xbb\xbf");
    }),
    ("UTF-16", |_, bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        *bytes = b"\xff\xfe".iter().copied().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    }),
    ("blank lines", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, b"\n \t\r\n\n");
    }),
    ("two lines exchanged", |draw, bytes| {
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let (a, b) = (draw.number_less_than(lines.len()), draw.number_less_than(lines.len()));
        lines.swap(a, b);
        *bytes = lines.join(&b'\n');
    }),
    ("brackets without end", |draw, bytes| {
        let at = place(draw, bytes);
        insert(bytes, at, &draw.one_of(&[&b"["[..], b"{\"a\":", b"[{\"entry\":["]).repeat(2_000));
    }),
];

/// Mangles a text; some are joined with another file.
pub(super) fn mangle(draw: &mut Draw, mangled: &mut Mangled, samples: &[Sample]) {
    if draw.percent(15) {
        let other = &samples[draw.number_less_than(samples.len())];
        if draw.percent(70) {
            mangled.bytes.extend_from_slice(&other.bytes);
        } else {
            mangled.bytes.splice(..0, other.bytes.iter().copied());
        }
        mangled.steps.push(format!("joined with {}", other.name));
    }
    some(draw, STEPS, &mut mangled.bytes, &mut mangled.steps);
}

/// Makes one of the mutations of a text.
pub(super) fn step(draw: &mut Draw, bytes: &mut Vec<u8>) {
    let (_, step) = draw.one_of(STEPS);
    step(draw, bytes);
}
