//! Two engines, one result: Athena's SQL on DuckDB computes every row of silver and gold that the pipeline wrote.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use metriccare_lake::{schema::TABLES, silver::DEFAULT_BUCKETS};
use metriccare_tests::{
    Landed,
    crowded::crowd,
    engines::{BEDS, compare, dirty_world, infra, lake, year},
    files::folder,
    landed, python, simulated,
};
use metriccare_world::{Spec, World};
use serde_json::{Value, json};

static TARGET: &str = env!("CARGO_TARGET_TMPDIR");

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    python::environment(Path::new(TARGET), "two-engines", &infra().join("athena/rebuild/requirements.txt"))
});

/// Makes a lake and holds the SQL against it.
async fn agree(name: &str, objects: &[Landed], hospitals: &str, buckets: u16, arguments: &[&str]) -> String {
    let place = Path::new(TARGET).join("two-engines").join(name);
    lake(&place, objects, hospitals, buckets).await;
    compare(&PYTHON, &place, arguments)
}

#[tokio::test]
async fn on_a_year_of_two_thousand_patients() {
    let world = World::new(Spec { patients: 2000, ..Spec::default() }).expect("a possible spec");
    agree("year", &year(&world), BEDS, DEFAULT_BUCKETS, &[]).await;
}

#[tokio::test]
async fn on_a_dirty_year_where_every_named_query_has_an_answer() {
    // Enough clinicians for some of a specialty to be compared with each other.
    let world = dirty_world(1000, 200);
    let objects = [year(&world), simulated::tables(&world, 100)].concat();
    let shown = agree("dirty", &objects, BEDS, DEFAULT_BUCKETS, &["--answers"]).await;
    assert!(shown.contains("silver_fact_claim"), "the star is compared too: {shown}");
}

#[tokio::test]
async fn on_a_crowd_where_everything_happens_at_once() {
    for (seed, buckets) in (1..=6).zip([DEFAULT_BUCKETS, 1, 3, 10, 11, 100]) {
        let beds = "hospital_name,staffed_beds\nDuke,20\n2025,3\n";
        agree(&format!("crowd-{seed}"), &crowd(seed), beds, buckets, &[]).await;
    }
}

#[tokio::test]
async fn on_awkward_objects() {
    agree("awkward", &landed::awkward(), BEDS, DEFAULT_BUCKETS, &[]).await;
}

#[tokio::test]
async fn on_a_lake_without_a_stay() {
    agree("empty", &[landed::object("other/note.txt", 0, "not FHIR")], "", DEFAULT_BUCKETS, &[]).await;
}

#[tokio::test]
async fn on_what_other_systems_wrote() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    for name in ["synthea", "hl7/R4", "hl7/R5"] {
        agree(&name.replace('/', "-"), &folder(&data.join(name)), BEDS, DEFAULT_BUCKETS, &[]).await;
    }
}

/// The SQL's idea of the tables is the pipeline's.
#[test]
fn tables_json_is_the_schema() {
    let listed: Value =
        serde_json::from_slice(&fs::read(infra().join("athena/tables.json")).expect("the file")).expect("JSON");
    let columns = |table: &metriccare_lake::schema::Table| -> serde_json::Map<String, Value> {
        table.columns.iter().map(|(name, kind)| ((*name).to_owned(), json!(kind.athena()))).collect()
    };
    let tables = TABLES.iter().map(|table| {
        let fields = json!({"path": table.path, "partition": table.partition, "columns": columns(table)});
        (table.glue_name(), fields)
    });
    assert_eq!(listed, Value::Object(tables.collect()));
}
