//! Law 7: bronze streams. The peak of its memory on eight times the records is the peak on those records, but for a bound
//! that is far below what came more. The allocator counts; no clock, and nothing else runs in this process.

use std::{
    io::{self, Read},
    num::NonZeroUsize,
    ops::Range,
};

use metriccare_fhir::write::FhirVersion;
use metriccare_lake::bronze::{Limits, Source, flatten};
use metriccare_tests::DiscardingSinks;
use metriccare_world::{FhirWriter, Known, Resources, Spec, World};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

/// The patients of the smaller object: some 25,000 encounters.
const PATIENTS: u64 = 5_000;

/// What the larger object may take more, of some 250 MB that it is larger: the files' footers list their row groups.
const BOUND: usize = 4 * MIB;

/// The encounters of a world's first patients, made as they are read: an object of any size without the memory of one.
struct Encounters {
    world: &'static World,
    patients: Range<u64>,
    lines: Vec<u8>,
    at: usize,
}

impl Read for Encounters {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.lines.len() && !self.patients.is_empty() {
            let next = self.patients.start..(self.patients.start + 50).min(self.patients.end);
            self.patients.start = next.end;
            let mut out = Resources::default();
            FhirWriter::new(self.world, FhirVersion::R5, Known::YearEnd).write(next, &mut out, None);
            (self.lines, self.at) = (out.encounter, 0);
        }
        let count = (&self.lines[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// What bronze did with the encounters of so many patients.
struct Flattened {
    peak: usize,
    records: u64,
    written: u64,
}

/// One document with so much filler in it, and a patient behind it.
struct Document {
    key: &'static str,
    head: &'static str,
    filler: u8,
    tail: &'static str,
}

const DOCUMENTS: [Document; 6] = [
    Document { key: "a.json", head: r#"{"resourceType":"Binary","data":""#, filler: b'x', tail: r#""}"# },
    Document { key: "a.json", head: r#"{"resourceType":"Parameters","parameter":["#, filler: b'0', tail: "]}" },
    Document { key: "a.json", head: r#"{"resourceType":"Parameters""#, filler: b' ', tail: "}" },
    Document { key: "a.json", head: r#"[{"resourceType":"Binary","data":""#, filler: b'x', tail: r#""}]"# },
    Document {
        key: "a.json",
        head: r#"{"resourceType":"Bundle","entry":[{"resource":{"data":""#,
        filler: b'x',
        tail: r#""}}]}"#,
    },
    Document { key: "a.ndjson", head: r#"{"resourceType":"Binary","data":""#, filler: b'x', tail: r#""}"# },
];

/// 2026-01-01: the records are of 2025.
const LANDED: i64 = 1_767_225_600_000_000;
const PATIENT: &str = "\n{\"resourceType\":\"Patient\",\"id\":\"p\"}\n";

/// The peak of a document with so many bytes of filler, which is more than a record may have.
fn peak_of(document: &Document, filler: u64) -> usize {
    let source =
        Source { key: document.key.to_owned(), object_id: "o".to_owned(), etag: "e".to_owned(), landed_micros: LANDED };
    let limits = Limits { chunk: 64 << 10, record: MIB, ..Limits::default() };
    let open = || -> io::Result<Box<dyn Read + Send>> {
        let body = document.head.as_bytes().chain(io::repeat(document.filler).take(filler));
        Ok(Box::new(body.chain(document.tail.as_bytes()).chain(PATIENT.as_bytes())))
    };
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let flat = flatten(&source, open, &mut DiscardingSinks, NonZeroUsize::MIN, limits).expect("nothing fails");
    assert_eq!(flat.counts.quarantined.get("too-large"), Some(&1), "{}", document.head);
    assert_eq!((flat.counts.records, flat.counts.patients), (2, 1), "{}", document.head);
    MEMORY.peak_usage() - before
}

fn a_record_of_any_size_takes_no_more_memory_than_one_may() {
    for document in &DOCUMENTS {
        let (few, many) = (peak_of(document, 4 << 20), peak_of(document, 64 << 20));
        assert!(many < few + BOUND, "{}: a peak of {few} became {many}", document.head);
    }
}

fn flattened(world: &'static World, patients: u64, threads: usize) -> Flattened {
    let source = Source {
        key: "encounter/2025/12/31/encounter.ndjson".to_owned(),
        object_id: "object".to_owned(),
        etag: "etag".to_owned(),
        landed_micros: LANDED,
    };
    // Small, so that a small object goes through every bound.
    let limits = Limits { chunk: 64 << 10, wave: MIB, waiting: 2 * MIB, ..Limits::default() };
    let threads = NonZeroUsize::new(threads).expect("not zero");
    let open = || -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Encounters { world, patients: 0..patients, lines: Vec::new(), at: 0 }))
    };
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let flat = flatten(&source, open, &mut DiscardingSinks, threads, limits).expect("nothing fails");
    assert_eq!(flat.counts.encounters, flat.counts.records);
    Flattened {
        peak: MEMORY.peak_usage() - before,
        records: flat.counts.records,
        written: flat.files.iter().map(|(_, file)| file.0).sum(),
    }
}

/// One test: the allocator counts what the whole process takes.
#[test]
fn bronze_streams() {
    eight_times_the_records_take_no_more_memory();
    a_record_of_any_size_takes_no_more_memory_than_one_may();
}

fn eight_times_the_records_take_no_more_memory() {
    let world =
        World::new(Spec { patients: 8 * PATIENTS, facilities: 5, ..Spec::default() }).expect("a possible world");
    let world: &'static World = Box::leak(Box::new(world));
    for threads in [1, 2] {
        let few = flattened(world, PATIENTS, threads);
        let many = flattened(world, 8 * PATIENTS, threads);
        assert!(many.records > 7 * few.records);
        // Three times what may wait.
        assert!(many.written > 6 * MIB as u64, "only {} bytes were written", many.written);
        assert!(many.peak < few.peak + BOUND, "{threads} threads: a peak of {} became {}", few.peak, many.peak);
    }
}
