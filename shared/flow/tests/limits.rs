//! What does not fit into an invocation's memory or time: it is refused before it starts, or done in rounds.

mod lake;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lake::{BUCKETS, Lake, is_done};
use metriccare_flow::{Bronze, RetryReason, Silver, process};
use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{
    ETag, Listed, ManualClock, Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions, Result,
};

#[tokio::test]
async fn a_merge_that_does_not_fit_into_memory_says_so_before_it_starts() {
    let lake = Lake::new();
    let event = lake.land("p", "female").await;
    assert!(lake.process(Bronze, vec![event]).await.iter().all(is_done));
    let bucket = metriccare_lake::silver::bucket_of(None, "p", BUCKETS);
    // A silver object of 40 MB, which is never read.
    let key = keys::bucket_file("silver/patient", bucket, BUCKETS);
    lake.lake.put(&key, vec![0; 40 << 20].into(), PutMode::Overwrite).await.expect("memory");
    let mut worker = lake.unshared_worker();
    worker.memory_bytes = 512 << 20;
    let messages = lake.events(keys::BRONZE_COMMITS).await.into_iter().map(|commit| vec![commit]).collect();
    let results = process(&Silver, &Arc::new(worker), messages).await;
    let Err(RetryReason::Failed { error, .. }) = &results[0] else { panic!("{results:?}") };
    let words = error.to_string();
    assert!(words.contains("more memory") && words.contains("256 MB"), "{words}");
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_merged_in_rounds_and_the_rest_is_postponed() {
    let lake = Lake::new();
    let mut landed = Vec::new();
    for number in 0..8 {
        landed.push(lake.land(&format!("p{number}"), "female").await);
    }
    assert!(lake.process(Bronze, landed).await.iter().all(is_done));
    // Commits that state 10 MB each: three of them fit into half of the memory.
    for listed in lake.list(keys::BRONZE_COMMITS).await {
        let bytes = lake.lake.get(&listed.key).await.expect("memory").body.bytes().await.expect("memory");
        let mut commit = BronzeCommit::from_json(&bytes).expect("a commit");
        commit.files.iter_mut().for_each(|file| file.bytes = (10 << 20) * u64::from(file.table == "bronze/patient"));
        lake.lake.put(&listed.key, commit.to_json().into(), PutMode::Overwrite).await.expect("memory");
    }
    let slow = Arc::new(Slow { store: lake.lake.clone(), clock: lake.clock.clone() });
    let mut worker = lake.unshared_worker();
    worker.ports.lake = slow;
    worker.memory_bytes = 512 << 20;
    worker.deadline_millis = lake.ports.clock.now_millis() + 60_000;
    let messages: Vec<_> = lake.events(keys::BRONZE_COMMITS).await.into_iter().map(|commit| vec![commit]).collect();
    let results = process(&Silver, &Arc::new(worker), messages.clone()).await;
    let postponed = results.iter().filter_map(|result| result.as_ref().err()).filter(|reason| reason.is_postponed());
    let done = results.iter().filter(|result| is_done(result)).count();
    assert_eq!(
        (done, postponed.count()),
        (3, 5),
        "a round took ten seconds for each of its files, and there are sixty: {results:?}"
    );
    let rest = process(&Silver, &lake.worker(), messages).await;
    assert_eq!(rest.iter().filter(|result| is_done(result)).count(), 5, "what waited is done at once: {rest:?}");
}

/// A bucket in which every read of a bronze file takes ten seconds, on a clock that stands still otherwise.
#[derive(Debug)]
struct Slow {
    store: Arc<dyn ObjectStore>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl ObjectStore for Slow {
    fn bucket(&self) -> &str {
        self.store.bucket()
    }
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        if key.starts_with("bronze/patient/") {
            self.clock.advance(Duration::from_secs(10));
        }
        self.store.get_if(key, etag).await
    }
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.store.head(key).await
    }
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.store.put_with(key, payload, options).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.store.list(prefix).await
    }
}
