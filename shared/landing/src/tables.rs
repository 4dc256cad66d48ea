//! Landing the relational set: the eight tables as CSV, which bronze knows by their headers.
//!
//! Patients, encounters, claims and registry are cut into objects as FHIR is, each with a header of its own. Measures and
//! infections are of the whole population: each shard leaves its sums in the lake, and whichever finds all of them there
//! lands the two tables. Two that find them at once land the same bytes.

use std::num::NonZeroUsize;

use metriccare_fhir::calendar::Date;
use metriccare_lake::keys;
use metriccare_ports::{ObjectStore, PutMode};
use metriccare_world::{
    BY_PATIENT, CoveredTable, Measures, Rows, TableAnswers, TablePart, TableTotals, TablesWriter, World,
    facilities_csv, providers_csv,
    view::tables::{CMS_MEASURES, FACILITIES, HAI_DATA, PROVIDERS, Table},
};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    Failure, Progress, Shard, format::compress, generate::PATIENTS_PER_OBJECT, generate::cut, parallel::in_parallel,
    place::Place,
};

/// The folder of the landing zone that tables land in.
const FOLDER: &str = "tables";

/// How to land the tables of a world.
#[derive(Debug, Clone, Copy)]
pub struct TablesRequest {
    /// Whether every file is compressed.
    pub gzip: bool,
    /// Which part of the population.
    pub shard: Shard,
    /// How many threads may be used.
    pub threads: NonZeroUsize,
}

/// What was landed of the tables, counted as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GeneratedTables {
    /// Landed objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of patients.
    pub patients: u64,
    /// Rows of encounters.
    pub encounters: u64,
    /// Claim lines.
    pub claims: u64,
    /// Rows of the registry.
    pub registry: u64,
}

/// Where objects land, and how.
struct Target<'a> {
    landing: &'a dyn ObjectStore,
    lake: &'a dyn ObjectStore,
    runtime: Handle,
    place: Place,
    request: TablesRequest,
}

/// What one thread, or the whole of a call, has landed.
#[derive(Default)]
struct Landed {
    made: GeneratedTables,
    covers: Vec<CoveredTable>,
}

/// Lands a shard of the eight tables of a world's whole year below `tables/`, and its answer key in the lake.
///
/// It blocks, and must not be called from an async task without saying so.
///
/// # Errors
/// What the stores do, and an end before all was done.
pub fn generate_tables(
    world: &World,
    request: TablesRequest,
    landing: &dyn ObjectStore,
    lake: &dyn ObjectStore,
    progress: &dyn Progress,
) -> Result<GeneratedTables, Failure> {
    let place = Place::on(Date::from_ymd(world.spec().year, 12, 31));
    let target = Target { landing, lake, runtime: Handle::current(), place, request };
    let Shard { part, of } = request.shard;
    let ranges = cut(world.shard(part, of), PATIENTS_PER_OBJECT);
    let new = || (TablesWriter::new(world), Rows::default(), Measures::new(world), Landed::default());
    let states = in_parallel(&ranges, request.threads, progress, new, |(writer, rows, measures, landed), range| {
        rows.clear();
        let name = format!("{:08}-{:08}", range.start + 1, range.end);
        writer.write(range, rows, measures);
        let [patients, encounters, claims, registry] = rows.counts;
        landed.made.patients += patients;
        landed.made.encounters += encounters;
        landed.made.claims += claims;
        landed.made.registry += registry;
        for (table, lines) in BY_PATIENT.iter().zip(rows.tables()) {
            if !lines.is_empty() {
                let csv = [table.header().as_bytes(), lines].concat();
                target.put(&format!("{}-{name}", table.name), csv, landed)?;
            }
        }
        Ok(())
    })?;
    let (mut landed, mut measures, mut totals) = (Landed::default(), Measures::new(world), TableTotals::default());
    for (writer, _, sums, part) in states {
        measures.merge(&sums)?;
        totals.merge(&writer.totals());
        landed.made.add(&part.made);
        landed.covers.extend(part.covers);
    }
    if part == 1 {
        totals.merge(&TableTotals::of_directory(world));
        target.put_tables([(&PROVIDERS, providers_csv(world)), (&FACILITIES, facilities_csv(world))], &mut landed)?;
    }
    let covers = std::mem::take(&mut landed.covers);
    target.put_answers(TableAnswers::new(world, totals), covers, TablePart::Shard { part, of })?;
    if let Some(all) = target.sums_of_all_shards(world, measures)? {
        let tables = [(&CMS_MEASURES, all.cms_measures_csv(world)), (&HAI_DATA, all.hai_data_csv(world))];
        target.put_tables(tables, &mut landed)?;
        let answers = TableAnswers::new(world, all.totals(world));
        target.put_answers(answers, landed.covers, TablePart::Reports { of })?;
    }
    Ok(landed.made)
}

