//! What goes wrong stays with its own message: poisoned objects, killed attempts, failed writes, late and lost messages.

mod lake;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lake::{BUCKETS, Lake, is_done};
use metriccare_flow::{Bronze, Function, Gold, Outcome, Silver, Worker, event::ObjectEvent, process};
use metriccare_lake::{gold::Partial, keys};
use metriccare_ports::{
    ETag, ErrorKind, Listed, Object, ObjectMeta, ObjectStore, Payload, Ports, PutMode, PutOptions, Result, WorkId,
    faulty::{Fault, Faults, FaultyStore},
    ledger::State,
};

#[tokio::test]
async fn a_poisoned_commit_fails_alone_and_its_neighbours_are_merged_in_the_same_call() {
    let lake = Lake::new();
    let mut landed = Vec::new();
    for number in 0..6 {
        landed.push(lake.land(&format!("p{number}"), "female").await);
    }
    assert!(lake.process(Bronze, landed).await.iter().all(is_done));
    let file = lake.list("bronze/patient/").await.remove(2);
    lake.lake.put(&file.key, "no Parquet".into(), PutMode::Overwrite).await.expect("memory");
    let commits = lake.events(keys::BRONZE_COMMITS).await;
    let poisoned: Vec<bool> = commits.iter().map(|commit| file.key.contains(object_id(&commit.key))).collect();
    let results = lake.process(Silver, commits).await;
    for (result, poisoned) in results.iter().zip(poisoned) {
        assert_eq!(is_done(result), !poisoned, "{result:?}");
    }
    let failed = results.iter().filter_map(|result| result.as_ref().err()).collect::<Vec<_>>();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].to_string().contains(&file.key), "the reason names the file: {}", failed[0]);
}

fn object_id(commit: &str) -> &str {
    commit.trim_start_matches(keys::BRONZE_COMMITS).trim_end_matches(".json")
}

#[tokio::test]
async fn a_bucket_that_cannot_be_merged_or_measured_fails_only_what_is_in_it() {
    let lake = Lake::new();
    let mut landed = Vec::new();
    for number in 0..12 {
        landed.push(lake.land(&format!("p{number}"), "female").await);
    }
    assert!(lake.process(Bronze, landed).await.iter().all(is_done));
    let broken = keys::bucket_file("silver/patient", 1, BUCKETS);
    lake.lake.put(&broken, "no Parquet".into(), PutMode::Overwrite).await.expect("memory");
    let commits = lake.events(keys::BRONZE_COMMITS).await;
    let results = lake.process(Silver, commits.clone()).await;
    let done = results.iter().filter(|result| is_done(result)).count();
    assert!((1..12).contains(&done), "some patients are in the broken bucket, and some are not: {done}");
    assert_eq!(lake.list(keys::SILVER_COMMITS).await.len(), usize::from(BUCKETS) - 1);

    // Gold measures the other buckets, and publishes them: nothing of the broken one was ever merged.
    let changes = lake.events(keys::SILVER_COMMITS).await;
    assert!(lake.process(Gold, changes).await.iter().all(is_done));
    assert_eq!(lake.list("gold/summary/").await.len(), 1);

    // Mended, the rest is merged.
    assert!(lake.lake.remove(&broken));
    let second = lake.process(Silver, commits).await;
    assert_eq!(second.iter().filter(|result| is_done(result)).count(), 12 - done, "{second:?}");
}

/// A bucket that counts its reads and takes its time.
#[derive(Debug)]
struct Watched {
    store: Arc<dyn ObjectStore>,
    gets: AtomicUsize,
    delay: Duration,
}

#[async_trait]
impl ObjectStore for Watched {
    fn bucket(&self) -> &str {
        self.store.bucket()
    }
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.get_version(key, None, etag).await
    }
    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.delay).await;
        self.store.get_version(key, version, etag).await
    }
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.head_version(key, None).await
    }
    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        tokio::time::sleep(self.delay).await;
        self.store.head_version(key, version).await
    }
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        tokio::time::sleep(self.delay).await;
        self.store.put_with(key, payload, options).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        tokio::time::sleep(self.delay).await;
        self.store.list(prefix).await
    }
}

