//! The suite on memory and on disk.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    ledger::{self, Move},
    race, store,
};
use crate::{
    Clock, DiskLedger, DiskStore, Ledger, ManualClock, MemoryLedger, MemoryStore, ObjectLedger, ObjectStore,
    PrefixStore, SystemClock,
};

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(MemoryStore::new("lake", Arc::new(ManualClock::default())))
}

fn disk() -> (tempfile::TempDir, Arc<dyn ObjectStore>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = DiskStore::open("lake", folder.path()).expect("opened");
    (folder, Arc::new(store))
}

fn disk_ledger() -> (tempfile::TempDir, Arc<dyn Ledger>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ledger = DiskLedger::open(&folder.path().join(".ledger.redb")).expect("opened");
    (folder, Arc::new(ledger))
}

#[tokio::test]
async fn a_bucket_in_memory_that_keeps_versions_is_lawful() {
    let bucket = Arc::new(MemoryStore::new("lake", Arc::new(ManualClock::default())).versioned());
    store::versions_are_kept_until_they_are_deleted(&*bucket, "s").await;
    store::versions_are_kept_until_they_are_deleted(&PrefixStore::new(bucket, "part"), "s").await;
}

#[tokio::test]
async fn a_bucket_in_memory_is_lawful() {
    let bucket = memory();
    store::all(&*bucket, "s").await;
    store::stated_times_are_kept(&*bucket, "s").await;
    store::long_lists_are_whole(&*bucket, "s").await;
}

#[tokio::test]
async fn a_bucket_on_disk_is_lawful() {
    let (_folder, bucket) = disk();
    store::all(&*bucket, "s").await;
    store::stated_times_are_kept(&*bucket, "s").await;
    store::long_lists_are_whole(&*bucket, "s").await;
}

#[tokio::test]
async fn a_part_of_a_bucket_is_a_lawful_bucket() {
    let whole = memory();
    whole.put("reports/2024", "outside".into(), crate::PutMode::IfAbsent).await.expect("put");
    let part: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(whole.clone(), "reports/2025"));
    store::all(&*part, "s").await;
    store::stated_times_are_kept(&*part, "s").await;
    let (all, ours) = (whole.list("").await.expect("listed"), part.list("").await.expect("listed"));
    assert_eq!(all.len(), ours.len() + 1, "nothing of the rest is seen, and nothing is written outside");
    assert_eq!((whole.bucket(), part.bucket()), ("lake", "lake/reports/2025"));
}

fn object_ledger() -> Arc<dyn Ledger> {
    Arc::new(ObjectLedger::new(memory(), Arc::new(ManualClock::default())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ledger_of_objects_is_lawful() {
    ledger::all(&*object_ledger(), "s").await;
    race::one_of_many_has_the_work(object_ledger(), "s", 16).await;
    race::one_end_is_heard(object_ledger(), "s", 16).await;
    race::one_object_was_first(object_ledger(), "s", 16).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_race_in_memory() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    race::every_addition_counts(memory(), clock, "s", 8, 25).await;
    race::one_of_many_is_first(memory(), "s", 16).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_race_on_disk() {
    let (folder, bucket) = disk();
    race::every_addition_counts(bucket.clone(), Arc::new(ManualClock::default()), "s", 8, 25).await;
    race::one_of_many_is_first(bucket.clone(), "s", 16).await;
    // Two stores on one folder share nothing but the file system, as two processes do.
    let other: Arc<dyn ObjectStore> = Arc::new(DiskStore::open("lake", folder.path()).expect("opened"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let key = "two/race/counter";
    tokio::join!(race_apart(bucket, clock.clone(), key), race_apart(other.clone(), clock, key));
    let object = other.get(key).await.expect("get");
    assert_eq!(object.body.bytes().await.expect("body").len(), 2 * 4 * 10);
}

/// Four writers that each append ten bytes, one at a time.
async fn race_apart(store: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>, key: &'static str) {
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (store, clock) = (store.clone(), clock.clone());
        tasks.spawn(async move {
            for turn in 0..10 {
                let append = |current: Option<crate::register::Current>| async move {
                    let mut bytes = current.map_or_else(Vec::new, |current| current.bytes.to_vec());
                    bytes.push(b'x');
                    Ok::<_, crate::Error>(crate::register::Change::Write(bytes.into()))
                };
                let retry = crate::Retry::seeded(writer * 100 + turn).attempts(100);
                crate::register::update(&*store, &*clock, key, &retry, append).await.expect("appended");
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn both_ledgers_are_lawful() {
    ledger::all(&MemoryLedger::default(), "s").await;
    let (_folder, disk) = disk_ledger();
    ledger::all(&*disk, "s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claimants_race_on_both_ledgers() {
    let (_folder, disk) = disk_ledger();
    for ledger in [Arc::new(MemoryLedger::default()), disk] {
        race::one_of_many_has_the_work(ledger.clone(), "s", 20).await;
        race::one_end_is_heard(ledger.clone(), "s", 20).await;
        race::one_object_was_first(ledger, "s", 20).await;
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let worker = 0..4_u8;
    let one = prop_oneof![
        4 => (worker.clone(), 0..20_u8).prop_map(|(worker, lease_millis)| Move::Begin { worker, lease_millis }),
        3 => worker.clone().prop_map(Move::Complete),
        1 => worker.clone().prop_map(Move::Reject),
        3 => worker.prop_map(Move::Fail),
        4 => (0..30_u8).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 1..60)
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_is_lawful_in_memory(moves in moves()) {
        run(async { ledger::any_interleaving_is_lawful(&MemoryLedger::default(), "s", &moves).await });
    }

    #[test]
    fn any_interleaving_is_lawful_in_a_bucket(moves in moves()) {
        run(async { ledger::any_interleaving_is_lawful(&*object_ledger(), "s", &moves).await });
    }
}

#[test]
fn any_interleaving_is_lawful_on_disk() {
    let (_folder, disk) = disk_ledger();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 32,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let scope = std::cell::Cell::new(0);
    let lawful = runner.run(&moves(), |moves| {
        scope.set(scope.get() + 1);
        run(async { ledger::any_interleaving_is_lawful(&*disk, &scope.get().to_string(), &moves).await });
        Ok(())
    });
    lawful.expect("lawful");
}
