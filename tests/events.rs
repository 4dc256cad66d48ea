//! The sample events through the handlers: what a good one names is done, a test event is acknowledged, and what is no
//! event stays failed, alone.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_flow::{
    Bronze, Function, Gold, MessageResult, Outcome, RetryReason, Silver,
    event::{Invocation, ObjectEvent, decode},
    serve,
};
use metriccare_ports::{PutMode, faulty::Faults};
use metriccare_tests::{Cloud, Process, cloud::orderly};
use serde_json::{Value, json};

const LANDING: &str = "metriccare-landing-123456789012-us-east-1";
const LAKE: &str = "metriccare-lake-123456789012-us-east-1";

fn event(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a sample event")
}

/// A process whose buckets have the samples' names; landing holds a patient under each of these keys.
async fn process(keys: &[&str]) -> Process {
    let cloud = Cloud::in_buckets(LANDING, LAKE, orderly());
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

/// The names of the outcomes of a batch's items, by the items' keys.
async fn outcomes<F: Function<Item = ObjectEvent>>(
    process: &Process,
    function: F,
    batch: &str,
) -> Vec<(String, &'static str)> {
    let payload = serde_json::from_str(batch).expect("JSON");
    let reports = serve(&function, &process.worker, payload).await;
    let results = reports.into_iter().map(|report| report.result.expect("good events"));
    results.flatten().map(|(key, outcome)| (key, outcome.name())).collect()
}

/// The keys of the lake below a prefix.
async fn keys(process: &Process, prefix: &str) -> Vec<String> {
    let listed = process.worker.ports.lake.list(prefix).await.expect("memory");
    listed.into_iter().map(|object| object.key).collect()
}

fn text(name: &str) -> String {
    String::from_utf8(event(name)).expect("text")
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

#[tokio::test]
async fn a_batch_of_commits_is_worked_on_by_silver_and_by_gold() {
    let process = process(&["patient/2025/01/31/a.json", "patient/2025/01/31/ab.json"]).await;
    let landed = ["a", "ab"].map(|name| {
        json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": LANDING},
               "object": {"key": format!("patient/2025/01/31/{name}.json")}}}]})
    });
    for notice in landed {
        let reports = serve(&Bronze, &process.worker, notice).await;
        assert!(reports[0].result.is_ok(), "{reports:?}");
    }

    // The samples name objects of another lake: nothing is to be done, and nothing comes again.
    let (silver, gold) = (text("silver-batch.json"), text("gold-batch.json"));
    let gone = outcomes(&process, Silver, &silver).await;
    assert!(gone.len() == 2 && gone.iter().all(|(key, name)| key.starts_with("bronze/_commits/") && *name == "gone"));
    let gone = outcomes(&process, Gold, &gold).await;
    let named: Vec<&str> = gone.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(named, ["silver/_commits/bucket=07.json", "silver/_commits/bucket=15.json", "reference/hospitals.csv"]);
    assert!(gone.iter().all(|(_, name)| *name == "gone"), "{gone:?}");
    let bare = handle(&process, Gold, "gold-eventbridge.json").await;
    assert!(matches!(bare.as_deref(), Ok([(_, Outcome::Gone)])), "{bare:?}");

    // With the keys of this lake in their place the work is done.
    let commits = keys(&process, "bronze/_commits/").await;
    assert_eq!(commits.len(), 2);
    let named = |batch: &str, present: &[String], sample: &[&str]| {
        sample.iter().zip(present).fold(batch.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let samples = commits_in(&silver);
    let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
    let done = outcomes(&process, Silver, &named(&silver, &commits, &samples)).await;
    assert_eq!(done, commits.iter().map(|key| (key.clone(), "done")).collect::<Vec<_>>());
    let commits = keys(&process, "silver/_commits/").await;
    // The key of an event is percent-encoded.
    let samples = ["silver/_commits/bucket%3D07.json", "silver/_commits/bucket%3D15.json"];
    let done = outcomes(&process, Gold, &named(&gold, &commits, &samples)).await;
    assert!(done.contains(&(commits[0].clone(), "done")), "{done:?}");
    assert!(keys(&process, "gold/summary/").await.len() == 1);
}

/// The keys below `bronze/_commits/` that a batch names, in its order.
fn commits_in(batch: &str) -> Vec<String> {
    let ends = batch.split("bronze/_commits/").skip(1).filter_map(|rest| rest.split_once(".json"));
    ends.map(|(id, _)| format!("bronze/_commits/{id}.json")).collect()
}

#[test]
fn every_sample_event_is_run_by_a_test() {
    let folder = std::fs::read_dir(format!("{}/../events", env!("CARGO_MANIFEST_DIR"))).expect("the samples");
    let present: BTreeSet<String> =
        folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    // The generator's tests run spec.json and tables.json; settings.json is no event.
    let run = "eventbridge-object-created gold-batch gold-eventbridge s3-put s3-put-odd-key s3-test-event schedule settings \
               shard-message silver-batch spec sqs-batch-mixed tables";
    assert_eq!(present, run.split_whitespace().map(|name| format!("{name}.json")).collect());
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
