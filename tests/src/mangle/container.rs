//! Mutations of what a file is packed in: gzip that is cut, damaged, doubled or followed by rubbish, bits of Parquet turned
//! over, and names that promise something else.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::{Mangled, Step, flip, place, some};
use crate::crowded::Draw;

const STEPS: &[Step<Vec<u8>>] = &[
    ("a bit flipped", |draw, bytes| flip(draw, bytes)),
    ("ten bits flipped", |draw, bytes| (0..10).for_each(|_| flip(draw, bytes))),
    ("cut", |draw, bytes| bytes.truncate(place(draw, bytes))),
    ("the last byte gone", |_, bytes| {
        bytes.pop();
    }),
    ("rubbish behind", |_, bytes| bytes.extend_from_slice(b"rubbish")),
    ("zeroes inside", |draw, bytes| {
        let start = place(draw, bytes);
        let end = (start + 16).min(bytes.len());
        bytes[start..end].fill(0);
    }),
    ("all ones inside", |draw, bytes| {
        let start = place(draw, bytes);
        let end = (start + 8).min(bytes.len());
        bytes[start..end].fill(0xff);
    }),
    ("its end damaged", |draw, bytes| {
        let start = bytes.len().saturating_sub(600);
        flip(draw, &mut bytes[start..]);
    }),
];

/// Packs, damages and renames an object.
pub(super) fn mangle(draw: &mut Draw, mangled: &mut Mangled) {
    for _ in 0..draw.number_less_than(3) {
        let second = draw.percent(20);
        let mut packed = gzip(&mangled.bytes);
        if second {
            // A second member of the same stream.
            packed.extend(gzip(&mangled.bytes));
        }
        mangled.bytes = packed;
        mangled.key += if draw.percent(80) { ".gz" } else { "" };
        mangled.steps.push(if second { "gzip of two members" } else { "gzip" }.to_owned());
    }
    if draw.percent(60) {
        some(draw, STEPS, &mut mangled.bytes, &mut mangled.steps);
    }
    if draw.percent(25) {
        let ending =
            draw.one_of(&[".json", ".ndjson", ".csv", ".gz", ".parquet", ".txt", "", ".NDJSON.GZ", ".xml", ".csv.gz"]);
        mangled.key = format!("any/x{ending}");
        mangled.steps.push(format!("named {}", mangled.key));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
