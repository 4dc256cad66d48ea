//! Generated lakes in memory, held against their laws: feed = batch, whatever the order of its days.

use std::{num::NonZeroUsize, sync::Arc};

use metriccare_fhir::write::{Date, FhirVersion};
use metriccare_flow::{Worker, drive};
use metriccare_lake::{
    cells::{self, Cell},
    schema::TABLES,
};
use metriccare_ports::{Ports, SystemClock};
use metriccare_world::{Spec, World};

use super::{Check, checks};
use crate::{
    arguments::{Format, Shard},
    generate::{Request, generate},
    progress::Bars,
};

const BUCKETS: u16 = 4;

fn lake() -> Arc<Worker> {
    let ports = Ports::memory(Arc::new(SystemClock));
    Arc::new(Worker::new(ports, BUCKETS, NonZeroUsize::MIN, "test"))
}

fn land(worker: &Worker, world: &World, day: Option<Date>, shard: Shard) {
    let request = Request {
        version: FhirVersion::R5,
        format: Format::Ndjson,
        gzip: false,
        day,
        shard,
        threads: NonZeroUsize::MIN,
    };
    let (landing, reference) = (&*worker.ports.landing, &*worker.ports.lake);
    tokio::task::block_in_place(|| generate(world, request, landing, reference, &Bars::new(true))).expect("memory");
}

async fn carry(worker: &Arc<Worker>) {
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

const WHOLE: Shard = Shard { part: 1, of: 1 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_days_ends_as_the_year_at_once() {
    let world = World::new(Spec { patients: 80, facilities: 4, providers: 20, ..Spec::default() }).expect("possible");
    let year = lake();
    land(&year, &world, None, WHOLE);
    carry(&year).await;
    hold(&year).await;

    let fed = lake();
    for week in days(2025).chunks(28) {
        for day in week {
            land(&fed, &world, Some(*day), WHOLE);
        }
        carry(&fed).await;
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
        carry(&shuffled).await;
    }
    hold(&shuffled).await;
    assert!(rows(&shuffled).await == rows(&year).await, "shuffled days end in other rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_is_compared_once_all_its_days_are_there() {
    let world = World::new(Spec { patients: 30, facilities: 3, providers: 9, ..Spec::default() }).expect("possible");
    let fed = lake();
    for day in &days(2025)[..31] {
        land(&fed, &world, Some(*day), WHOLE);
    }
    carry(&fed).await;
    let checks = checks(&fed, &Bars::new(true)).await.expect("memory");
    let key = checks.iter().find(|check| check.name == "answer key").expect("there is one");
    assert!(key.skipped.as_ref().is_some_and(|why| why.ends_with("31 of 365 days have been delivered")), "{key:?}");
    assert!(checks.iter().all(|check| check.differences.is_empty()));
}
