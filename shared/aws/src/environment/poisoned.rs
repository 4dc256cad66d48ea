//! An object that cannot be read, among many others: they go on at once, and it ends as a dead letter with a reason.

use metriccare_flow::{
    Bronze, Silver,
    event::{notification, sqs_batch},
};
use metriccare_lake::keys;
use metriccare_ports::{Clock, ETag, MemoryQueue, Message, PutMode, Queue, WorkId, ledger::State};

use super::{Environment, Metrics, tests::environment};

const OBJECTS: usize = 500;
const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

fn event(bucket: &str, key: &str) -> String {
    notification(bucket, key, 1, &ETag::of_bytes(key.as_bytes()), 0)
}

/// Lands patients, takes them through bronze, and gives the keys of their commits.
async fn bronze(environment: &Environment, deadline: i64) -> Vec<String> {
    let mut messages = Vec::new();
    for number in 0..OBJECTS {
        let key = format!("patient/p{number}.json");
        let patient = format!(r#"{{"resourceType":"Patient","id":"p{number}","gender":"female"}}"#);
        environment.ports.landing.put(&key, patient.into(), PutMode::Overwrite).await.expect("memory");
        let body = event(environment.ports.landing.bucket(), &key);
        messages.push(Message { id: key.clone(), body, receipt: key, receive_count: 1 });
    }
    let (answer, _) = environment.answer(&Bronze, sqs_batch("bronze", &messages, 0), "b", deadline).await;
    assert_eq!(failed(&answer.expect("a batch")), Vec::<String>::new());
    let commits = environment.ports.lake.list(keys::BRONZE_COMMITS).await.expect("memory");
    commits.into_iter().map(|commit| commit.key).collect()
}

fn failed(answer: &serde_json::Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().expect("a batch's answer");
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().expect("an id").to_owned()).collect()
}

/// One invocation of silver with all visible messages: how many there were, which failed, and what was counted.
async fn invoke(environment: &Environment, queue: &MemoryQueue, now: i64) -> (usize, Vec<String>, Metrics) {
    let messages = queue.receive(3_000).await.expect("memory");
    if messages.is_empty() {
        return (0, Vec::new(), Metrics::default());
    }
    let batch = sqs_batch("silver", &messages, now);
    let (answer, metrics) = environment.answer(&Silver, batch, "s", now + 60_000).await;
    let failed = failed(&answer.expect("a batch"));
    for message in messages.iter().filter(|message| !failed.contains(&message.id)) {
        queue.ack(&message.receipt).await.expect("memory");
    }
    (messages.len(), failed, metrics)
}

#[tokio::test]
async fn a_poisoned_object_among_500_comes_back_alone_and_ends_as_a_dead_letter_with_a_reason() {
    let (mut environment, queue, clock) = environment();
    // As often as the queue in memory delivers.
    environment.settings.max_receives = 5;
    let commits = bronze(&environment, clock.now_millis() + 60_000).await;
    assert_eq!(commits.len(), OBJECTS);
    let poisoned = &commits[OBJECTS / 3];
    let object_id = poisoned.trim_start_matches(keys::BRONZE_COMMITS).trim_end_matches(".json");
    let lake = &environment.ports.lake;
    let files = lake.list("bronze/patient/").await.expect("memory");
    let file = files.iter().find(|file| file.key.contains(object_id)).expect("its file");
    lake.put(&file.key, "no Parquet".into(), PutMode::Overwrite).await.expect("memory");
    for commit in &commits {
        queue.send(&event(lake.bucket(), commit)).await.expect("memory");
    }

    let (received, first, metrics) = invoke(&environment, &queue, clock.now_millis()).await;
    assert_eq!((received, first.len()), (OBJECTS, 1), "its neighbours are merged in the same invocation");
    let line = metrics.line("n", "INFO", "silver", "s", 0);
    assert!(line.contains(r#""MessagesDone":499"#) && line.contains(r#""MessagesGivenUp":0"#), "{line}");
    assert_eq!(invoke(&environment, &queue, clock.now_millis()).await.0, 0, "it does not come back at once");

    let mut given_up = 0;
    for delivery in 2..=environment.settings.max_receives {
        clock.advance(HOUR);
        let (received, failed, metrics) = invoke(&environment, &queue, clock.now_millis()).await;
        assert_eq!((received, &failed), (1, &first), "it comes again alone, delivery {delivery}");
        given_up += usize::from(metrics.line("n", "INFO", "silver", "s", 0).contains(r#""MessagesGivenUp":1"#));
    }
    assert_eq!(given_up, 1, "its last delivery is counted");
    clock.advance(HOUR);
    assert_eq!(invoke(&environment, &queue, clock.now_millis()).await.0, 0);
    let dead = queue.dead_letters();
    assert!(queue.is_drained() && dead.len() == 1 && dead[0].body.contains(object_id), "{dead:?}");

    let meta = lake.head(poisoned).await.expect("the commit");
    let record = environment.ports.ledger.look(&WorkId::on("silver", lake.bucket(), &meta)).await.expect("memory");
    let state = record.expect("it was claimed").state;
    let State::Failed { why } = state else { panic!("{state:?}") };
    assert!(why.contains("Parquet"), "the ledger has the reason: {why}");
}