fn watched(store: Arc<dyn ObjectStore>, delay: Duration) -> Arc<Watched> {
    Arc::new(Watched { store, gets: AtomicUsize::new(0), delay })
}

#[tokio::test]
async fn a_write_that_fails_is_tried_again_without_flattening_again() {
    let unbroken = {
        let faults = Arc::new(Faults::none());
        let lake = Lake::new();
        let event = lake.land("p", "female").await;
        let store = Arc::new(FaultyStore::new(lake.lake.clone(), faults.clone()));
        flatten(&lake, Ports { lake: store, ..lake.ports.clone() }, event).await;
        faults.calls()
    };
    assert!(unbroken >= 3, "the ingest log, the patient and the commit");
    for call in 1..=unbroken {
        let lake = Lake::new();
        let event = lake.land("p", "female").await;
        let landing = watched(lake.landing.clone(), Duration::ZERO);
        let store = Arc::new(FaultyStore::new(lake.lake.clone(), Arc::new(Faults::at(call, Fault::Fail))));
        flatten(&lake, Ports { landing: landing.clone(), lake: store, ..lake.ports.clone() }, event).await;
        assert_eq!(
            landing.gets.load(Ordering::Relaxed),
            1,
            "the landed object is read once, though call {call} failed"
        );
        assert_eq!(lake.list(keys::BRONZE_COMMITS).await.len(), 1);
    }
}

async fn flatten(lake: &Lake, ports: Ports, event: ObjectEvent) {
    let mut worker = lake.unshared_worker();
    worker.ports = ports;
    let results = process(&Bronze, &Arc::new(worker), vec![vec![event]]).await;
    assert!(is_done(&results[0]), "{results:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_is_done_together() {
    let lake = Lake::new();
    let mut landed = Vec::new();
    for number in 0..64 {
        landed.push(lake.land(&format!("p{number}"), "female").await);
    }
    assert!(lake.process(Bronze, landed).await.iter().all(is_done));
    let commits = lake.events(keys::BRONZE_COMMITS).await;
    let mut took = Vec::new();
    for width in [1, 16] {
        let slow: Arc<dyn ObjectStore> = watched(lake.lake.clone(), Duration::from_millis(30));
        let mut worker = lake.unshared_worker();
        worker.io_width = NonZeroUsize::new(width).expect("not zero");
        // Another ledger, so that the commits are claimed each time.
        worker.ports = Ports { lake: slow, ledger: Lake::new().ports.ledger, ..worker.ports };
        let started = tokio::time::Instant::now();
        let messages = commits.iter().map(|commit| vec![commit.clone()]).collect();
        let results = process(&Silver, &Arc::new(worker), messages).await;
        assert!(results.iter().all(is_done), "{results:?}");
        took.push(started.elapsed());
    }
    // One at a time: 64 commits and 64 files. Sixteen at a time: an eighth of that and what follows each other.
    assert!(took[0] >= Duration::from_millis(2 * 64 * 30), "{took:?}");
    assert!(took[1] * 5 < took[0], "{took:?}");
}

/// Claims the work on objects, and lets the leases lapse, as a process does that is killed.
async fn abandon(lake: &Lake, commits: &[ObjectEvent]) -> Vec<WorkId> {
    let mut works = Vec::new();
    for commit in commits {
        let meta = lake.lake.head(&commit.key).await.expect("memory");
        let work = WorkId::on(Silver::NAME, "lake", &meta);
        let now = lake.ports.clock.now_millis();
        lake.ports.ledger.begin(&work, "killed", now, now + 1_000).await.expect("memory");
        works.push(work);
    }
    lake.clock.advance(Duration::from_secs(2));
    works
}

#[tokio::test]
async fn what_was_killed_before_is_done_after_the_rest_is_finished() {
    let lake = Lake::new();
    let mut landed = Vec::new();
    for number in 0..20 {
        landed.push(lake.land(&format!("p{number:02}"), "female").await);
    }
    assert!(lake.process(Bronze, landed).await.iter().all(is_done));
    let commits = lake.events(keys::BRONZE_COMMITS).await;
    // Nine were being worked on when the process was killed; one of them is what kills.
    let works = abandon(&lake, &commits[..9]).await;
    let poison = lake.lake.head(&commits[4].key).await.expect("memory");
    let poison_id = object_id(&poison.key).to_owned();
    let killing = Arc::new(Killing { store: lake.lake.clone(), name: poison_id });
    let mut worker = lake.unshared_worker();
    worker.ports.lake = killing;
    let worker: Arc<Worker> = Arc::new(worker);
    let messages: Vec<_> = commits.iter().map(|commit| vec![commit.clone()]).collect();
    let killed = tokio::spawn(async move { process(&Silver, &worker, messages).await }).await;
    assert!(killed.is_err(), "it was killed again");
    let mut completed = 0;
    for commit in &commits[9..] {
        let meta = lake.lake.head(&commit.key).await.expect("memory");
        let record = lake.ports.ledger.look(&WorkId::on(Silver::NAME, "lake", &meta)).await.expect("memory");
        completed += usize::from(record.is_some_and(|record| matches!(record.state, State::Completed { .. })));
    }
    assert_eq!(completed, 11, "all that were not at work when it was killed before are finished");
    assert_eq!(works.len(), 9);
}

/// A bucket that panics where a file of one object is read, outside of any task that would catch it.
#[derive(Debug)]
struct Killing {
    store: Arc<dyn ObjectStore>,
    name: String,
}

#[async_trait]
impl ObjectStore for Killing {
    fn bucket(&self) -> &str {
        self.store.bucket()
    }
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        assert!(!(key.starts_with("bronze/patient/") && key.contains(&self.name)), "killed on purpose");
        self.store.get_if(key, etag).await
    }
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.store.head(key).await
    }
    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        self.store.head_version(key, version).await
    }
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.store.put_with(key, payload, options).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.store.list(prefix).await
    }
}

