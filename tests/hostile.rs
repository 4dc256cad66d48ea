//! Law 7 on what is made to exhaust its reader: objects whose bytes are few and whose records, entries, elements, columns or
//! depths are many take no more memory than the limits say. The allocator counts; nothing else runs in this process.

use std::{
    io::{self, Read},
    num::NonZeroUsize,
};

use metriccare_lake::bronze::{Flattened, Limits, Source, flatten};
use metriccare_tests::{DiscardedFile, DiscardingSinks};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The header of a relational table.
const FACILITIES: &str = "facility_id,facility_name,facility_type,city,state,bed_count,teaching\n";

const MIB: usize = 1 << 20;

/// The size of each object.
const BYTES: usize = 20 * MIB;
/// What any of them may take: a record, what waits to be written, and the rows of a wave.
const MOST: usize = 200 * MIB;

/// A pattern, over and over, for so many bytes.
struct Repeated {
    pattern: String,
    at: usize,
    left: usize,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.pattern.as_bytes()[self.at..];
        let count = rest.len().min(buffer.len()).min(self.left);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at = (self.at + count) % self.pattern.len();
        self.left -= count;
        Ok(count)
    }
}

/// An object: what stands before and behind a pattern that is repeated.
struct Hostile {
    what: &'static str,
    key: &'static str,
    head: String,
    pattern: String,
    tail: &'static str,
}

/// Flattens so many bytes of it on two threads; gives the peak of memory too.
fn flattened(object: &Hostile, bytes: usize) -> (Flattened<DiscardedFile>, usize) {
    let source = Source { key: object.key.to_owned(), object_id: "o".into(), etag: "e".into(), landed_micros: 0 };
    // Long patterns, so that reading them costs little, and whole ones only.
    let pattern = object.pattern.repeat(65_536_usize.div_ceil(object.pattern.len()));
    let left = bytes - bytes % pattern.len();
    let open = || -> io::Result<Box<dyn Read + Send>> {
        let repeated = Repeated { pattern: pattern.clone(), at: 0, left };
        let head = io::Cursor::new(object.head.clone().into_bytes());
        Ok(Box::new(head.chain(repeated).chain(object.tail.as_bytes())))
    };
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let two = NonZeroUsize::new(2).expect("not zero");
    let flat = flatten(&source, open, &mut DiscardingSinks, two, Limits::default()).expect("nothing fails");
    (flat, MEMORY.peak_usage() - before)
}

#[test]
fn what_is_made_to_exhaust_its_reader_does_not() {
    let hostile = |what, key, head: &str, pattern: &str, tail| Hostile {
        what,
        key,
        head: head.to_owned(),
        pattern: pattern.to_owned(),
        tail,
    };
    let bundle = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{}{{}}]}}\n", "{},".repeat(90_000));
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":";
    let opened = "{\"resourceType\":\"Bundle\",\"entry\":[";
    for (object, rule) in [
        (hostile("lines of one byte", "a.ndjson", "", "0\n", ""), "no-resource-type"),
        (hostile("small entries in one line", "a.ndjson", opened, "{},", "{}]}\n{\"a\":1}\n"), "too-large"),
        (hostile("small entries in many lines", "a.ndjson", "", &bundle, "{\"a\":1}\n"), "no-resource-type"),
        (hostile("small entries in a document", "a.json", opened, "{},", "{}]}{\"a\":1}"), "no-resource-type"),
        (hostile("small elements", "a.ndjson", &(patient.to_owned() + "["), "{},", "{}]}\n{\"a\":1}\n"), "too-large"),
        (
            hostile(
                "small identifiers",
                "a.ndjson",
                "{\"resourceType\":\"Practitioner\",\"id\":\"p\",\"identifier\":[",
                "{},",
                "{}]}\n{\"a\":1}\n",
            ),
            "too-large",
        ),
        (hostile("many columns", "a.csv", FACILITIES, ",", "\n"), "too-large"),
        (hostile("a deep list", "a.ndjson", patient, "[", "\n{\"a\":1}\n"), "truncated"),
        (hostile("a deep document", "a.json", patient, "{\"a\":", ""), "truncated"),
    ] {
        let (flat, peak) = flattened(&object, BYTES);
        assert!(flat.counts.quarantined.contains_key(rule), "{}: {:?}", object.what, flat.counts);
        assert!(peak < MOST, "{}: a peak of {} MiB", object.what, peak / MIB);
    }
}
