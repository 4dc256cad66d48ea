//! `metriccare generate`: the two views of a world, written to a folder, to S3 or to standard output.

pub(crate) mod atomic_file;

pub(crate) mod in_order;
mod one_patient;
mod report;
mod standard_output;
pub(crate) mod tables;

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use metriccare_landing::{Format, generate};
use metriccare_ports::{DiskStore, ObjectStore};

use crate::{
    arguments::{CloudFlags, GenerateFhir},
    cloud,
    commands::plausible,
    lake::location::{DataLocation, OutputTarget},
    output::{Output, counted, failure::Failure, progress::Bars, size},
};

/// `metriccare generate fhir`.
pub(crate) async fn command(arguments: &GenerateFhir, output: &mut Output) -> Result<(), Failure> {
    let job = arguments.job()?;
    plausible::check_year(job.spec.year)?;
    let request = job.request(arguments.work.threads())?;
    report::check(arguments.answer, request.shard)?;
    let world = arguments.world.tables.build(job.spec)?;
    let out = match &arguments.out {
        OutputTarget::Location(out) => out,
        OutputTarget::Stdout => {
            report::check_stdout(arguments.answer)?;
            return tokio::task::block_in_place(|| standard_output::fhir(&world, request));
        }
    };
    let (landing, reference) = stores(out, &arguments.cloud).await?;
    let bars = Bars::new(arguments.answer.json);
    let made = tokio::task::block_in_place(|| generate(&world, request, &*landing, &*reference, &bars))?;
    bars.finish();
    let mut words = format!(
        "{}, {} and {} in {} ({}) below {out}",
        counted(made.patients, "patient"),
        counted(made.encounters, "encounter"),
        counted(made.conditions, "condition"),
        counted(made.objects, "file"),
        size(made.bytes),
    );
    if made.faults > 0 {
        words += &format!("\n{} injected; the answer key says how each must be handled", counted(made.faults, "fault"));
    }
    let one_patient = world.spec().patients == 1 && request.format == Format::Json;
    if one_patient && !arguments.answer.json && io::stdout().is_terminal() {
        words = one_patient::show(&world, request.version)? + &words;
    }
    let print = || report::print(&world, (&made, &words), arguments.answer, request.threads, &bars, output);
    tokio::task::block_in_place(print)
}

/// The store of the resources, and the store of the reference data (staffed beds, answer key).
async fn stores(
    out: &DataLocation,
    flags: &CloudFlags,
) -> Result<(Arc<dyn ObjectStore>, Arc<dyn ObjectStore>), Failure> {
    match out {
        DataLocation::Folder(folder) => {
            let unusable = |error| Failure::usage(format!("--out cannot be used: {error}"));
            let store: Arc<dyn ObjectStore> = Arc::new(DiskStore::open("out", folder).map_err(unusable)?);
            Ok((Arc::clone(&store), store))
        }
        DataLocation::Bucket(place) => cloud::stores(place, flags).await,
    }
}
