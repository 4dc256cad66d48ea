//! `metriccare generate`: data for other programs, written to a folder.

use metriccare_landing::{Progress, Request, generate};
use metriccare_ports::DiskStore;
use metriccare_world::World;

use crate::{
    arguments::GenerateFhir,
    failure::Failure,
    output::{Output, count, size},
    progress::Bars,
};

/// `metriccare generate fhir`.
pub(crate) async fn command(arguments: &GenerateFhir, output: &mut Output) -> Result<(), Failure> {
    let world = World::new(arguments.world.spec()?)?;
    let store = DiskStore::open("out", &arguments.out)
        .map_err(|error| Failure::usage(format!("--out cannot be used: {error}")))?;
    let request = Request {
        version: arguments.fhir_version.into(),
        format: arguments.format.into(),
        gzip: arguments.gzip,
        day: arguments.day,
        shard: arguments.shard,
        threads: arguments.work.threads(),
    };
    let bars = Bars::new(false);
    let made = tokio::task::block_in_place(|| generate(&world, request, &store, &store, &bars))?;
    bars.finish();
    output.line(format!(
        "{} patients, {} encounters and {} conditions in {} files ({}) below {}",
        count(made.patients),
        count(made.encounters),
        count(made.conditions),
        count(made.objects),
        size(made.bytes),
        arguments.out.display()
    ))?;
    output.flush()
}

impl Progress for Bars {
    fn begin(&self, steps: usize) {
        self.start("generate", steps);
    }

    fn step(&self) {
        Bars::step(self, 1);
    }
}
