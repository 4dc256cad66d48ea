//! `metriccare simulate`: a cohort with exact shares of deaths, infections, readmissions and stays, as FHIR in a folder.
//!
//! The questions, the folders and the summary are those of the CMS simulator that its users know. Every number of the
//! summary is counted from the resources that were written, by the pipeline that will read them.

mod count;
mod files;
mod questions;

use std::io::{self, IsTerminal};

use metriccare_landing::{Request, cut};
use metriccare_world::{FhirWriter, Known, Resources, World};
use tokio::runtime::Handle;

use self::{count::Counted, files::Files};
use crate::{
    arguments::Simulate,
    cloud::{DefaultBucket, Scratch},
    commands::{generate::in_order::in_order, plausible},
    lake::location::DataLocation,
    output::{
        Output,
        failure::Failure,
        progress::{Bars, note},
    },
};

/// Patients in a part: what a thread holds in memory.
const PATIENTS_PER_PART: u64 = 2_000;

pub(crate) async fn simulate(arguments: &Simulate, output: &mut Output) -> Result<(), Failure> {
    // Whether the files can be uploaded is known before they are made.
    let bucket = if arguments.upload { Some(DefaultBucket::open(&arguments.cloud).await?) } else { None };
    let fields = arguments.fields()?;
    let job = tokio::task::block_in_place(|| {
        let input = &mut io::stdin().lock();
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            questions::ask(fields, input, &mut io::stderr())
        } else {
            questions::read(fields, input)
        }
    })?;
    plausible::check_year(job.spec.year)?;
    let request = job.request(arguments.work.threads())?;
    let world = arguments.tables.build(job.spec)?;
    let bars = Bars::new(false);
    let out = Scratch::new(&arguments.out, &arguments.cloud).await?;
    let mut files = Files::create(out.folder(), &world)?;
    let counted = tokio::task::block_in_place(|| write(&world, request, &mut files, &bars))?;
    bars.finish();
    files.finish()?;
    if let Some(bucket) = bucket {
        let target = bucket.upload(files.folder(), "fhir_data/json").await?;
        note(&format!("uploaded to {target}"));
    }
    match &arguments.out {
        DataLocation::Folder(_) => note(&format!(
            "{} files in {}; process them: metriccare ingest {}",
            files::KINDS.len(),
            files.folder().display(),
            files.folder().display()
        )),
        DataLocation::Bucket(place) => {
            out.send().await?;
            note(&format!("{} files in {}", files::KINDS.len(), place.join("fhir_data/json")));
        }
    }
    print(world.spec().year, &counted, output)
}

fn write(world: &World, request: Request, files: &mut Files, bars: &Bars) -> Result<Counted, Failure> {
    let ranges = cut(0..world.spec().patients, PATIENTS_PER_PART);
    bars.start("simulate", ranges.len());
    let runtime = Handle::current();
    let makers = in_order(
        ranges.len(),
        request.threads,
        || {
            let writer = FhirWriter::new(world, request.version, Known::YearEnd);
            (writer, Resources::default(), Counted::default())
        },
        |(writer, resources, counted), at| {
            resources.clear();
            writer.write(ranges[at].clone(), resources, None);
            counted.add(runtime.block_on(count::count(resources))?);
            Ok(())
        },
        |(_, resources, _)| {
            bars.step(1);
            files.append(resources)
        },
    )?;
    let mut all = Counted::default();
    makers.into_iter().for_each(|(.., counted)| all.add(counted));
    Ok(all)
}

fn print(year: i32, counted: &Counted, output: &mut Output) -> Result<(), Failure> {
    output.line("─────────────────────────── SUMMARY ───────────────────────────")?;
    output.line(format!("Year simulated:           {year}"))?;
    output.line(format!("Total patients simulated: {}", counted.patients))?;
    output.line(format!("Total encounters:         {}", counted.encounters))?;
    output.line(format!("Total conditions:         {}", counted.conditions))?;
    output.line("───────────────────────────────────────────────────────────────")?;
    output.line(format!("Mortality   : {}", counted.deaths))?;
    output.line(format!("Infection   : {}", counted.infections))?;
    output.line(format!("Readmission : {}", counted.readmissions))?;
    output.line(format!("ALOS        : {}", counted.stays))?;
    output.flush()
}
