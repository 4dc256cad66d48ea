use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::*;
use crate::{
    ManualClock, MemoryStore,
    faulty::{Fault, Faults, FaultyStore},
};

fn lake() -> (Arc<ManualClock>, Arc<MemoryStore>) {
    let clock = Arc::new(ManualClock::default());
    (clock.clone(), Arc::new(MemoryStore::new("lake", clock)))
}

/// Adds a line to a sorted set of lines: a join.
fn joined(current: Option<&Current>, line: &str) -> Bytes {
    let text = current.map_or_else(String::new, |current| String::from_utf8_lossy(&current.bytes).into_owned());
    let mut lines: std::collections::BTreeSet<&str> = text.lines().collect();
    lines.insert(line);
    lines.into_iter().collect::<Vec<_>>().join("\n").into()
}

#[tokio::test]
async fn an_unchanged_register_is_not_written() {
    let (clock, lake) = lake();
    let retry = Retry::seeded(1);
    let keep = |_| async { Ok::<_, Error>(Change::Keep) };
    let none = update(&*lake, &*clock, "r", &retry, keep).await.expect("kept");
    assert_eq!(none, Updated { etag: None, written: false, turns: 1 });
    let add = |current: Option<Current>| async move { Ok::<_, Error>(Change::Write(joined(current.as_ref(), "a"))) };
    assert!(update(&*lake, &*clock, "r", &retry, add).await.expect("written").written);
    clock.set_micros(5);
    assert!(!update(&*lake, &*clock, "r", &retry, add).await.expect("equal").written);
    assert_eq!(lake.head("r").await.expect("there").last_modified_micros, 0);
}

#[tokio::test]
async fn a_writer_that_was_first_is_never_lost() {
    let (clock, lake) = lake();
    let turn = AtomicU32::new(0);
    let add = |current: Option<Current>| {
        let (lake, first) = (lake.clone(), turn.fetch_add(1, Ordering::SeqCst) == 0);
        async move {
            if first {
                lake.put("r", "other".into(), PutMode::Overwrite).await?;
            }
            Ok::<_, Error>(Change::Write(joined(current.as_ref(), "mine")))
        }
    };
    let done = update(&*lake, &*clock, "r", &Retry::seeded(1), add).await.expect("updated");
    assert_eq!((done.written, done.turns), (true, 2));
    assert_eq!(lake.snapshot()["r"], "mine\nother");
}

#[tokio::test]
async fn turns_are_bounded_and_running_out_is_retryable() {
    let (clock, lake) = lake();
    let turn = AtomicU32::new(0);
    let add = |_| {
        let (lake, other) = (lake.clone(), turn.fetch_add(1, Ordering::SeqCst).to_string());
        async move {
            lake.put("r", other.into(), PutMode::Overwrite).await?;
            Ok::<_, Error>(Change::Write("mine".into()))
        }
    };
    let error = update(&*lake, &*clock, "r", &Retry::seeded(1).attempts(3), add).await.expect_err("never first");
    assert_eq!((error.kind(), turn.load(Ordering::SeqCst)), (ErrorKind::Conflict, 3));
    assert!(error.retryable());
}

#[tokio::test]
async fn a_lost_reply_is_resolved_by_reading_back() {
    let (clock, lake) = lake();
    // The first call reads, the second writes and its reply is lost.
    let faults = Arc::new(Faults::at(2, Fault::LoseReply));
    let store = FaultyStore::new(lake.clone(), faults);
    let computed = AtomicU32::new(0);
    let add = |current: Option<Current>| {
        computed.fetch_add(1, Ordering::SeqCst);
        async move { Ok::<_, Error>(Change::Write(joined(current.as_ref(), "a"))) }
    };
    let done = update(&store, &*clock, "r", &Retry::seeded(1), add).await.expect("updated");
    assert_eq!((done.written, done.turns, computed.load(Ordering::SeqCst)), (true, 2, 1));
    assert_eq!(done.etag, Some(lake.head("r").await.expect("there").etag));
}

#[tokio::test]
async fn an_error_of_the_computation_or_of_permission_ends_the_update_at_once() {
    let (clock, lake) = lake();
    let refuse = |_| async { Err(Error::new(ErrorKind::Invalid, "compute", "r", "no")) };
    let error = update::<Error, _, _>(&*lake, &*clock, "r", &Retry::seeded(1), refuse).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(clock.now_micros(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_among_writers_whose_calls_fail_and_whose_replies_are_lost() {
    for seed in 0..20 {
        let (clock, lake) = lake();
        let faults = Arc::new(Faults::seeded(seed, 300));
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..8_u64 {
            let (clock, store) = (clock.clone(), FaultyStore::new(lake.clone(), faults.clone()));
            tasks.spawn(async move {
                let add = |current: Option<Current>| async move {
                    Ok::<_, Error>(Change::Write(joined(current.as_ref(), &format!("writer {writer}"))))
                };
                let retry = Retry::seeded(seed * 8 + writer).attempts(100);
                update(&store, &*clock, "r", &retry, add).await.expect("our turn comes");
            });
        }
        tasks.join_all().await;
        assert_eq!(String::from_utf8_lossy(&lake.snapshot()["r"]).lines().count(), 8, "seed {seed}");
    }
}
