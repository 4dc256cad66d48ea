//! Lakes on disk for another engine, and the comparison of what it computes with what the pipeline wrote.
//!
//! `infra/athena/rebuild/compare.py` does the comparing; here are the lakes that it is done on.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use metriccare_fhir::write::FhirVersion;
use metriccare_flow::{Unwatched, Worker, drive};
use metriccare_lake::keys;
use metriccare_ports::{ManualClock, Ports, PutMode};
use metriccare_world::{Destination, FhirWriter, Known, Resources, Spec, World};

use crate::{Landed, landed, simulated};

/// A reference file with known, empty and missing staffed beds.
pub const BEDS: &str = "hospital_name,staffed_beds,city,state\nMetricCare Hospital - Charlotte,5,Charlotte,NC\n\
    MetricCare Hospital - Raleigh,0,Raleigh,NC\nMetricCare Hospital - Durham,,Durham,NC\n";

/// `infra/` of this repository.
pub fn infra() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra")
}

/// Carries objects through the pipeline into a new lake on disk, of so many buckets.
///
/// # Panics
/// Where a stage fails.
pub async fn lake(folder: &Path, objects: &[Landed], hospitals: &str, buckets: u16) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("an earlier run's lake");
    }
    let clock = Arc::new(ManualClock::at_micros(1_767_225_600_000_000));
    let ports = Ports::disk(folder, clock).expect("a folder for the lake");
    for object in objects {
        let put =
            ports.landing.put_stamped(&object.key, object.bytes.clone().into(), PutMode::Overwrite, object.micros);
        put.await.expect("the disk takes it");
    }
    ports.lake.put(keys::HOSPITALS, hospitals.to_owned().into(), PutMode::Overwrite).await.expect("the disk takes it");
    let worker = Arc::new(Worker::new(ports, buckets, NonZeroUsize::MIN.saturating_add(1), "engines"));
    let driven = drive(&worker, &Unwatched).await.expect("nothing fails");
    assert!(driven.failed.is_empty(), "{:?}", driven.failed);
}

/// Holds an engine's result against a lake; returns the rows compared, and shows them to those who ask with `--nocapture`.
///
/// # Panics
/// With the first differing cells, where they differ.
pub fn compare(python: &Path, lake: &Path, arguments: &[&str]) -> String {
    let mut compare = Command::new(python);
    let output =
        compare.arg(infra().join("athena/rebuild/compare.py")).arg(lake).args(arguments).output().expect("Python");
    let (shown, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{shown}{complained}", lake.display());
    #[expect(clippy::disallowed_macros, reason = "a test talks to whoever runs it")]
    {
        println!("{}\n{shown}", lake.display());
    }
    shown.into_owned()
}

/// A world's year, with the objects that land apart because they are dirty.
pub fn year(world: &World) -> Vec<Landed> {
    let mut objects = simulated::year(world, FhirVersion::R5, 3);
    let mut out = Resources::default();
    FhirWriter::new(world, FhirVersion::R5, Known::YearEnd).write(0..world.spec().patients, &mut out, None);
    for (destination, batches) in Destination::ALL.into_iter().zip(&out.batches) {
        let times: &[i64] = if destination == Destination::Late { &[500_000] } else { &[60, 61] };
        for (kind, batch) in ["patient", "encounter", "condition"].into_iter().zip(batches) {
            for second in times {
                let key = format!("{kind}/2025/12/31/{}-{second}.ndjson", destination.name());
                objects.push(landed::object(&key, *second, batch.lines.clone()));
            }
        }
    }
    objects
}

/// A world of three hospitals with a bit of every fault.
///
/// # Panics
/// Never: its spec is possible.
pub fn dirty_world(patients: u64, providers: u32) -> World {
    let dirty = "duplicates=3%,replays=3%,out-of-order=3%,late=5%,entered-in-error=2%,overlaps=10%,mixed-versions=20%,\
        offsets=10%,bare-codes=10%,foreign-types=2%,broken=3%,bad-values=2%";
    let dirty = dirty.parse().expect("a dial");
    let spec = Spec { patients, facilities: 3, providers, dirty, ..Spec::default() };
    World::new(spec).expect("a possible spec")
}
