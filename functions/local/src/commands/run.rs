//! `metriccare run`: generates a population, lands it as FHIR, processes it through bronze, silver and gold, and prints a summary.

use metriccare_flow::drive;
use metriccare_landing::generate;

use crate::{
    arguments::Run,
    lake,
    output::{Output, counted, failure::Failure, progress::Bars, size, summary::Summary},
};

pub(crate) async fn run(arguments: &Run, output: &mut Output) -> Result<(), Failure> {
    let threads = arguments.work.threads();
    let job = arguments.job()?;
    let request = job.request(threads)?;
    let world = arguments.world.tables.build(job.spec)?;
    let worker = lake::open(&arguments.lake, threads).await?;
    let bars = Bars::new(arguments.answer.json);
    let (landing, reference) = (&*worker.ports.landing, &*worker.ports.lake);
    let made = tokio::task::block_in_place(|| generate(&world, request, landing, reference, &bars))?;
    let driven = drive(&worker, &bars).await?;
    bars.finish();

    let summary = Summary::of(&worker, &driven).await?;
    if arguments.answer.json {
        output.json(&summary)?;
    } else {
        let spec = world.spec();
        output.line(format!("{} in {}, seed {}", counted(spec.patients, "patient"), spec.year, spec.seed))?;
        output.line("")?;
        output.line(format!(
            "  generated  {}, {}, {} in {} ({})",
            counted(made.patients, "patient"),
            counted(made.encounters, "encounter"),
            counted(made.conditions, "condition"),
            counted(made.objects, "object"),
            size(made.bytes)
        ))?;
        if made.faults > 0 {
            output.line(format!("             {} injected", counted(made.faults, "fault")))?;
        }
        summary.print(output)?;
        let lake = &arguments.lake.lake;
        let landing = arguments.lake.landing.as_ref().map_or_else(String::new, |place| format!(" --landing {place}"));
        output.line(format!("The lake is in {lake}. Check it: metriccare verify --lake {lake}{landing}"))?;
    }
    output.flush()?;
    summary.exit_status(arguments.answer.strict)
}