#[tokio::test]
async fn each_version_of_a_landed_object_is_flattened_whenever_its_message_comes() {
    for reversed in [false, true] {
        let lake = Lake::new();
        let mut events = vec![lake.land("p", "female").await, lake.land("p", "male").await];
        assert_ne!(events[0].version, events[1].version);
        if reversed {
            events.reverse();
        }
        for event in events {
            assert!(lake.process(Bronze, vec![event]).await.iter().all(is_done));
        }
        assert_eq!(lake.list(keys::BRONZE_COMMITS).await.len(), 2, "both versions were read after the second landed");
    }
    let lake = Lake::new();
    let event = lake.land("p", "female").await;
    let whichever = ObjectEvent { version: None, ..event.clone() };
    let results = process(&Bronze, &lake.worker(), vec![vec![event], vec![whichever]]).await;
    assert!(results.iter().all(is_done), "two names of one version are one work: {results:?}");
}

#[tokio::test]
async fn the_fold_publishes_nothing_while_a_merged_bucket_is_not_measured_by_the_present_rules() {
    let lake = Lake::new();
    let mut landed = Vec::new();
    for number in 0..12 {
        landed.push(lake.land(&format!("p{number}"), "female").await);
    }
    assert!(lake.process(Bronze, landed).await.iter().all(is_done));
    assert!(lake.process(Silver, lake.events(keys::BRONZE_COMMITS).await).await.iter().all(is_done));
    let mut changes = lake.events(keys::SILVER_COMMITS).await;
    assert_eq!(changes.len(), usize::from(BUCKETS));
    let last = changes.pop().expect("a bucket");
    assert!(lake.process(Gold, changes).await.iter().all(is_done));
    assert!(lake.list("gold/summary/").await.is_empty(), "a part is not published as the whole");
    assert!(lake.process(Gold, vec![last.clone()]).await.iter().all(is_done));
    assert_eq!(lake.list("gold/summary/").await.len(), 1);

    // A partial of older rules, and gold that was removed: the file of hospitals wakes the fold, which refuses.
    let bucket = keys::bucket_of(&last.key).expect("a bucket");
    let key = keys::gold_partial(bucket, BUCKETS);
    let bytes = lake.lake.get(&key).await.expect("memory").body.bytes().await.expect("memory");
    let older = Partial { rules: 0, ..Partial::from_json(&bytes).expect("a partial") };
    lake.lake.put(&key, older.to_json().into(), PutMode::Overwrite).await.expect("memory");
    assert!(lake.lake.remove(&keys::gold_file("gold/summary")));
    let csv = "hospital_name,staffed_beds,city,state\n";
    lake.lake.put(keys::HOSPITALS, csv.into(), PutMode::Overwrite).await.expect("memory");
    let hospitals = ObjectEvent::created("lake", keys::HOSPITALS);
    let refused = lake.process(Gold, vec![hospitals]).await.remove(0).expect_err("refused").to_string();
    assert!(refused.contains("measured by rules 0") && refused.contains("metriccare rebuild"), "{refused}");
    assert!(lake.list("gold/summary/").await.is_empty(), "older rules are not mixed with the present ones");
    // Notified once more, the bucket is measured again although the ledger has it as done.
    assert!(lake.process(Gold, vec![last]).await.iter().all(is_done));
    assert_eq!(lake.list("gold/summary/").await.len(), 1);
}

