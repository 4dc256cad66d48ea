//! `metriccare generate tables`: the eight relational tables; patients, encounters, claims and registry are written patient
//! by patient, the others once.
//!
//! A file is one for the whole population, or one a shard (`patients-2-of-7.csv`), and gets its name when it is whole.
//! Nothing is written into a folder where it could be mistaken for a part of what is there.
//! Measures and infections need every shard's sums: each shard leaves its own below `_measures`, and whichever finds
//! all of them there writes the two tables. Memory is a part of the population a thread.

mod answers;
mod cells;
mod file;
mod folder_check;
mod parquet;
mod reports;

use std::{num::NonZeroUsize, ops::Range, path::Path};

use metriccare_landing::{Shard, TableFormat, cut};
use metriccare_world::view::tables::{BY_PATIENT, FACILITIES, PROVIDERS, Table};
use metriccare_world::{
    CoveredTable, Measures, Rows, TablePart, TableTotals, TablesWriter, World, facilities_csv, providers_csv,
};
use serde::Serialize;

use self::{
    file::{Finished, Form, TableFile, gzip, write_once},
    parquet::{Encoder, Group},
};
use super::{in_order::in_order, report, standard_output};
use crate::{
    arguments::{GenerateTables, TableName},
    cloud::Scratch,
    lake::location::{DataLocation, OutputTarget},
    output::{Output, counted, failure::Failure, progress::Bars, size},
};

/// Patients in a part: few enough that its lines stay in the processor's cache.
const PATIENTS_PER_PART: u64 = 500;
/// Patients in a row group of Parquet: enough for its statistics and dictionaries to pay.
const PATIENTS_PER_GROUP: u64 = 10_000;

/// What was written, counted as it was.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Written {
    patients: u64,
    encounters: u64,
    /// Claim lines.
    claims: u64,
    registry: u64,
    files: u64,
    bytes: u64,
}

/// `metriccare generate tables`.
pub(crate) async fn command(arguments: &GenerateTables, output: &mut Output) -> Result<(), Failure> {
    let job = arguments.job()?;
    let form = match (job.tables()?, job.gzip) {
        (TableFormat::Csv, Some(true)) => Form::CsvGzip,
        (TableFormat::Csv, _) => Form::Csv,
        (TableFormat::Parquet, _) => Form::Parquet,
    };
    let (shard, threads) = (job.shard.unwrap_or(Shard::WHOLE), arguments.work.threads());
    report::check(arguments.answer, shard)?;
    let world = arguments.world.tables.build(job.spec)?;
    let location = match &arguments.out {
        OutputTarget::Location(location) => location,
        OutputTarget::Stdout => {
            report::check_stdout(arguments.answer)?;
            let table = stdout_table(arguments.table, form, shard)?;
            let gzip = form == Form::CsvGzip;
            return tokio::task::block_in_place(|| standard_output::table(&world, table, gzip, shard, threads));
        }
    };
    if matches!(location, DataLocation::Bucket(_)) && shard != Shard::WHOLE {
        let words = "shards find each other's sums in the folder that they share: give them one, and then `upload` it";
        return Err(Failure::usage(format!("--shard with --out {location}: {words}")));
    }
    let out = Scratch::new(location, &arguments.cloud).await?;
    let folder = out.folder();
    std::fs::create_dir_all(folder).map_err(|error| Failure::usage(format!("--out {}: {error}", folder.display())))?;
    folder_check::check(&world, folder, form, shard)?;
    let bars = Bars::new(arguments.answer.json);
    let only = arguments.table.map(TableName::table);
    let written = tokio::task::block_in_place(|| generate(&world, folder, form, shard, only, threads, &bars))?;
    bars.finish();
    out.send().await?;
    let words = format!(
        "{}, {}, {} and {} in {} ({}) below {}",
        counted(written.patients, "patient"),
        counted(written.encounters, "encounter"),
        counted(written.claims, "claim line"),
        counted(written.registry, "registry entry"),
        counted(written.files, "file"),
        size(written.bytes),
        location
    );
    let print = || report::print(&world, (&written, &words), arguments.answer, threads, &bars, output);
    tokio::task::block_in_place(print)
}

/// The table that goes to standard output, which takes one table of a form that needs no file.
fn stdout_table(table: Option<TableName>, form: Form, shard: Shard) -> Result<&'static Table, Failure> {
    let Some(table) = table else {
        return Err(Failure::usage("--out - takes one table: name it, as in `--table claims --out -`"));
    };
    if form == Form::Parquet {
        return Err(Failure::usage("--format parquet needs files: name a folder with --out, or leave --format out"));
    }
    if shard != Shard::WHOLE && matches!(table, TableName::CmsMeasures | TableName::HaiData) {
        return Err(Failure::usage("cms_measures and hai_data are of the whole population: leave --shard out"));
    }
    Ok(table.table())
}

