//! The simulated world: one year of hospitals, clinicians and patients, seeded and without a clock.
//!
//! ```
//! use metriccare_fhir::write::FhirVersion;
//! use metriccare_world::{Answers, FhirWriter, Known, Resources, Spec, World, fhir_directory};
//!
//! let world = World::new(Spec { patients: 200, ..Spec::default() })?; // refuses impossible values by name
//! let hospitals_csv: String = world.directory().hospitals_csv(); // reference/hospitals.csv
//! let directory = fhir_directory(&world, FhirVersion::R5); // Organization, Location, Practitioner lines
//!
//! // Shard 1 of 2, in parts as large as the caller likes; each thread has its own writer, buffers and key.
//! let mut writer = FhirWriter::new(&world, FhirVersion::R5, Known::YearEnd);
//! let (mut out, mut key) = (Resources::default(), Answers::new(&world));
//! writer.write(world.shard(1, 2), &mut out, Some(&mut key));
//! assert!(out.patient.ends_with(b"}\n") && out.counts[0] == 100);
//!
//! // The answer key of the other shard is added up, written, read back, and compared with the gold tables.
//! let mut other = Answers::new(&world);
//! writer.write(world.shard(2, 2), &mut Resources::default(), Some(&mut other));
//! key.merge(&other)?;
//! let rows = Answers::from_json(&key.to_json())?.expected();
//! assert!(rows.iter().any(|row| row.table == "gold/readmission"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The second view of the same lives are eight relational tables:
//!
//! ```
//! use metriccare_world::{BY_PATIENT, Measures, Rows, Spec, TablesWriter, World, facilities_csv, providers_csv};
//!
//! let world = World::new(Spec { patients: 50, claims: Some(600), ..Spec::default() })?;
//! let (mut rows, mut measures) = (Rows::default(), Measures::new(&world)); // Measures of shards are merged
//! TablesWriter::new(&world).write(0..50, &mut rows, &mut measures);
//! assert_eq!(rows.counts[2], 600); // patients, encounters, claims, registry
//! let claims_csv = [BY_PATIENT[2].header().as_bytes(), &rows.claims].concat();
//! let once_per_run = [providers_csv(&world), facilities_csv(&world), measures.cms_measures_csv(&world), measures.hai_data_csv(&world)];
//! # assert!(claims_csv.starts_with(b"claim_id,") && once_per_run.iter().all(|csv| !csv.is_empty()));
//! # Ok::<(), metriccare_world::SpecError>(())
//! ```
//!
//! [`Calibration`] sums lives up in the same way and sets each figure beside its published band and source.
//!
//! The same spec makes the same bytes whatever the ranges, threads and machines: every patient is simulated from
//! streams keyed by seed, year and index alone. Where no exact total or share is asked for, patient i is the same for
//! any population size. [`Known::Day`] writes one day of the year's feed instead of the whole year: over all days the
//! same last versions appear. A spec's [`Dial`] makes the FHIR view dirty, and the key says what the lake has to make of it.

mod answers;
mod calibration;
mod cohorts;
mod department;
mod directory;
mod dirt;
mod facility;
mod ids;
mod intervals;
mod life;
mod measures;
mod population;
mod quantiles;
mod rules;
mod spec;
mod spec_error;
mod stream;
mod table_answers;
mod tables;
pub mod view;
mod world;
mod year;

pub use answers::{Answers, Covered, DifferentWorlds, ExpectedRow, FaultCount, Value};
pub use calibration::{Calibration, Figure};
pub use department::Department;
pub use directory::{Clinician, Directory, Hospital};
pub use dirt::{Dial, Dirt, ExpectedOutcome};
pub use facility::FacilityKind;
pub use life::{
    Condition, ConditionKind, DeviceDays, Encounter, Infection, Language, Life, LifeFaults, LifeObserver, Person,
    Segment,
};
pub use measures::Measures;
pub use spec::{AVERAGE_TOTALS, Spec};
pub use spec_error::{InvalidField, SpecError, beginning};
pub use table_answers::{CoveredTable, TableAnswers, TablePart};
pub use tables::{Benchmark, TableError, TableTexts, Tables, Town, benchmarks};
pub use view::fhir::{
    Destination, DirectoryResources, FaultBatch, FhirWriter, Known, Resources, directory as fhir_directory,
};
pub use view::tables::{BY_PATIENT, Rows, TableTotals, TablesWriter, facilities_csv, providers_csv};
pub use world::World;
