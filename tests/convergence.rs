//! Law 1: any delivery of the same landed objects ends in the same lake.
//!
//! A delivery is the order in which messages come, how often, how many objects each names, how many processes take them
//! and on how many threads, what breaks between them and the cloud, and when their leases lapse while they go on. What
//! it has to end in is what one process makes of everything at once.

use std::sync::{Arc, OnceLock};

use metriccare_lake::{
    cells::Cell,
    schema::{BRONZE_INGEST_LOG, GOLD_STAY, SILVER_CONDITION, SILVER_ENCOUNTER, SILVER_PATIENT, Table},
};
use metriccare_ports::faulty::Faults;
use metriccare_tests::{
    Cloud, LakeContents,
    cloud::unruly,
    column,
    landed::{self, Landed},
    simulated,
};
use proptest::prelude::*;

const HOSPITALS: &str = "hospital_name,staffed_beds,city,state\nMetricCare Hospital - Raleigh,20,Raleigh,NC\n";

/// One way of delivering landed objects.
#[derive(Clone, Debug)]
struct Delivery {
    seed: u64,
    duplicate_percent: u32,
    /// How many objects a message names, message by message, over and over.
    named_together: Vec<usize>,
    /// Whether everything is told a second time, in reverse.
    redelivered: bool,
    processes: usize,
    threads: usize,
    faults_per_thousand: u32,
    /// How often leases lapse while somebody is at work.
    jumps: usize,
}

fn any_delivery() -> impl Strategy<Value = Delivery> {
    let parts = (
        any::<u64>(),
        0u32..60,
        proptest::collection::vec(1usize..6, 1..4),
        any::<bool>(),
        1usize..4,
        1usize..3,
        prop_oneof![Just(0u32), 1u32..15],
        0usize..8,
    );
    parts.prop_map(|(seed, duplicate_percent, named_together, redelivered, processes, threads, faults, jumps)| {
        Delivery {
            seed,
            duplicate_percent,
            named_together,
            redelivered,
            processes,
            threads,
            faults_per_thousand: faults,
            jumps,
        }
    })
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

async fn delivered(objects: &[Landed], delivery: &Delivery) -> LakeContents {
    let cloud = Arc::new(Cloud::new(unruly(delivery.seed, delivery.duplicate_percent)));
    cloud.land(objects).await;
    let mut rest: Vec<&Landed> = objects.iter().collect();
    for together in delivery.named_together.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let later = rest.split_off((*together).min(rest.len()));
        cloud.notify(&rest).await;
        rest = later;
    }
    if delivery.redelivered {
        for object in objects.iter().rev() {
            cloud.notify(&[object]).await;
        }
    }
    cloud.put_hospitals(HOSPITALS).await;
    let process = |number: usize| {
        let faults = Faults::seeded(delivery.seed.wrapping_add(number as u64), delivery.faults_per_thousand);
        cloud.process(&format!("process-{number}"), faults, delivery.threads)
    };
    let processes = (0..delivery.processes).map(process).collect();
    cloud.settle_together(processes, delivery.jumps).await;
    LakeContents::of(&cloud)
}

fn awkward() -> &'static LakeContents {
    static LAKE: OnceLock<LakeContents> = OnceLock::new();
    LAKE.get_or_init(|| run(Cloud::driven(&landed::awkward(), HOSPITALS)))
}

fn corrected() -> &'static LakeContents {
    static LAKE: OnceLock<LakeContents> = OnceLock::new();
    LAKE.get_or_init(|| run(Cloud::driven(&landed::corrected(), HOSPITALS)))
}

