//! Landing the relational set: the eight tables as CSV, which bronze knows by their headers.
//!
//! Patients, encounters, claims and registry are cut into objects as FHIR is, each with a header of its own. Measures and
//! infections are of the whole population, so one call lands all of it.

use std::num::NonZeroUsize;

use metriccare_fhir::calendar::Date;
use metriccare_ports::{ObjectStore, PutMode};
use metriccare_world::{
    BY_PATIENT, Measures, Rows, TablesWriter, World, facilities_csv, providers_csv,
    view::tables::{CMS_MEASURES, FACILITIES, HAI_DATA, PROVIDERS},
};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    Failure, Progress, format::compress, generate::PATIENTS_PER_OBJECT, generate::cut, parallel::in_parallel,
    place::Place,
};

/// The folder of the landing zone that tables land in.
const FOLDER: &str = "tables";

/// How to land the tables of a world.
#[derive(Debug, Clone, Copy)]
pub struct TablesRequest {
    /// Whether every file is compressed.
    pub gzip: bool,
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
    runtime: Handle,
    place: Place,
    gzip: bool,
}

/// Lands the eight tables of a world's whole year below `tables/`.
///
/// It blocks, and must not be called from an async task without saying so.
///
/// # Errors
/// What the store does, and an end before all was done.
pub fn generate_tables(
    world: &World,
    request: TablesRequest,
    landing: &dyn ObjectStore,
    progress: &dyn Progress,
) -> Result<GeneratedTables, Failure> {
    let place = Place::on(Date::from_ymd(world.spec().year, 12, 31));
    let target = Target { landing, runtime: Handle::current(), place, gzip: request.gzip };
    let ranges = cut(0..world.spec().patients, PATIENTS_PER_OBJECT);
    let new = || (TablesWriter::new(world), Rows::default(), Measures::new(world), GeneratedTables::default());
    let states = in_parallel(&ranges, request.threads, progress, new, |(writer, rows, measures, made), range| {
        rows.clear();
        let name = format!("{:08}-{:08}", range.start + 1, range.end);
        writer.write(range, rows, measures);
        let [patients, encounters, claims, registry] = rows.counts;
        made.patients += patients;
        made.encounters += encounters;
        made.claims += claims;
        made.registry += registry;
        for (table, lines) in BY_PATIENT.iter().zip(rows.tables()) {
            if !lines.is_empty() {
                let csv = [table.header().as_bytes(), lines].concat();
                target.put(&format!("{}-{name}", table.name), csv, made)?;
            }
        }
        Ok(())
    })?;
    let (mut made, mut measures) = (GeneratedTables::default(), Measures::new(world));
    for (_, _, part, counts) in &states {
        measures.merge(part)?;
        made.add(counts);
    }
    for (table, csv) in [
        (&PROVIDERS, providers_csv(world)),
        (&FACILITIES, facilities_csv(world)),
        (&CMS_MEASURES, measures.cms_measures_csv(world)),
        (&HAI_DATA, measures.hai_data_csv(world)),
    ] {
        target.put(table.name, csv, &mut made)?;
    }
    Ok(made)
}

impl Target<'_> {
    fn put(&self, name: &str, csv: Vec<u8>, made: &mut GeneratedTables) -> Result<(), Failure> {
        let (ending, bytes) = if self.gzip { (".csv.gz", compress(&csv)?) } else { (".csv", csv) };
        made.objects += 1;
        made.bytes += bytes.len() as u64;
        let key = self.place.key(FOLDER, name, ending);
        let put = self.landing.put_stamped(&key, bytes.into(), PutMode::Overwrite, self.place.stamp);
        self.runtime.block_on(put)?;
        Ok(())
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
