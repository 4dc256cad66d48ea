use std::num::NonZeroUsize;

use metriccare_lake::keys;
use metriccare_ports::{ETag, ManualClock, MemoryStore, Message, Ports, PutMode};
use serde_json::json;

use super::*;
use crate::{
    Bronze, Gold, Outcome, Silver,
    event::{DecodeError, notification, sqs_batch},
};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","gender":"female"}"#;

fn worker(ports: Ports) -> Arc<Worker> {
    worker_for(ports, 60_000, 1)
}

/// A worker whose invocation ends after so many milliseconds, with so many threads.
fn worker_for(ports: Ports, millis: i64, threads: usize) -> Arc<Worker> {
    let mut worker = Worker::new(ports, 4, NonZeroUsize::new(threads).expect("not zero"), "test");
    worker.deadline_millis = worker.ports.clock.now_millis() + millis;
    Arc::new(worker)
}

/// The results of messages that are about objects.
async fn handle<F: Function<Item = crate::event::ObjectEvent>>(
    worker: &Arc<Worker>,
    function: F,
    bodies: &[String],
) -> Vec<MessageResult<F::Output>> {
    let objects = |body: &String| crate::event::decode(body.as_bytes()).expect("about objects");
    process(&function, worker, bodies.iter().map(objects).collect()).await
}

fn memory() -> Ports {
    Ports::memory(Arc::new(ManualClock::at_micros(1_735_689_600_000_000)))
}

fn message(id: &str, body: String) -> Message {
    Message { id: id.into(), body, receipt: id.into(), receive_count: 1 }
}

fn landed(key: &str) -> String {
    notification("landing", key, 1, &ETag::new("e"), 0)
}

#[tokio::test]
async fn each_message_has_its_own_result() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let worker = worker(ports);
    let messages = [
        message("good", landed("patient/p.json")),
        message("bad", "no event".into()),
        message("gone", landed("patient/gone.json")),
    ];
    let reports = serve(&Bronze, &worker, sqs_batch("bronze", &messages, 0)).await;
    assert!(matches!(reports[0].result.as_deref(), Ok([(_, Outcome::Done(_))])), "{reports:?}");
    assert!(matches!(reports[1].result, Err(RetryReason::Undecodable(_))));
    assert!(matches!(reports[2].result.as_deref(), Ok([(_, Outcome::Gone)])));
    assert_eq!(answer(&Bronze, reports).expect("a batch"), failed(&["bad"]));
}

/// The answer that names these messages as failed.
fn failed(ids: &[&str]) -> Value {
    let failures: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

#[tokio::test]
async fn a_bare_event_is_processed_and_its_failure_is_the_invocations() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let worker = worker(ports);
    let event = serde_json::from_str(&landed("patient/p.json")).expect("JSON");
    let reports = serve(&Bronze, &worker, event).await;
    assert_eq!(answer(&Bronze, reports).expect("done"), failed(&[]));
    let broken = answer(&Bronze, serve(&Bronze, &worker, json!({"Records": [{"s3": {}}]})).await);
    assert!(matches!(broken, Err(RetryReason::Undecodable(DecodeError::Field { .. }))));
    let job = answer(&Gold, serve(&Gold, &worker, json!({"patients": 7})).await);
    assert_eq!(
        job.expect_err("refused").to_string(),
        "a stage takes object events, bare or in a queue's messages, not a job"
    );
}

#[tokio::test]
async fn what_has_no_time_left_is_to_be_delivered_again() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let batch = sqs_batch("bronze", &[message("late", landed("patient/p.json"))], 0);
    let reports = serve(&Bronze, &worker_for(ports, 1_000, 1), batch).await;
    assert!(matches!(reports[0].result, Err(RetryReason::NoTime)));
    assert_eq!(answer(&Bronze, reports).expect("a batch"), failed(&["late"]));
}

/// Takes what landed through bronze and silver, and gives the ports on.
async fn merged() -> Ports {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    handle(&worker(ports.clone()), Bronze, &[landed("patient/p.json")]).await.remove(0).expect("done");
    handle(&worker(ports.clone()), Silver, &[event_of(&ports, keys::BRONZE_COMMITS).await])
        .await
        .remove(0)
        .expect("done");
    ports
}