/// The months of a feed, and the lake that they make.
fn feed() -> &'static (Vec<Landed>, LakeContents) {
    static FEED: OnceLock<(Vec<Landed>, LakeContents)> = OnceLock::new();
    FEED.get_or_init(|| {
        let objects = simulated::feed(&simulated::world(30, 7));
        let lake = run(Cloud::driven(&objects, HOSPITALS));
        (objects, lake)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_delivery_of_awkward_objects_ends_the_same(delivery in any_delivery()) {
        let lake = run(delivered(&landed::awkward(), &delivery));
        prop_assert_eq!(lake.difference(awkward()), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_delivery_of_a_years_feed_ends_the_same(delivery in any_delivery()) {
        let (objects, wanted) = feed();
        let lake = run(delivered(objects, &delivery));
        prop_assert_eq!(lake.difference(wanted), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_delivery_of_corrected_subjects_ends_the_same(delivery in any_delivery()) {
        let lake = run(delivered(&landed::corrected(), &delivery));
        prop_assert_eq!(lake.difference(corrected()), None);
    }
}

/// The cells of some columns, row by row, as text.
fn cells(lake: &LakeContents, table: &'static Table, names: &[&str]) -> Vec<String> {
    let places: Vec<usize> = names.iter().map(|name| column(table, name)).collect();
    let row = |row: Vec<Cell>| places.iter().map(|place| row[*place].to_string()).collect::<Vec<_>>().join(" | ");
    let mut rows: Vec<String> = lake.rows(table).into_iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn a_stay_that_was_filed_under_the_wrong_patient_counts_once_under_the_right_one() {
    let encounters =
        cells(corrected(), &SILVER_ENCOUNTER, &["encounter_id", "patient_id", "version_id", "prior_encounter_id"]);
    assert_eq!(encounters, ["e1 | p3 | 2 | ", "e2 | p1 | 3 | ", "e3 | p1 | 3 | e2"]);
    let conditions = cells(corrected(), &SILVER_CONDITION, &["condition_id", "patient_id", "version_id"]);
    assert_eq!(conditions, ["c1 | p3 | 2"]);
    let stays = cells(corrected(), &GOLD_STAY, &["stay_id", "patient_id", "next_stay_id", "infections"]);
    assert_eq!(stays, ["e1 | p3 |  | 0", "e2 | p1 | e3 | 0", "e3 | p1 |  | 0"]);
}

#[test]
fn the_awkward_objects_end_in_what_a_person_expects() {
    let encounters =
        cells(awkward(), &SILVER_ENCOUNTER, &["encounter_id", "patient_id", "status", "hospital_name", "version_id"]);
    assert_eq!(
        encounters,
        [
            "e1 | p1 | completed | MetricCare Hospital - Raleigh | 10",
            "e2 | p2 | completed | Duke & Söhne 100 % | 1",
            "e3 | p3 | entered-in-error |  | 2",
            "e4 | p3 | completed | MetricCare Hospital - Charlotte | 1",
            "e5 | p2 | completed | MetricCare Hospital - Charlotte | ",
            "e6 | p2 | completed | Wake | ",
            "e7 |  | completed |  | ",
            "e8 | p3 | completed | MetricCare Hospital - Raleigh | 1",
        ]
    );
    let patients = cells(awkward(), &SILVER_PATIENT, &["patient_id", "deceased_time"]);
    assert_eq!(patients, ["p1 | ", "p2 | ", "p3 | 2025-01-22T09:00:00Z", "p4 | ", "p5 | ", "p6 | "]);
    let conditions =
        cells(awkward(), &SILVER_CONDITION, &["condition_id", "encounter_id", "infection_type", "version_id"]);
    assert_eq!(conditions, ["c1 | e1 |  | 2", "c2 | e2 | clabsi | 1"]);
    let stays =
        cells(awkward(), &GOLD_STAY, &["stay_id", "next_stay_id", "index_status", "readmitted", "died_in_hospital"]);
    assert_eq!(
        stays,
        [
            "e1 |  | index | false | false",
            "e2 | e5 | index | true | false",
            "e4 | e8 | index | true | false",
            "e5 | e6 | index | true | false",
            "e6 |  | index | false | false",
            "e7 |  | index | false | false",
            "e8 |  | died | false | true",
        ]
    );
    let status = column(&BRONZE_INGEST_LOG, "status");
    let rejected = awkward().ingest_log().iter().filter(|row| row[status] == Cell::Text("REJECTED".to_owned()));
    assert_eq!(rejected.count(), 1);
}
