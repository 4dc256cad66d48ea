use std::num::NonZeroUsize;

use metriccare_lake::keys;
use metriccare_ports::{ETag, ManualClock, MemoryStore, Message, Ports, PutMode};
use serde_json::json;

use super::*;
use crate::event::{notification, sqs_batch};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","gender":"female"}"#;

fn worker(ports: Ports) -> Arc<Worker> {
    Arc::new(Worker::new(ports, 4, NonZeroUsize::MIN, "test"))
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
async fn each_message_has_its_own_fate() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let deadline = ports.clock.now_millis() + 60_000;
    let worker = worker(ports);
    let messages = [
        message("good", landed("patient/p.json")),
        message("bad", "no event".into()),
        message("gone", landed("patient/gone.json")),
    ];
    let told = invoke(&worker, Stage::BRONZE, sqs_batch("bronze", &messages, 0), deadline).await.expect("a batch");
    assert!(matches!(told[0].fate.as_deref(), Ok([(_, Outcome::Done(_))])), "{told:?}");
    assert!(matches!(told[1].fate, Err(Missed::Again(Again::Undecodable(_)))));
    assert!(matches!(told[2].fate.as_deref(), Ok([(_, Outcome::Gone)])));
    let response = answer(told).expect("a batch");
    assert_eq!(response.failed().collect::<Vec<_>>(), ["bad"]);
}

#[tokio::test]
async fn a_bare_event_is_carried_and_its_failure_is_the_invocations() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let deadline = ports.clock.now_millis() + 60_000;
    let worker = worker(ports);
    let event = serde_json::from_str(&landed("patient/p.json")).expect("JSON");
    let told = invoke(&worker, Stage::BRONZE, event, deadline).await.expect("an event");
    assert!(answer(told).expect("done").is_empty());
    let broken = invoke(&worker, Stage::BRONZE, json!({"Records": [{"s3": {}}]}), deadline).await;
    assert!(matches!(broken, Err(InvokeError::Undecodable(_))));
    let job = invoke(&worker, Stage::GOLD, json!({"patients": 7}), deadline).await;
    assert_eq!(
        job.expect_err("refused").to_string(),
        "a stage takes object events, bare or in a queue's messages, not a job"
    );
}

#[tokio::test]
async fn what_has_no_time_left_comes_again() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let deadline = ports.clock.now_millis() + 1_000;
    let batch = sqs_batch("bronze", &[message("late", landed("patient/p.json"))], 0);
    let told = invoke(&worker(ports), Stage::BRONZE, batch, deadline).await.expect("a batch");
    assert!(matches!(told[0].fate, Err(Missed::NoTime)));
    assert_eq!(answer(told).expect("a batch").failed().collect::<Vec<_>>(), ["late"]);
}

/// Carries what landed through bronze and silver, and gives the ports on.
async fn merged() -> Ports {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    handle(&worker(ports.clone()), Stage::BRONZE, &[landed("patient/p.json")]).await.remove(0).expect("done");
    handle(&worker(ports.clone()), Stage::SILVER, &[told_of(&ports, keys::BRONZE_COMMITS).await])
        .await
        .remove(0)
        .expect("done");
    ports
}

/// What S3 says of the one object below a prefix of the lake.
async fn told_of(ports: &Ports, prefix: &str) -> String {
    let listed = ports.lake.list(prefix).await.expect("memory").remove(0);
    notification("lake", &listed.key, listed.size, &ETag::new("e"), listed.last_modified_micros)
}

#[tokio::test]
async fn messages_of_one_object_are_one_work() {
    let ports = merged().await;
    let change = told_of(&ports, keys::SILVER_COMMITS).await;
    let verdicts = handle(&worker(ports), Stage::GOLD, &[change.clone(), change.clone(), change]).await;
    assert_eq!(verdicts.len(), 3);
    for verdict in verdicts {
        assert!(matches!(verdict.expect("nobody else is at it").as_slice(), [(_, Outcome::Done(_))]));
    }
}

#[tokio::test]
async fn bronze_that_was_removed_is_made_again_whatever_the_ledger_says() {
    let ports = merged().await;
    let again = handle(&worker(ports.clone()), Stage::BRONZE, &[landed("patient/p.json")]).await;
    assert!(matches!(again[0].as_deref(), Ok([(_, Outcome::AlreadyDone(_))])), "{again:?}");
    let empty = Ports { lake: Arc::new(MemoryStore::new("lake", Arc::clone(&ports.clock))), ..ports };
    let again = handle(&worker(empty.clone()), Stage::BRONZE, &[landed("patient/p.json")]).await;
    assert!(matches!(again[0].as_deref(), Ok([(_, Outcome::Done(_))])), "{again:?}");
    assert_eq!(empty.lake.list(keys::BRONZE_COMMITS).await.expect("memory").len(), 1);
}

#[tokio::test]
async fn a_lake_keeps_its_number_of_buckets() {
    let ports = merged().await;
    ports.landing.put("patient/q.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    handle(&worker(ports.clone()), Stage::BRONZE, &[landed("patient/q.json")]).await.remove(0).expect("done");
    let commits = ports.lake.list(keys::BRONZE_COMMITS).await.expect("memory");
    let told: Vec<_> = commits.iter().map(|commit| notification("lake", &commit.key, 1, &ETag::new("e"), 0)).collect();
    let other = Arc::new(Worker::new(ports, 8, NonZeroUsize::MIN, "other"));
    let verdicts = handle(&other, Stage::SILVER, &told).await;
    let refused: Vec<_> = verdicts.iter().filter_map(|verdict| verdict.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{verdicts:?}");
    assert!(refused[0].to_string().contains("the lake has 4 buckets and is asked for 8"), "{}", refused[0]);
}

#[tokio::test]
async fn nothing_is_read_on_after_the_end_of_an_invocation() {
    let ports = memory();
    ports.landing.put("patient/p.json", PATIENT.into(), PutMode::IfAbsent).await.expect("put");
    let worker = worker(ports.clone());
    worker.ended.store(true, Ordering::Relaxed);
    let verdicts = handle(&worker, Stage::BRONZE, &[landed("patient/p.json")]).await;
    let failed = verdicts[0].as_ref().expect_err("it stops").to_string();
    assert!(failed.contains("the invocation has ended"), "{failed}");
    assert!(ports.lake.list(keys::BRONZE_COMMITS).await.expect("memory").is_empty());
}

/// A bucket that panics at one key.
#[derive(Debug)]
struct Trap(Arc<dyn metriccare_ports::ObjectStore>);

#[async_trait::async_trait]
impl metriccare_ports::ObjectStore for Trap {
    fn bucket(&self) -> &str {
        self.0.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> metriccare_ports::Result<metriccare_ports::Object> {
        self.0.get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> metriccare_ports::Result<metriccare_ports::ObjectMeta> {
        assert!(!key.contains("trap"), "the trap closed");
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
    ports.landing = Arc::new(Trap(Arc::clone(&ports.landing)));
    let deadline = ports.clock.now_millis() + 60_000;
    let worker = Arc::new(Worker::new(ports, 4, NonZeroUsize::new(4).expect("not zero"), "test"));
    let messages = [message("good", landed("patient/p.json")), message("bad", landed("patient/trap.json"))];
    let told = invoke(&worker, Stage::BRONZE, sqs_batch("bronze", &messages, 0), deadline).await.expect("a batch");
    assert!(told[0].fate.is_ok(), "{told:?}");
    assert!(matches!(told[1].fate, Err(Missed::Panicked)));
}