#[tokio::test]
async fn hospitals_that_are_edited_there_and_back_within_a_second_end_right() {
    let lake = Lake::new();
    let event = lake.land("p", "female").await;
    assert!(lake.process(Bronze, vec![event]).await.iter().all(is_done));
    assert!(lake.process(Silver, lake.events(keys::BRONZE_COMMITS).await).await.iter().all(is_done));
    assert!(lake.process(Gold, lake.events(keys::SILVER_COMMITS).await).await.iter().all(is_done));
    let [one, other] = ["A,20", "A,30"].map(|row| format!("hospital_name,staffed_beds,city,state\n{row},,\n"));
    let (mut etags, summary) = (Vec::new(), keys::gold_file("gold/summary"));
    // The clock stands still.
    for csv in [&one, &other, &one] {
        lake.lake.put(keys::HOSPITALS, csv.clone().into(), PutMode::Overwrite).await.expect("memory");
        let hospitals = ObjectEvent::created("lake", keys::HOSPITALS);
        assert!(lake.process(Gold, vec![hospitals]).await.iter().all(is_done), "each edit is folded");
        etags.push(lake.lake.head(&summary).await.expect("there").etag);
    }
    assert_ne!(etags[0], etags[1]);
    assert_ne!(etags[1], etags[2], "the last edit was folded, though the ledger could take it for the first");
    // A fold that began at the first edit, and writes now what it read between: its condition must not hold.
    let stale = lake.lake.put(&summary, "stale".into(), PutMode::IfMatch(etags[0].clone())).await;
    assert_eq!(stale.expect_err("refused").kind(), ErrorKind::Precondition);
}

#[tokio::test]
async fn the_ledger_keeps_no_key_of_what_failed() {
    let lake = Lake::new();
    let event = lake.land("Jane-Doe", "female").await;
    let faulty = Arc::new(FaultyStore::new(lake.lake.clone(), Arc::new(Faults::at(2, Fault::Crash))));
    let mut worker = lake.unshared_worker();
    worker.ports.lake = faulty;
    let results = process(&Bronze, &Arc::new(worker), vec![vec![event.clone()]]).await;
    assert!(!matches!(results[0].as_deref(), Ok([(_, Outcome::Done(_))])));
    let meta = lake.landing.head(&event.key).await.expect("memory");
    let record = lake.ports.ledger.look(&WorkId::on(Bronze::NAME, "landing", &meta)).await.expect("memory");
    let Some(State::Failed { why }) = record.map(|record| record.state) else { panic!("it failed") };
    assert!(!why.is_empty() && !why.contains("Jane"), "{why}");
}
