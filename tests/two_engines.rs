//! Two engines, one result: Athena's SQL on DuckDB computes every row of silver and gold that the pipeline wrote.
//!
//! `infra/athena/rebuild/compare.py` does the comparing; here are the lakes that it is done on.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, LazyLock},
};

use metriccare_fhir::write::FhirVersion;
use metriccare_flow::{Unwatched, Worker, drive};
use metriccare_lake::{keys, schema::TABLES, silver::DEFAULT_BUCKETS};
use metriccare_ports::{ManualClock, Ports, PutMode};
use metriccare_tests::{Landed, crowded::crowd, files::folder, landed, python, simulated};
use metriccare_world::{Destination, FhirWriter, Known, Resources, Spec, World};
use serde_json::{Value, json};

static TARGET: &str = env!("CARGO_TARGET_TMPDIR");

fn athena() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/athena")
}

static PYTHON: LazyLock<PathBuf> =
    LazyLock::new(|| python::environment(Path::new(TARGET), "two-engines", &athena().join("rebuild/requirements.txt")));

/// Carries objects through the pipeline into a lake on disk, and holds the SQL against it.
async fn agree(name: &str, objects: &[Landed], hospitals: &str, arguments: &[&str]) {
    let lake = Path::new(TARGET).join("two-engines").join(name);
    if lake.exists() {
        fs::remove_dir_all(&lake).expect("an earlier run's lake");
    }
    let clock = Arc::new(ManualClock::at_micros(1_767_225_600_000_000));
    let ports = Ports::disk(&lake, clock).expect("a folder for the lake");
    for object in objects {
        let put =
            ports.landing.put_stamped(&object.key, object.bytes.clone().into(), PutMode::Overwrite, object.micros);
        put.await.expect("the disk takes it");
    }
    ports.lake.put(keys::HOSPITALS, hospitals.to_owned().into(), PutMode::Overwrite).await.expect("the disk takes it");
    let worker = Arc::new(Worker::new(ports, DEFAULT_BUCKETS, NonZeroUsize::MIN.saturating_add(1), name));
    let driven = drive(&worker, &Unwatched).await.expect("nothing fails");
    assert!(driven.failed.is_empty(), "{:?}", driven.failed);
    drop(worker);

    let mut compare = Command::new(&*PYTHON);
    let output = compare.arg(athena().join("rebuild/compare.py")).arg(&lake).args(arguments).output().expect("Python");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}:\n{said}{complained}");
    // The rows compared, for those who ask with `--nocapture`.
    #[expect(clippy::disallowed_macros, reason = "a test talks to whoever runs it")]
    {
        println!("{name}\n{said}");
    }
}

/// A world's year, with the objects that land apart because they are dirty.
fn year(world: &World) -> Vec<Landed> {
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

const BEDS: &str = "hospital_name,staffed_beds,city,state\nMetricCare Hospital - Charlotte,5,Charlotte,NC\n\
    MetricCare Hospital - Raleigh,0,Raleigh,NC\nMetricCare Hospital - Durham,,Durham,NC\n";

#[tokio::test]
async fn on_a_year_of_two_thousand_patients() {
    let world = World::new(Spec { patients: 2000, ..Spec::default() }).expect("a possible spec");
    agree("year", &year(&world), BEDS, &[]).await;
}

#[tokio::test]
async fn on_a_dirty_year_where_every_named_query_has_an_answer() {
    let dirty = "duplicates=3%,replays=3%,out-of-order=3%,late=5%,entered-in-error=2%,overlaps=10%,mixed-versions=20%,\
        offsets=10%,bare-codes=10%,foreign-types=2%,broken=3%,bad-values=2%";
    let dirty = dirty.parse().expect("a dial");
    let spec = Spec { patients: 1000, facilities: 3, providers: 20, dirty, ..Spec::default() };
    let world = World::new(spec).expect("a possible spec");
    agree("dirty", &year(&world), BEDS, &["--answers"]).await;
}

#[tokio::test]
async fn on_a_crowd_where_everything_happens_at_once() {
    for seed in 1..=6 {
        agree(&format!("crowd-{seed}"), &crowd(seed), "hospital_name,staffed_beds\nDuke,20\n2025,3\n", &[]).await;
    }
}

#[tokio::test]
async fn on_awkward_objects() {
    agree("awkward", &landed::awkward(), BEDS, &[]).await;
}

#[tokio::test]
async fn on_a_lake_without_a_stay() {
    agree("empty", &[landed::object("other/note.txt", 0, "not FHIR")], "", &[]).await;
}

#[tokio::test]
async fn on_what_other_systems_wrote() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    for name in ["synthea", "hl7/R4", "hl7/R5"] {
        agree(&name.replace('/', "-"), &folder(&data.join(name)), BEDS, &[]).await;
    }
}

/// The SQL's idea of the tables is the pipeline's.
#[test]
fn tables_json_is_the_schema() {
    let listed: Value =
        serde_json::from_slice(&fs::read(athena().join("tables.json")).expect("the file")).expect("JSON");
    let columns = |table: &metriccare_lake::schema::Table| -> serde_json::Map<String, Value> {
        table.columns.iter().map(|(name, kind)| ((*name).to_owned(), json!(kind.athena()))).collect()
    };
    let tables = TABLES.iter().map(|table| {
        let fields = json!({"path": table.path, "partition": table.partition, "columns": columns(table)});
        (table.glue_name(), fields)
    });
    assert_eq!(listed, Value::Object(tables.collect()));
}
