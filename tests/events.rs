//! The sample events through the handlers: what a good one names is done, a test event is acknowledged, and what is no
//! event stays failed, alone.

use std::collections::BTreeMap;

use metriccare_flow::{
    Bronze, Function, MessageResult, Outcome, RetryReason, Silver,
    event::{Invocation, ObjectEvent, decode},
    serve,
};
use metriccare_ports::{PutMode, faulty::Faults};
use metriccare_tests::{Cloud, Process, cloud::orderly};
use serde_json::{Value, json};

const BUCKET: &str = "metriccare-landing-123456789012-us-east-1";

fn event(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a sample event")
}

/// A process whose landing bucket has the samples' name and holds a patient under each of these keys.
async fn process(keys: &[&str]) -> Process {
    let cloud = Cloud::in_bucket(BUCKET, orderly());
    let process = cloud.process("samples", Faults::none(), 1);
    for key in keys {
        let patient = json!({"resourceType": "Patient", "id": key.len().to_string()}).to_string();
        process.worker.ports.landing.put(key, patient.into(), PutMode::Overwrite).await.expect("memory");
    }
    process
}

/// The result of a bare event.
async fn handle<F: Function<Item = ObjectEvent>>(
    process: &Process,
    function: F,
    name: &str,
) -> MessageResult<F::Output> {
    let payload = serde_json::from_slice(&event(name)).expect("JSON");
    serve(&function, &process.worker, payload).await.remove(0).result
}

#[tokio::test]
async fn every_bare_event_names_an_object_that_is_flattened_into_bronze() {
    for (name, key) in [
        ("s3-put.json", "encounter/2025/01/31/encounters-0001.ndjson"),
        ("s3-put-odd-key.json", "bronze/hospital_name=Größe + Söhne 100%/a b%2F日本.json"),
        ("eventbridge-object-created.json", "patient/2025/01/31/a b+c%2F.json"),
    ] {
        let process = process(&[key]).await;
        let outcomes = handle(&process, Bronze, name).await.expect("a good event");
        assert!(
            matches!(outcomes.as_slice(), [(done, Outcome::Done(work))] if done == key && work.receipt.rows == 1),
            "{name}: {outcomes:?}"
        );
        let second = handle(&process, Bronze, name).await;
        assert!(matches!(second.as_deref(), Ok([(_, Outcome::AlreadyDone(_))])), "{name} once more: {second:?}");
    }
}

#[tokio::test]
async fn the_test_event_is_acknowledged_and_does_nothing() {
    let process = process(&[]).await;
    let result = handle(&process, Bronze, "s3-test-event.json").await;
    assert!(matches!(result.as_deref(), Ok([])), "{result:?}");
    assert_eq!(process.faults.calls(), 0);
}

#[tokio::test]
async fn in_a_mixed_batch_only_what_is_no_event_fails() {
    let process = process(&[
        "patient/2025/01/31/patients-0001.ndjson",
        "encounter/2025/01/31/a b+c.json",
        "condition/2025/01/31/conditions.ndjson.gz",
    ])
    .await;
    let batch = serde_json::from_slice(&event("sqs-batch-mixed.json")).expect("JSON");
    let reports = serve(&Bronze, &process.worker, batch).await;
    let found: BTreeMap<&str, String> = reports
        .iter()
        .map(|report| {
            let words = match &report.result {
                Ok(outcomes) => outcomes.iter().map(|(_, outcome)| outcome.name()).collect::<Vec<_>>().join(" "),
                Err(RetryReason::Undecodable(_)) => "no event".to_owned(),
                Err(other) => panic!("{other}"),
            };
            let id = report.delivery.message_id.as_deref().expect("a queue's message");
            (&id[id.len() - 4..], words)
        })
        .collect();
    let wanted = [("0001", "done"), ("0002", ""), ("0003", "no event"), ("0004", "done done")];
    assert_eq!(found, BTreeMap::from(wanted.map(|(id, words)| (id, words.to_owned()))));
}

#[tokio::test]
async fn an_object_that_has_gone_or_lies_elsewhere_needs_no_second_delivery() {
    let process = process(&[]).await;
    let gone = handle(&process, Bronze, "s3-put.json").await;
    assert!(matches!(gone.as_deref(), Ok([(_, Outcome::Gone)])), "{gone:?}");
    let elsewhere = handle(&process, Silver, "s3-put.json").await;
    assert!(matches!(elsewhere.as_deref(), Ok([(_, Outcome::Ignored(_))])), "{elsewhere:?}");
}

#[test]
fn schedules_and_shards_are_no_object_events() {
    assert!(
        matches!(Invocation::from_slice(&event("schedule.json")), Ok(Invocation::Schedule { time }) if time == "2025-01-31T02:00:00Z")
    );
    let Ok(Invocation::Sqs(messages)) = Invocation::from_slice(&event("shard-message.json")) else {
        panic!("a batch of a queue")
    };
    assert!(decode(messages[0].body.as_bytes()).is_err());
    let spec: Value = serde_json::from_str(&messages[0].body).expect("a job as JSON");
    assert_eq!(spec["shard"], "3/16");
}