/// The notification of the one object under a prefix of the lake.
async fn event_of(ports: &Ports, prefix: &str) -> String {
    let listed = ports.lake.list(prefix).await.expect("memory").remove(0);
    notification("lake", &listed.key, listed.size, &ETag::new("e"), listed.last_modified_micros)
}

#[tokio::test]
async fn messages_of_one_object_are_one_work() {
    let ports = merged().await;
    let change = event_of(&ports, keys::SILVER_COMMITS).await;
    let results = handle(&worker(ports), Gold, &[change.clone(), change.clone(), change]).await;
    assert_eq!(results.len(), 3);
    for result in results {
        assert!(matches!(result.expect("nobody else is at it").as_slice(), [(_, Outcome::Done(_))]));
    }
}

#[tokio::test]
async fn bronze_that_was_removed_is_made_again_whatever_the_ledger_says() {
    let ports = merged().await;
    let again = handle(&worker(ports.clone()), Bronze, &[landed("patient/p.json")]).await;
    assert!(matches!(again[0].as_deref(), Ok([(_, Outcome::AlreadyDone(_))])), "{again:?}");
    let empty = Ports { lake: Arc::new(MemoryStore::new("lake", Arc::clone(&ports.clock))), ..ports };
    let again = handle(&worker(empty.clone()), Bronze, &[landed("patient/p.json")]).await;
    assert!(matches!(again[0].as_deref(), Ok([(_, Outcome::Done(_))])), "{again:?}");
    assert_eq!(empty.lake.list(keys::BRONZE_COMMITS).await.expect("memory").len(), 1);
}

#[tokio::test]
async fn a_lake_keeps_its_number_of_buckets() {
    let ports = merged().await;
    ports.landing.put("patient/q.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    handle(&worker(ports.clone()), Bronze, &[landed("patient/q.json")]).await.remove(0).expect("done");
    let commits = ports.lake.list(keys::BRONZE_COMMITS).await.expect("memory");
    let events: Vec<_> =
        commits.iter().map(|commit| notification("lake", &commit.key, 1, &ETag::new("e"), 0)).collect();
    let other = Arc::new(Worker::new(ports, 8, NonZeroUsize::MIN, "other"));
    let results = handle(&other, Silver, &events).await;
    let refused: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{results:?}");
    assert!(refused[0].to_string().contains("the lake has 4 buckets and is asked for 8"), "{}", refused[0]);
}

#[tokio::test]
async fn nothing_is_read_on_after_the_end_of_an_invocation() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let worker = worker(ports.clone());
    worker.ended.store(true, Ordering::Relaxed);
    let results = handle(&worker, Bronze, &[landed("patient/p.json")]).await;
    let failed = results[0].as_ref().expect_err("it stops").to_string();
    assert!(failed.contains("the invocation has ended"), "{failed}");
    assert!(ports.lake.list(keys::BRONZE_COMMITS).await.expect("memory").is_empty());
}

/// A bucket that panics at one key.
#[derive(Debug)]
struct PanickingStore(Arc<dyn metriccare_ports::ObjectStore>);

#[async_trait::async_trait]
impl metriccare_ports::ObjectStore for PanickingStore {
    fn bucket(&self) -> &str {
        self.0.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> metriccare_ports::Result<metriccare_ports::Object> {
        self.0.get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> metriccare_ports::Result<metriccare_ports::ObjectMeta> {
        assert!(!key.contains("trap"), "a panic on purpose");
        self.0.head(key).await
    }

    async fn put_with(
        &self,
        key: &str,
        payload: metriccare_ports::Payload,
        options: metriccare_ports::PutOptions,
    ) -> metriccare_ports::Result<ETag> {
        self.0.put_with(key, payload, options).await
    }

    async fn list(&self, prefix: &str) -> metriccare_ports::Result<Vec<metriccare_ports::Listed>> {
        self.0.list(prefix).await
    }
}

#[tokio::test]
async fn a_panic_stays_with_its_message() {
    let mut ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    ports.landing = Arc::new(PanickingStore(Arc::clone(&ports.landing)));
    let worker = worker_for(ports, 60_000, 4);
    let messages = [message("good", landed("patient/p.json")), message("bad", landed("patient/trap.json"))];
    let reports = serve(&Bronze, &worker, sqs_batch("bronze", &messages, 0)).await;
    assert!(reports[0].result.is_ok(), "{reports:?}");
    assert!(matches!(reports[1].result, Err(RetryReason::Panicked)));
}