impl Target<'_> {
    fn put(&self, name: &str, csv: Vec<u8>, landed: &mut Landed) -> Result<(), Failure> {
        let (ending, bytes) = if self.request.gzip { (".csv.gz", compress(&csv)?) } else { (".csv", csv) };
        landed.made.objects += 1;
        landed.made.bytes += bytes.len() as u64;
        let name = self.place.key(FOLDER, name, ending);
        landed.covers.push(CoveredTable { name: name.clone(), content_id: keys::content_id(&bytes) });
        let put = self.landing.put_stamped(&name, bytes.into(), PutMode::Overwrite, self.place.stamp);
        self.runtime.block_on(put)?;
        Ok(())
    }

    fn put_tables(&self, tables: [(&Table, Vec<u8>); 2], landed: &mut Landed) -> Result<(), Failure> {
        tables.into_iter().try_for_each(|(table, csv)| self.put(table.name, csv, landed))
    }

    /// Leaves an answer key in the lake.
    fn put_answers(
        &self,
        mut answers: TableAnswers,
        covers: Vec<CoveredTable>,
        part: TablePart,
    ) -> Result<(), Failure> {
        covers.into_iter().for_each(|covered| answers.cover(covered));
        let layout = if self.request.gzip { "objects-csv.gz" } else { "objects-csv" };
        let key = answers.key(layout, part);
        self.runtime.block_on(self.lake.put(&key, answers.to_json().into_bytes().into(), PutMode::Overwrite))?;
        Ok(())
    }

    /// The sums over the whole population, where those of all shards are there: of several shards each leaves its own in the
    /// lake, as `reference/_answers/<spec>/tables/sums/<k>-of-<n>.json`.
    fn sums_of_all_shards(&self, world: &World, own: Measures) -> Result<Option<Measures>, Failure> {
        let Shard { part: own_part, of } = self.request.shard;
        if of == 1 {
            return Ok(Some(own));
        }
        let key = |part: u64| format!("{}{}/tables/sums/{part}-of-{of}.json", keys::ANSWERS, world.slug());
        let own_key = key(own_part);
        let put = self.lake.put(&own_key, own.to_json().into_bytes().into(), PutMode::Overwrite);
        self.runtime.block_on(put)?;
        // The latest shards are the last to leave theirs, so that what is missing is found at once.
        let mut all = own;
        for part in (1..=of).rev().filter(|part| *part != own_part) {
            let key = key(part);
            let Some(found) = self.runtime.block_on(self.lake.get_opt(&key))? else { return Ok(None) };
            let bytes = self.runtime.block_on(found.body.bytes())?;
            all.merge(&serde_json::from_slice::<Measures>(&bytes).map_err(|error| Failure::Sums { key, error })?)?;
        }
        Ok(Some(all))
    }
}

impl GeneratedTables {
    fn add(&mut self, other: &GeneratedTables) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.patients += other.patients;
        self.encounters += other.encounters;
        self.claims += other.claims;
        self.registry += other.registry;
    }
}
