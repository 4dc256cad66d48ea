//! Law 7: bronze streams. The peak of its memory on eight times the records is the peak on those records, but for a bound
//! that is far below what came more. The allocator counts; no clock, and nothing else runs in this process.

use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
};

use metriccare_fhir::write::FhirVersion;
use metriccare_lake::bronze::{Limits, Sinks, Source, flatten};
use metriccare_world::{FhirWriter, Known, Resources, Spec, World};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

/// What eight times the records may take more: the footers of the files list their row groups.
const BOUND: usize = 2 * MIB;

/// The same lines over and over, as an object of any size without the memory of one.
struct Repeated<'a> {
    lines: &'a [u8],
    at: usize,
    times: usize,
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.lines.len() {
            (self.at, self.times) = (0, self.times - 1);
        }
        if self.times == 0 {
            return Ok(0);
        }
        let count = (&self.lines[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// A file on a disk, as far as memory goes.
struct Away(u64);

impl Write for Away {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Disk;

impl Sinks for Disk {
    type File = Away;

    fn create(&mut self) -> io::Result<Away> {
        Ok(Away(0))
    }
}

/// The peak of bronze's memory on an object of so many copies of the lines, and the bytes that it wrote.
fn peak(lines: &'static [u8], times: usize, threads: usize) -> (usize, u64) {
    let source = Source {
        key: "encounter/2025/12/31/encounter.ndjson".to_owned(),
        object_id: "object".to_owned(),
        etag: "etag".to_owned(),
        landed_micros: 0,
    };
    let limits = Limits { chunk: 64 << 10, rows: MIB, encoded: 4 * MIB, ..Limits::default() };
    let threads = NonZeroUsize::new(threads).expect("not zero");
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(Repeated { lines, at: 0, times })) };
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let flat = flatten(&source, open, &mut Disk, threads, limits).expect("nothing fails");
    assert_eq!(flat.measured.bytes, (lines.len() * times) as u64);
    assert_eq!(flat.counts.accepted(), flat.counts.records);
    (MEMORY.peak_usage() - before, flat.files.iter().map(|(_, file)| file.0).sum())
}

#[test]
fn eight_times_the_records_take_no_more_memory() {
    let world = World::new(Spec { patients: 300, facilities: 5, ..Spec::default() }).expect("a possible world");
    let mut out = Resources::default();
    FhirWriter::new(&world, FhirVersion::R5, Known::YearEnd).write(0..300, &mut out, None);
    let lines: &'static [u8] = Vec::leak(out.encounter);
    let once = (12 * MIB).div_ceil(lines.len());
    for threads in [1, 2] {
        let (few, _) = peak(lines, once, threads);
        let (many, written) = peak(lines, 8 * once, threads);
        // What it wrote is more than it may hold, so it has been through every bound.
        assert!(written > 12 * MIB as u64, "{written}");
        assert!(many < few + BOUND, "{threads} threads: {few} bytes at the peak became {many}");
    }
}
