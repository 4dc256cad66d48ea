//! Making data: the two views of a world, written to a folder.

pub(crate) mod draft;
pub(crate) mod in_order;
mod report;
pub(crate) mod tables;

use std::sync::Arc;

use metriccare_landing::generate;
use metriccare_ports::{DiskStore, ObjectStore};
use metriccare_world::World;

use crate::{
    arguments::{CloudFlags, GenerateFhir},
    cloud,
    lake::location::DataLocation,
    output::{Output, count, failure::Failure, progress::Bars, size},
};

/// `metriccare generate fhir`.
pub(crate) async fn command(arguments: &GenerateFhir, output: &mut Output) -> Result<(), Failure> {
    let job = arguments.job()?;
    let request = job.request(arguments.work.threads())?;
    report::check(arguments.answer, request.shard)?;
    let world = World::new(job.spec)?;
    let (landing, reference) = stores(&arguments.out, &arguments.cloud).await?;
    let bars = Bars::new(arguments.answer.json);
    let made = tokio::task::block_in_place(|| generate(&world, request, &*landing, &*reference, &bars))?;
    bars.finish();
    let mut words = format!(
        "{} patients, {} encounters and {} conditions in {} files ({}) below {}",
        count(made.patients),
        count(made.encounters),
        count(made.conditions),
        count(made.objects),
        size(made.bytes),
        arguments.out
    );
    if made.faults > 0 {
        let faults = count(made.faults);
        words += &format!("\n{faults} faults were put in; the answer key says what has to become of them");
    }
    let said = || report::say(&world, (&made, &words), arguments.answer, request.threads, &bars, output);
    tokio::task::block_in_place(said)
}

/// Where resources go, and where beds and the answer key go: one folder, or what S3 has for each.
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