fn generate(
    world: &World,
    folder: &Path,
    form: Form,
    shard: Shard,
    only: Option<&'static Table>,
    threads: NonZeroUsize,
    bars: &Bars,
) -> Result<Written, Failure> {
    let step = if form == Form::Parquet { PATIENTS_PER_GROUP } else { PATIENTS_PER_PART };
    let ranges = cut(world.shard(shard.part, shard.of), step);
    bars.start("generate", ranges.len());
    let wanted = |table: &Table| only.is_none_or(|only| only.name == table.name);
    let create = |table: &'static Table| TableFile::create(folder, form, table, &ending(shard));
    let mut files = BY_PATIENT
        .iter()
        .map(|table| wanted(table).then(|| create(table)).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let makers = in_order(
        ranges.len(),
        threads,
        || Part::new(world, form),
        |part, at| part.make(ranges[at].clone()),
        |part| {
            bars.step(1);
            part.append(&mut files)
        },
    )?;
    let (mut written, mut covers, mut totals) = (Written::default(), Vec::new(), TableTotals::default());
    let mut measures = Measures::new(world);
    for part in makers {
        totals.merge(&part.writer.totals());
        measures.merge(&part.measures).map_err(|error| Failure::failed(error.to_string()))?;
        let [patients, encounters, claims, registry] = part.counts;
        written.patients += patients;
        written.encounters += encounters;
        written.claims += claims;
        written.registry += registry;
    }
    // Another run may have ended meanwhile.
    folder_check::check(world, folder, form, shard)?;
    for file in files.into_iter().flatten() {
        written.add(file.finish()?, &mut covers);
    }
    for (table, csv) in [(&PROVIDERS, providers_csv as fn(&World) -> Vec<u8>), (&FACILITIES, facilities_csv)] {
        if shard.part == 1 && wanted(table) {
            written.add(write_once(folder, form, table, &csv(world))?, &mut covers);
        }
    }
    if shard.part == 1 {
        totals.merge(&TableTotals::of_directory(world));
    }
    // A key counts all tables of its part, so one table alone has none.
    let key = |totals, covers, part| match only {
        None => answers::write(world, folder, form, totals, covers, part),
        Some(_) => Ok(()),
    };
    key(totals, covers, TablePart::Shard { part: shard.part, of: shard.of })?;
    if let Some((files, totals)) = reports::write(world, &measures, folder, form, shard, &wanted)? {
        let mut covers = Vec::new();
        files.into_iter().for_each(|file| written.add(file, &mut covers));
        key(totals, covers, TablePart::Reports { of: shard.of })?;
    }
    Ok(written)
}

impl Written {
    fn add(&mut self, file: Finished, covers: &mut Vec<CoveredTable>) {
        self.files += 1;
        self.bytes += file.bytes;
        covers.push(file.covered);
    }
}

/// What a shard's files have behind the table's name.
fn ending(shard: Shard) -> String {
    if shard.of == 1 { String::new() } else { format!("-{}-of-{}", shard.part, shard.of) }
}

/// One thread's share of the work.
struct Part<'w> {
    form: Form,
    writer: TablesWriter<'w>,
    rows: Rows,
    /// Where the form is gzip: the rows compressed, by table.
    compressed: [Vec<u8>; 4],
    /// Where the form is Parquet: what makes row groups of rows, and those made.
    encoders: Vec<Encoder>,
    groups: Vec<Option<Group>>,
    measures: Measures,
    counts: [u64; 4],
}

impl<'w> Part<'w> {
    fn new(world: &'w World, form: Form) -> Self {
        Part {
            form,
            writer: TablesWriter::new(world),
            rows: Rows::default(),
            compressed: Default::default(),
            encoders: Vec::new(),
            groups: Vec::new(),
            measures: Measures::new(world),
            counts: [0; 4],
        }
    }

    fn make(&mut self, patients: Range<u64>) -> Result<(), Failure> {
        self.rows.clear();
        self.writer.write(patients, &mut self.rows, &mut self.measures);
        self.counts.iter_mut().zip(self.rows.counts).for_each(|(sum, more)| *sum += more);
        if self.form == Form::CsvGzip {
            for (compressed, lines) in self.compressed.iter_mut().zip(self.rows.tables()) {
                compressed.clear();
                if !lines.is_empty() {
                    *compressed = gzip(lines, std::mem::take(compressed))?;
                }
            }
        }
        if self.form == Form::Parquet {
            if self.encoders.is_empty() {
                self.encoders = BY_PATIENT.iter().map(Encoder::new).collect::<Result<_, _>>()?;
            }
            let tables = self.encoders.iter().zip(self.rows.tables());
            self.groups = tables.map(|(encoder, lines)| encoder.encode(lines)).collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    /// Appends the part to the files that are written.
    fn append(&mut self, files: &mut [Option<TableFile>]) -> Result<(), Failure> {
        let rows = self.rows.tables();
        for (at, file) in files.iter_mut().enumerate().filter_map(|(at, file)| Some((at, file.as_mut()?))) {
            match self.form {
                Form::CsvGzip => file.lines(&self.compressed[at])?,
                Form::Csv => file.lines(rows[at])?,
                Form::Parquet => file.group(self.groups[at].take())?,
            }
        }
        Ok(())
    }
}
