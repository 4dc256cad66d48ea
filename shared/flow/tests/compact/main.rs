//! Compaction: whoever reads by the catalog or by the commits has every committed row once, at every moment and after every crash.

mod lake;
mod observed;

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, atomic::AtomicU64},
};

use lake::{BUCKETS, DAY, Lake, MINUTE, Rows, landed_rows, object, options};
use metriccare_flow::{
    CompactOptions, PatientPlan, RebuildFrom, Unwatched, WithdrawalPlan, Worker, compact, drive, rebuild, withdraw,
    withdraw_patient,
};
use metriccare_lake::keys;
use metriccare_ports::{
    Catalog, MemoryLedger, ObjectStore, Ports, PutMode,
    catalog::MemoryCatalog,
    faulty::{Fault, Faults, FaultyStore},
};
use observed::Observed;

/// Objects of the lakes that are compacted; one more lands meanwhile.
const OBJECTS: usize = 4;

/// Every call takes minutes; of so many calls one is tried, by turns with a crash before and after it.
const STRIDE: usize = 9;

/// The calls of the steps of a compaction: it begins, makes the copies, replaces files, removes the copies.
const STEPS: usize = 4;

/// Takes a lake of a few objects through all steps, with a fault or a landing object at one call. Returns the calls so far.
async fn run(landed: &Arc<Rows>, fault: Option<(u64, Fault)>, lands_at: u64) -> (u64, Arc<Lake>) {
    let lake = Arc::new(Lake::of(OBJECTS).await);
    let observed = Arc::new(Observed {
        lake: lake.clone(),
        landed: landed.clone(),
        calls: AtomicU64::new(0),
        lands_at,
        lands: Mutex::new(Some(OBJECTS)),
    });
    let faults = Arc::new(fault.map_or_else(Faults::none, |(call, fault)| Faults::at(call, fault)));
    let store = Arc::new(FaultyStore::new(observed.clone(), faults.clone()));
    let worker = lake.worker(Ports { lake: store, ..lake.ports.clone() });
    for _ in 0..STEPS {
        if compact(&worker, &options()).await.is_err() {
            // The process is gone; another one goes on once the lease has lapsed.
            faults.heal();
            lake.clock.advance(2 * MINUTE);
            lake.check(landed, "after a crash").await;
            compact(&worker, &options()).await.expect("healed");
        }
        lake.check(landed, "between the steps").await;
        lake.clock.advance(DAY + MINUTE);
    }
    (faults.calls(), lake)
}

async fn check_end(lake: &Lake, undisturbed: &Lake, landed: &Rows, when: &str) {
    if lake.by_commits().await.values().sum::<u32>() < landed.values().sum() {
        lake.land(OBJECTS).await;
    }
    lake.compact_wholly().await;
    lake.drive().await;
    lake.check(landed, when).await;
    assert_eq!(lake.by_catalog().await, *landed, "{when}");
    let upper = ["silver/", "gold/"];
    let should = undisturbed.objects(&upper).await;
    assert!(lake.objects(&upper).await == should, "{when}: silver and gold are as without compaction");
    let rebuilt = rebuild(&lake.worker(lake.ports.clone()), RebuildFrom::Bronze, &Unwatched).await.expect("memory");
    assert!(rebuilt.failed.is_empty() && lake.objects(&upper).await == should, "{when}: rebuilt from compacted bronze");
}

#[tokio::test]
async fn a_compaction_that_crashed_at_any_call_is_completed_and_no_reader_noticed() {
    let landed = Arc::new(landed_rows(OBJECTS + 1).await);
    let undisturbed = Lake::of(OBJECTS + 1).await;
    let (calls, lake) = run(&landed, None, 0).await;
    assert!(calls > 50, "{calls}");
    let before = undisturbed.files().await;
    check_end(&lake, &undisturbed, &landed, "undisturbed").await;
    assert!(lake.files().await * 2 < before, "{} files of {before}", lake.files().await);
    for call in (1..=calls).step_by(STRIDE) {
        let fault = if call % 2 == 0 { Fault::Crash } else { Fault::CrashAfter };
        let (_, lake) = run(&landed, Some((call, fault)), 0).await;
        // The ends are alike, and long: some are enough.
        if call % 5 == 0 {
            check_end(&lake, &undisturbed, &landed, &format!("{fault:?} at call {call}")).await;
        }
    }
}

