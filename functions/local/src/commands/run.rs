//! `metriccare run`: a population is made, landed as FHIR, carried through bronze, silver and gold, and summed up.

use metriccare_flow::drive;
use metriccare_landing::generate;
use metriccare_world::World;

use crate::{
    arguments::Run,
    lake,
    output::{Output, count, failure::Failure, progress::Bars, size, summary::Summary},
};

pub(crate) async fn run(arguments: &Run, output: &mut Output) -> Result<(), Failure> {
    let threads = arguments.work.threads();
    let job = arguments.job()?;
    let request = job.request(threads)?;
    let world = World::new(job.spec)?;
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
        output.line(format!("{} patients in {}, seed {}", count(spec.patients), spec.year, spec.seed))?;
        output.line("")?;
        output.line(format!(
            "  generated  {} patients, {} encounters, {} conditions in {} ({})",
            count(made.patients),
            count(made.encounters),
            count(made.conditions),
            objects(made.objects),
            size(made.bytes)
        ))?;
        if made.faults > 0 {
            output.line(format!("             {} faults put in on purpose", count(made.faults)))?;
        }
        summary.print(output)?;
        let lake = &arguments.lake.lake;
        let landing = arguments.lake.landing.as_ref().map_or_else(String::new, |place| format!(" --landing {place}"));
        output.line(format!("The lake is in {lake}. Check it: metriccare verify --lake {lake}{landing}"))?;
    }
    output.flush()?;
    summary.judge(arguments.answer.strict)
}

fn objects(number: u64) -> String {
    format!("{} object{}", count(number), if number == 1 { "" } else { "s" })
}
