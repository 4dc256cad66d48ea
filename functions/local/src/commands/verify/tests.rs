//! Generated lakes in memory, held against their laws: feed = batch, whatever the order of its days; and dirty data.

use std::{num::NonZeroUsize, sync::Arc};

use md5::{Digest, Md5};
use metriccare_fhir::write::{Date, FhirVersion};
use metriccare_flow::{Worker, drive};
use metriccare_lake::{
    cells::{self, Cell},
    keys::hex,
    schema::TABLES,
};
use metriccare_landing::{Format, Request, Shard, TablesRequest, Unwatched, generate, generate_tables};
use metriccare_ports::{Ports, PutMode, SystemClock};
use metriccare_world::{
    BY_PATIENT, Dial, Dirt, Measures, Rows, Spec, TablesWriter, World, facilities_csv, providers_csv,
};
use proptest::prelude::*;

use super::{Check, Origin, checks, conservation, origin, star};
use crate::output::progress::Bars;

const BUCKETS: u16 = 4;

fn lake() -> Arc<Worker> {
    let ports = Ports::memory(Arc::new(SystemClock));
    Arc::new(Worker::new(ports, BUCKETS, NonZeroUsize::MIN, "test"))
}

fn land(worker: &Worker, world: &World, day: Option<Date>, shard: Shard) {
    land_as(worker, world, Request { day, shard, ..request() });
}

fn request() -> Request {
    Request {
        version: FhirVersion::R5,
        format: Format::Ndjson,
        gzip: false,
        day: None,
        shard: Shard::WHOLE,
        threads: NonZeroUsize::MIN,
    }
}

fn land_as(worker: &Worker, world: &World, request: Request) {
    let (landing, reference) = (&*worker.ports.landing, &*worker.ports.lake);
    tokio::task::block_in_place(|| generate(world, request, landing, reference, &Unwatched)).expect("memory");
}

async fn process(worker: &Arc<Worker>) {
    let driven = drive(worker, &Bars::new(true)).await.expect("memory");
    assert!(driven.failed.is_empty(), "{:?}", driven.failed);
}

/// All checks, none of which may be skipped or find a difference.
async fn hold(worker: &Worker) -> Vec<Check> {
    let checks = checks(worker, &Bars::new(true)).await.expect("memory");
    for check in &checks {
        assert_eq!(check.skipped, None, "{}", check.name);
        assert!(check.differences.is_empty(), "{}: {:#?}", check.name, &check.differences[..1]);
    }
    checks
}

/// Every row of silver and gold, without the time at which its version landed.
async fn rows(worker: &Worker) -> Vec<(String, Vec<Cell>)> {
    let mut all = Vec::new();
    for table in TABLES.iter().copied().filter(|table| !table.path.starts_with("bronze/")) {
        let landed = table.file_columns().position(|(name, _)| name == "precombine_ts");
        for listed in worker.ports.lake.list(&format!("{}/", table.path)).await.expect("memory") {
            let bytes = worker.ports.lake.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
            for mut row in cells::read_rows(table, &bytes).expect("ours") {
                if let Some(at) = landed {
                    row[at] = Cell::Null;
                }
                all.push((listed.key.clone(), row));
            }
        }
    }
    all
}