#[tokio::test]
async fn an_object_that_lands_at_any_call_of_a_compaction_is_read_once() {
    let landed = Arc::new(landed_rows(OBJECTS + 1).await);
    let undisturbed = Lake::of(OBJECTS + 1).await;
    let (calls, _) = run(&landed, None, 0).await;
    for call in (1..=calls).step_by(STRIDE) {
        let (_, lake) = run(&landed, None, call).await;
        if call % 5 == 0 {
            check_end(&lake, &undisturbed, &landed, &format!("an object landed at call {call}")).await;
        }
    }
}

#[tokio::test]
async fn a_redelivered_object_brings_its_rows_no_second_time() {
    let lake = Lake::of(6).await;
    lake.compact_wholly().await;
    let landed = lake.by_commits().await;
    // The ledger has forgotten what it had.
    let forgetful = Ports { ledger: Arc::new(MemoryLedger::default()), ..lake.ports.clone() };
    let driven = drive(&lake.worker(forgetful), &Unwatched).await.expect("memory");
    assert!(driven.failed.is_empty() && !driven.landed.is_empty());
    assert_eq!(lake.by_catalog().await, landed);
}

#[tokio::test]
async fn silver_is_not_merged_again_because_of_a_compaction() {
    let lake = Lake::of(6).await;
    lake.compact_wholly().await;
    let worker = lake.worker(lake.ports.clone());
    let window = metriccare_flow::Window::ALL;
    let found = metriccare_flow::find_missing(&worker, metriccare_flow::Upstream::Bronze, window).await;
    assert!(found.expect("memory").missing.is_empty());
}

#[tokio::test]
async fn an_object_is_withdrawn_at_any_stage_of_a_compaction() {
    let (key, _) = object(4);
    for days in 0..=STEPS {
        for wait in [MINUTE, DAY + MINUTE] {
            let lake = Lake::of(6).await;
            for _ in 0..days {
                compact(&lake.worker(lake.ports.clone()), &options()).await.expect("memory");
                lake.clock.advance(wait);
            }
            let worker = lake.worker(lake.ports.clone());
            let plan = WithdrawalPlan::of(&worker, &[key.clone()].into()).await.expect("memory");
            let withdrawn = withdraw(&worker, &plan, "by mistake", &Unwatched).await.expect("memory");
            assert!(withdrawn.objects > 0, "{withdrawn:?}");
            let left = lake.by_commits().await;
            assert!(left.keys().all(|row| !row.contains(&key)) && !left.is_empty());
            let catalog = lake.by_catalog().await;
            let bronze = catalog.into_iter().filter(|(row, _)| !row.starts_with("bronze/withdrawal"));
            assert_eq!(bronze.collect::<Rows>(), left, "after {days} steps");
            assert!(lake.objects(&[keys::COMPACTION_COPIES]).await.is_empty());
            lake.compact_wholly().await;
            assert_eq!(lake.by_commits().await, left);
        }
    }
}

/// Withdraws a patient, and gives the rows that are left.
async fn without_patient(lake: &Lake) -> Rows {
    let worker = lake.worker(lake.ports.clone());
    let plan = PatientPlan::of(&worker, "p0").await.expect("memory");
    assert!(plan.refused.is_empty() && plan.records > 0, "{plan:?}");
    withdraw_patient(&worker, &plan, "consent ended", [7; 32], &Unwatched).await.expect("memory");
    let left = lake.by_commits().await;
    let catalog = lake.by_catalog().await.into_iter();
    assert_eq!(catalog.filter(|(row, _)| !row.starts_with("bronze/withdrawal")).collect::<Rows>(), left);
    left
}

