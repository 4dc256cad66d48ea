//! `metriccare run`: generates a population, lands it as FHIR, processes it through bronze, silver and gold, and prints a summary.

use metriccare_flow::drive;
use metriccare_lake::{settings::MOST_BUCKETS, silver::DEFAULT_BUCKETS};
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
    let wanted = arguments.buckets.unwrap_or_else(|| buckets_of(world.spec().patients));
    let worker = lake::open(&arguments.lake, threads, wanted).await?;
    if let Some(asked) = arguments.buckets.filter(|asked| *asked != worker.buckets) {
        return Err(Failure::usage(format!(
            "--buckets {asked}: the lake {} was made with {} buckets, and that cannot change; leave the flag out, or name \
             another lake",
            arguments.lake.lake, worker.buckets
        )));
    }
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

/// Patients of a bucket, at most, where the number of buckets is chosen: what one thread merges in little memory.
const PATIENTS_OF_BUCKET: u64 = 25_000;

/// The number of buckets of a new lake for a population of this size.
fn buckets_of(patients: u64) -> u16 {
    let needed = patients.div_ceil(PATIENTS_OF_BUCKET).clamp(u64::from(DEFAULT_BUCKETS), u64::from(MOST_BUCKETS));
    u16::try_from(needed.next_power_of_two()).map_or(MOST_BUCKETS, |buckets| buckets.min(MOST_BUCKETS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_with_the_population() {
        let expected = [(1, 16), (400_000, 16), (400_001, 32), (1_000_000, 64), (u64::MAX, MOST_BUCKETS)];
        for (patients, buckets) in expected {
            assert_eq!(buckets_of(patients), buckets, "{patients} patients");
        }
    }
}