fn days(year: i32) -> Vec<Date> {
    (Date::from_ymd(year, 1, 1).0..Date::from_ymd(year + 1, 1, 1).0).map(Date).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_days_ends_as_the_year_at_once() {
    let world = World::new(Spec { patients: 80, facilities: 4, providers: 20, ..Spec::default() }).expect("possible");
    let year = lake();
    land(&year, &world, None, Shard::WHOLE);
    process(&year).await;
    hold(&year).await;

    let fed = lake();
    for week in days(2025).chunks(28) {
        for day in week {
            land(&fed, &world, Some(*day), Shard::WHOLE);
        }
        process(&fed).await;
    }
    hold(&fed).await;
    assert!(rows(&fed).await == rows(&year).await, "the feed ends in other rows");

    // Another order, and two shards.
    let shuffled = lake();
    let mut order = days(2025);
    order.sort_by_key(|day| day.0.wrapping_mul(7_919) % 1_009);
    for part in order.chunks(122) {
        for day in part {
            land(&shuffled, &world, Some(*day), Shard { part: 2, of: 2 });
            land(&shuffled, &world, Some(*day), Shard { part: 1, of: 2 });
        }
        process(&shuffled).await;
    }
    hold(&shuffled).await;
    assert!(rows(&shuffled).await == rows(&year).await, "shuffled days end in other rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_is_compared_once_all_its_days_are_there() {
    let world = World::new(Spec { patients: 30, facilities: 3, providers: 9, ..Spec::default() }).expect("possible");
    let fed = lake();
    for day in &days(2025)[..31] {
        land(&fed, &world, Some(*day), Shard::WHOLE);
    }
    process(&fed).await;
    let checks = checks(&fed, &Bars::new(true)).await.expect("memory");
    let key = checks.iter().find(|check| check.name == "answer key").expect("there is one");
    assert!(key.skipped.as_ref().is_some_and(|why| why.ends_with("31 of 365 days have been delivered")), "{key:?}");
    assert!(checks.iter().all(|check| check.differences.is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_world_that_landed_in_several_ways_is_one_world() {
    let spec = Spec { patients: 40, facilities: 3, providers: 9, ..Spec::default() };
    let world = World::new(spec.clone()).expect("possible");
    let year = lake();
    land(&year, &world, None, Shard::WHOLE);
    process(&year).await;
    let at_once = rows(&year).await;
    // Both shards, one of two others, and some days of the feed: nothing that the lake does not know already.
    for (part, of) in [(1, 2), (2, 2), (2, 3)] {
        land(&year, &world, None, Shard { part, of });
    }
    for day in &days(2025)[..40] {
        land(&year, &world, Some(*day), Shard::WHOLE);
    }
    process(&year).await;
    hold(&year).await;
    assert!(rows(&year).await == at_once);

    let other = World::new(Spec { seed: 43, ..spec }).expect("possible");
    land(&year, &other, None, Shard::WHOLE);
    process(&year).await;
    let checks = checks(&year, &Bars::new(true)).await.expect("memory");
    let key = checks.iter().find(|check| check.name == "answer key").expect("there is one");
    let why = "the lake holds 2 worlds, and each has a key of its own";
    assert_eq!(key.skipped.as_deref(), Some(why));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_s3_holds_in_a_folder_and_one_of_other_bytes_nowhere() {
    let world = World::new(Spec { patients: 40, facilities: 3, providers: 9, ..Spec::default() }).expect("possible");
    let lake = lake();
    land(&lake, &world, None, Shard::WHOLE);
    process(&lake).await;
    let name = format!("reference/_answers/{}/1-of-1.json", world.slug());
    let key = lake.ports.lake.get(&name).await.expect("written").body.bytes().await.expect("memory");
    let key = String::from_utf8(key.to_vec()).expect("JSON");
    let (mut s3s, mut others) = (key.clone(), key);
    for listed in lake.ports.landing.list("").await.expect("memory") {
        let object = lake.ports.landing.get(&listed.key).await.expect("listed");
        let etag = object.meta.etag.as_str().to_owned();
        let md5 = hex(&Md5::digest(object.body.bytes().await.expect("memory")));
        (s3s, others) = (s3s.replace(&etag, &md5), others.replace(&etag, &hex(&Md5::digest(&etag))));
    }
    assert_ne!(s3s, others);
    let uncovered = Some("3 accepted objects are covered by no answer key");
    for (key, skipped, whose) in [(s3s, None, Origin::Generated), (others, uncovered, Origin::Unknown)] {
        lake.ports.lake.put(&name, key.into_bytes().into(), PutMode::Overwrite).await.expect("memory");
        let checks = checks(&lake, &Bars::new(true)).await.expect("memory");
        let check = checks.iter().find(|check| check.name == "answer key").expect("there is one");
        assert_eq!(check.skipped.as_deref(), skipped);
        assert!(check.differences.is_empty(), "{:?}", check.differences);
        let commits = conservation::commits(&lake).await.expect("memory");
        assert_eq!(origin(&lake, &commits).await.expect("memory"), whose);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bronze_file_that_is_damaged_anywhere_is_named() {
    let lake = lake();
    land(&lake, &World::new(soiled("wrong-types=10%")).expect("possible"), None, Shard::WHOLE);
    process(&lake).await;
    let store = &lake.ports.lake;
    let commits = conservation::commits(&lake).await.expect("memory");
    for table in ["patient", "encounter", "condition", "quarantine", "ingest_log"] {
        let listed = store.list(&format!("bronze/{table}/")).await.expect("memory");
        let key = &listed.first().expect("every table has a file").key;
        let good = store.get(key).await.expect("listed").body.bytes().await.expect("memory");
        // The footer is intact: reading it alone shows no damage.
        let footer = u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().expect("four bytes")) as usize;
        let mut bad = good.to_vec();
        bad[4..good.len() - 8 - footer].fill(0xFF);
        for damaged in [bad, good[..good.len() / 2].to_vec(), Vec::new()] {
            store.put(key, damaged.into(), PutMode::Overwrite).await.expect("memory");
            let check = conservation::check(&lake, &commits, &Bars::new(true)).await.expect("memory");
            assert!(check.differences.iter().any(|words| words.contains(key)), "{table}: {:?}", check.differences);
        }
        store.put(key, good.into(), PutMode::Overwrite).await.expect("memory");
    }
    hold(&lake).await;
}

/// The rows of gold's metrics.
async fn metrics(worker: &Worker) -> Vec<(String, Vec<Cell>)> {
    let gold = |key: &str| key.starts_with("gold/");
    rows(worker).await.into_iter().filter(|(key, _)| gold(key)).collect()
}

fn soiled(dirty: &str) -> Spec {
    let dirty = dirty.parse().expect("a dial");
    Spec { patients: 60, facilities: 3, providers: 12, dirty, ..Spec::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dirt_that_means_the_same_leaves_gold_as_it_is() {
    let clean = lake();
    land(&clean, &World::new(soiled("")).expect("possible"), None, Shard::WHOLE);
    process(&clean).await;
    let soft = "duplicates=20%,replays=20%,out-of-order=50%,late=20%,mixed-versions=30%,offsets=30%,bare-codes=50%";
    for dirty in
        [soft, "broken=30%,bad-values=10%,foreign-types=9%", "duplicates=100%,offsets=100%", "truncated=100%,replays=1"]
    {
        let world = World::new(soiled(dirty)).expect("possible");
        let dirty = lake();
        land(&dirty, &world, None, Shard::WHOLE);
        process(&dirty).await;
        hold(&dirty).await;
        assert!(metrics(&dirty).await == metrics(&clean).await, "{:?}", world.spec().dirty);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dirty_feed_holds_and_ends_as_the_dirty_year() {
    let dirty = "duplicates=5%,late=5%,out-of-order=20%,entered-in-error=5%,overlaps=20%,broken=5%,replays=5%";
    let world = World::new(Spec { patients: 40, ..soiled(dirty) }).expect("possible");
    let (year, fed) = (lake(), lake());
    land(&year, &world, None, Shard::WHOLE);
    process(&year).await;
    hold(&year).await;
    for quarter in days(2025).chunks(92) {
        for day in quarter {
            land(&fed, &world, Some(*day), Shard::WHOLE);
        }
        process(&fed).await;
    }
    hold(&fed).await;
    assert!(metrics(&fed).await == metrics(&year).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_became_something_else_is_named() {
    let world = World::new(soiled("wrong-types=10%,duplicates=10%")).expect("possible");
    let dirty = lake();
    land(&dirty, &world, None, Shard::WHOLE);
    process(&dirty).await;
    let name = format!("reference/_answers/{}/1-of-1.json", world.slug());
    let key = dirty.ports.lake.get(&name).await.expect("written").body.bytes().await.expect("memory");
    let key = String::from_utf8(key.to_vec()).expect("JSON").replace(r#"{"wrong-type":"#, r#"{"no-id":"#);
    dirty.ports.lake.put(&name, key.into_bytes().into(), PutMode::Overwrite).await.expect("memory");
    let checks = checks(&dirty, &Bars::new(true)).await.expect("memory");
    let faults = checks.iter().find(|check| check.name == "faults").expect("there is one");
    assert_eq!(faults.differences.len(), 6, "two rules in an object of each type: {:?}", faults.differences);
    assert!(faults.differences[0].contains("0 records quarantined as no-id, the generator broke "));
    assert!(checks.iter().all(|check| check.name == "faults" || check.differences.is_empty()));
}

/// Lands the relational tables of a world, with a change to the text of some of them.
async fn land_tables(worker: &Worker, world: &World, change: impl Fn(&str, String) -> String) {
    let (mut rows, mut measures) = (Rows::default(), Measures::new(world));
    TablesWriter::new(world).write(0..world.spec().patients, &mut rows, &mut measures);
    let by_patient = BY_PATIENT.iter().zip(rows.tables());
    let mut tables: Vec<(&str, Vec<u8>)> =
        by_patient.map(|(table, lines)| (table.name, [table.header().as_bytes(), lines].concat())).collect();
    tables.push(("providers", providers_csv(world)));
    tables.push(("facilities", facilities_csv(world)));
    tables.push(("cms_measures", measures.cms_measures_csv(world)));
    tables.push(("hai_data", measures.hai_data_csv(world)));
    for (name, csv) in tables {
        let csv = change(name, String::from_utf8(csv).expect("text"));
        let key = format!("tables/{name}.csv");
        worker.ports.landing.put(&key, csv.into_bytes().into(), PutMode::Overwrite).await.expect("memory");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_keys_of_the_star_lead_to_rows() {
    let world = World::new(Spec { patients: 60, facilities: 3, providers: 12, ..Spec::default() }).expect("possible");
    let whole = lake();
    land(&whole, &world, None, Shard::WHOLE);
    process(&whole).await;
    assert!(hold(&whole).await.iter().all(|check| check.name != "star"), "there are no tables yet");
    let request = TablesRequest { gzip: false, shard: Shard::WHOLE, threads: NonZeroUsize::MIN };
    let (landing, reference) = (&*whole.ports.landing, &*whole.ports.lake);
    let landed = || generate_tables(&world, request, landing, reference, &Unwatched);
    tokio::task::block_in_place(landed).expect("memory");
    process(&whole).await;
    // The answer key still covers all resources.
    let checks = hold(&whole).await;
    let star = checks.iter().find(|check| check.name == "star").expect("there are tables");
    assert!(star.compared.starts_with("60 dim_patient, 12 dim_provider, 3 dim_facility, "), "{}", star.compared);
    let totals = checks.iter().find(|check| check.name == "star totals").expect("there are tables");
    assert!(!totals.compared.starts_with("0 "), "{}", totals.compared);
    let both = star.notes.iter().find(|note| note.contains("in both views")).expect("there are both");
    assert!(both.ends_with(" 0 only in the tables, 0 only in FHIR"), "{both}");

    // The last patient and the last clinician are missing; facilities are missing altogether.
    let cut = lake();
    let without = |name: &str, csv: String| match name {
        "patients" | "providers" => csv
            .lines()
            .rev()
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .fold(String::new(), |text, line| text + line + "\n"),
        "facilities" => csv.lines().next().map(|header| format!("{header}\n")).unwrap_or_default(),
        _ => csv,
    };
    land_tables(&cut, &world, without).await;
    process(&cut).await;
    let star = star::check(&cut).await.expect("memory").expect("there are tables");
    let differs = |words: &str| star.differences.iter().any(|difference| difference.contains(words));
    assert!(differs("silver/fact_encounter: ") && differs(" with a patient_id that silver/dim_patient lacks: "));
    assert!(differs(" with a provider_id that silver/dim_provider lacks: "), "{:?}", star.differences);
    assert!(!differs("facility_id"), "{:?}", star.differences);
    let words = "silver/dim_facility has no row, so facility_id of fact_encounter is not followed";
    assert!(star.notes.iter().any(|note| note == words), "{:?}", star.notes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_twice_in_the_star_is_named() {
    let world = World::new(Spec { patients: 20, facilities: 3, providers: 9, ..Spec::default() }).expect("possible");
    let lake = lake();
    land_tables(&lake, &world, |_, csv| csv).await;
    process(&lake).await;
    let path = metriccare_lake::relational::CLAIMS.silver.path;
    let listed = lake.ports.lake.list(&format!("{path}/")).await.expect("memory");
    let file = listed.iter().find(|listed| listed.key.ends_with(".parquet")).expect("there are claims");
    let bytes = lake.ports.lake.get(&file.key).await.expect("listed").body.bytes().await.expect("memory");
    let copy = file.key.replace(".parquet", "-copy.parquet");
    lake.ports.lake.put(&copy, bytes.into(), PutMode::Overwrite).await.expect("memory");
    let star = star::check(&lake).await.expect("memory").expect("there are tables");
    let words = "silver/fact_claim: more than one row of claim_id, claim_line_number ";
    assert!(star.differences.iter().any(|difference| difference.starts_with(words)), "{:?}", star.differences);
}

fn any_dial() -> impl Strategy<Value = Dial> {
    let rate = prop_oneof![2 => Just(0.0), 3 => 0.0..0.3f64, 1 => Just(1.0)];
    prop::collection::vec(rate, Dirt::ALL.len()).prop_map(|rates| {
        // Deletions are another matter: bronze does not read them yet.
        let kinds = Dirt::ALL.into_iter().filter(|dirt| *dirt != Dirt::Deleted);
        let named = kinds.zip(rates).map(|(dirt, rate)| format!("{}={rate}", dirt.name()));
        named.collect::<Vec<_>>().join(",").parse().expect("rates between 0 and 1")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_dirt_becomes_what_the_key_says(
        dirty in any_dial(),
        seed in any::<u64>(),
        patients in 1u64..40,
        format in prop::sample::select(vec![Format::Ndjson, Format::Bundle, Format::Json]),
        gzip in any::<bool>(),
        shards in 1u64..4,
    ) {
        let spec = Spec { patients, seed, facilities: 3, providers: 9, dirty, ..Spec::default() };
        let world = World::new(spec).expect("possible");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
        runtime.expect("threads").block_on(async {
            let lake = lake();
            for part in 1..=shards {
                let shard = Shard { part, of: shards };
                land_as(&lake, &world, Request { format, gzip, shard, ..request() });
            }
            process(&lake).await;
            hold(&lake).await;
        });
    }
}