#[tokio::test]
async fn a_patient_is_withdrawn_from_compacted_files_as_from_others() {
    // Some objects are no longer in landing: another version has taken their place.
    let should = without_patient(&Lake::of(6).await).await;
    for steps in 0..=STEPS {
        let lake = Lake::of(6).await;
        for _ in 0..steps {
            compact(&lake.worker(lake.ports.clone()), &options()).await.expect("memory");
            lake.clock.advance(DAY + MINUTE);
        }
        assert_eq!(without_patient(&lake).await, should, "after {steps} steps");
    }
}

#[tokio::test]
async fn two_compactions_at_once_and_one_without_time_do_no_harm() {
    let lake = Lake::of(6).await;
    let landed = lake.by_commits().await;
    let worker = lake.worker(lake.ports.clone());
    let held = r#"{"holder":{"owner":"other","until_millis":99999999999999},"folders":{}}"#;
    lake.lake.put(keys::COMPACTIONS, held.into(), PutMode::Overwrite).await.expect("memory");
    assert!(compact(&worker, &options()).await.expect("memory").is_busy);
    lake.lake.delete(keys::COMPACTIONS).await.expect("memory");
    let mut late = Worker::new(lake.ports.clone(), BUCKETS, NonZeroUsize::MIN, "late");
    late.deadline_millis = 0;
    let late = Arc::new(late);
    for _ in 0..STEPS {
        let report = compact(&late, &options()).await.expect("memory");
        assert!(report.under_way > 0 && report.served == 0, "{report:?}");
        lake.clock.advance(DAY);
    }
    lake.compact_wholly().await;
    assert_eq!(lake.by_catalog().await, landed);
}

#[tokio::test]
async fn a_copy_is_removed_with_what_was_written_to_it_late_where_nothing_could_be_compacted() {
    let lake = Lake::of(OBJECTS).await;
    let worker = lake.worker(lake.ports.clone());
    let all = lake.lake.snapshot();
    let files = all.iter().filter(|(key, _)| key.starts_with("bronze/encounter/"));
    let (file, bytes) = files.max_by_key(|(_, bytes)| bytes.len()).expect("a file");
    // No two files together are as small as that.
    let options = CompactOptions { target_bytes: bytes.len() as u64 + 1, ..options() };
    assert!(compact(&worker, &options).await.expect("memory").begun > 0);
    lake.clock.advance(DAY);
    compact(&worker, &options).await.expect("memory");
    let folder = file.rsplit_once('/').expect("in a folder").0;
    assert!(lake.objects(&[&keys::compaction_plan(&format!("{folder}/"))]).await.is_empty(), "nothing is compacted");
    // A function that read before that this partition is copied writes its file to both places.
    let copy = keys::compaction_copy(file);
    lake.lake.put(&copy, bytes.clone().into(), PutMode::IfAbsent).await.expect("memory");
    for _ in 0..3 {
        lake.clock.advance(DAY + MINUTE);
        compact(&worker, &CompactOptions { min_files: usize::MAX, ..options }).await.expect("memory");
    }
    let left = lake.objects(&[keys::COMPACTION_COPIES]).await;
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn a_damaged_file_stays_as_it_is() {
    let lake = Lake::of(6).await;
    let file = lake.list_one("bronze/condition/").await;
    lake.lake.put(&file, "no Parquet".into(), PutMode::Overwrite).await.expect("memory");
    lake.compact_wholly().await;
    let bytes = lake.lake.get(&file).await.expect("still there").body.bytes().await.expect("memory");
    assert_eq!(bytes, "no Parquet");
    assert!(lake.objects(&["bronze/quarantine/"]).await.len() < 6);
}

#[tokio::test]
async fn the_catalog_moves_a_partition_and_adds_one_that_it_does_not_know() {
    let catalog = MemoryCatalog::default();
    catalog.move_partition("bronze_patient", &["A"], "one/").await.expect("memory");
    catalog.ensure_partition("bronze_patient", &["A"], "two/").await.expect("memory");
    assert_eq!(catalog.partitions().into_values().collect::<Vec<_>>(), ["one/"]);
    catalog.move_partition("bronze_patient", &["A"], "two/").await.expect("memory");
    assert_eq!(catalog.partitions().into_values().collect::<Vec<_>>(), ["two/"]);
}
