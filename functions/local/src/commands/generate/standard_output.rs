//! Generated data on standard output, for a pipe: nothing but data, in the order of the patients.

use std::{
    io::{self, BufWriter, Stdout, Write},
    num::NonZeroUsize,
};

use flate2::{Compression, write::GzEncoder};
use metriccare_landing::{Format, Request, Shard, cut};
use metriccare_world::{
    FhirWriter, Known, Measures, Resources, Rows, TablesWriter, World, facilities_csv, fhir_directory, providers_csv,
    view::tables::{BY_PATIENT, CMS_MEASURES, FACILITIES, PROVIDERS, Table},
};

use super::in_order::in_order;
use crate::output::failure::Failure;

/// Patients in a part of the work.
const PATIENTS_PER_PART: u64 = 500;

/// Writes a world's resources: hospitals, departments and clinicians first, then patient by patient.
pub(super) fn fhir(world: &World, request: Request) -> Result<(), Failure> {
    let mut out = ResourceWriter { format: request.format, sink: Sink::new(request.gzip), empty: true };
    if request.shard.part == 1 && request.day.is_none_or(|day| day.ymd().1 == 1 && day.ymd().2 == 1) {
        let directory = fhir_directory(world, request.version);
        for lines in [&directory.organization, &directory.location, &directory.practitioner] {
            out.resources(lines)?;
        }
    }
    let ranges = cut(world.shard(request.shard.part, request.shard.of), PATIENTS_PER_PART);
    let known = request.day.map_or(Known::YearEnd, Known::Day);
    in_order(
        ranges.len(),
        request.threads,
        || (FhirWriter::new(world, request.version, known), Resources::default()),
        |(writer, resources), at| {
            resources.clear();
            writer.write(ranges[at].clone(), resources, None);
            Ok(())
        },
        |(_, resources)| {
            [&resources.patient, &resources.encounter, &resources.condition]
                .into_iter()
                .try_for_each(|lines| out.resources(lines))
        },
    )?;
    out.finish()
}

/// Writes one table as CSV, with its header.
pub(super) fn table(
    world: &World,
    table: &'static Table,
    gzip: bool,
    shard: Shard,
    threads: NonZeroUsize,
) -> Result<(), Failure> {
    let mut sink = Sink::new(gzip);
    let ranges = cut(world.shard(shard.part, shard.of), PATIENTS_PER_PART);
    let place = BY_PATIENT.iter().position(|by_patient| by_patient.name == table.name);
    if place.is_some() {
        sink.write_all(table.header().as_bytes())?;
    } else if table.name == PROVIDERS.name {
        sink.write_all(&providers_csv(world))?;
        return sink.finish();
    } else if table.name == FACILITIES.name {
        sink.write_all(&facilities_csv(world))?;
        return sink.finish();
    }
    let makers = in_order(
        ranges.len(),
        threads,
        || (TablesWriter::new(world), Rows::default(), Measures::new(world)),
        |(writer, rows, measures), at| {
            rows.clear();
            writer.write(ranges[at].clone(), rows, measures);
            Ok(())
        },
        |(_, rows, _)| match place {
            Some(place) => Ok(sink.write_all(rows.tables()[place])?),
            None => Ok(()),
        },
    )?;
    if place.is_none() {
        let mut all = Measures::new(world);
        for (.., measures) in &makers {
            all.merge(measures).map_err(|error| Failure::failed(error.to_string()))?;
        }
        let csv = if table.name == CMS_MEASURES.name { all.cms_measures_csv(world) } else { all.hai_data_csv(world) };
        sink.write_all(&csv)?;
    }
    sink.finish()
}

/// Resources in one of the forms of a file.
struct ResourceWriter {
    format: Format,
    sink: Sink,
    empty: bool,
}

impl ResourceWriter {
    /// Appends resources, one a line.
    fn resources(&mut self, lines: &[u8]) -> Result<(), Failure> {
        if self.format == Format::Ndjson {
            return Ok(self.sink.write_all(lines)?);
        }
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let separator: &[u8] = if self.empty { self.head() } else { b",\n" };
            self.empty = false;
            self.sink.write_all(separator)?;
            if self.format == Format::Bundle {
                self.sink.write_all(b"{\"resource\":")?;
                self.sink.write_all(line)?;
                self.sink.write_all(b"}")?;
            } else {
                self.sink.write_all(line)?;
            }
        }
        Ok(())
    }

    fn head(&self) -> &'static [u8] {
        match self.format {
            Format::Ndjson => b"",
            Format::Json => b"[\n",
            Format::Bundle => b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n",
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        if self.empty {
            self.sink.write_all(self.head())?;
        }
        let end: &[u8] = match self.format {
            Format::Ndjson => b"",
            Format::Json => b"\n]\n",
            Format::Bundle => b"\n]}\n",
        };
        self.sink.write_all(end)?;
        self.sink.finish()
    }
}

/// Standard output, plain or compressed.
enum Sink {
    Plain(BufWriter<Stdout>),
    Gzip(Box<GzEncoder<BufWriter<Stdout>>>),
}

impl Sink {
    fn new(gzip: bool) -> Self {
        let out = BufWriter::new(io::stdout());
        if gzip { Sink::Gzip(Box::new(GzEncoder::new(out, Compression::fast()))) } else { Sink::Plain(out) }
    }

    fn finish(self) -> Result<(), Failure> {
        let mut out = match self {
            Sink::Plain(out) => out,
            Sink::Gzip(encoder) => encoder.finish()?,
        };
        Ok(out.flush()?)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Plain(out) => out.write(bytes),
            Sink::Gzip(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Plain(out) => out.flush(),
            Sink::Gzip(out) => out.flush(),
        }
    }
}
