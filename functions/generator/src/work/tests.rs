use std::collections::BTreeSet;

use metriccare_flow::event::sqs_batch;
use metriccare_ports::{ManualClock, MemoryQueue, Message, queue::QueueSettings};

use super::*;

fn generator() -> (Generator, Arc<MemoryQueue>) {
    let clock = Arc::new(ManualClock::at_micros(0));
    let queue = Arc::new(MemoryQueue::new(clock.clone(), QueueSettings::default()));
    let feed = Spec { patients: 300, ..Spec::default() };
    let own = Some(Arc::clone(&queue) as Arc<dyn Queue>);
    (
        Generator {
            ports: Ports::memory(clock),
            queue: own,
            requests: Requests::default(),
            threads: NonZeroUsize::MIN,
            feed,
        },
        queue,
    )
}

async fn landed(generator: &Generator) -> BTreeSet<(String, String)> {
    let listed = generator.ports.landing.list("").await.expect("memory");
    listed.into_iter().map(|object| (object.key, object.etag.expect("memory knows it").to_string())).collect()
}

fn sample(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_slice(&std::fs::read(path).expect("a sample")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_lands_its_own_day_and_repeats_itself() {
    let (generator, _) = generator();
    generator.answer(sample("schedule.json")).await.0.expect("landed");
    let first = landed(&generator).await;
    assert!(!first.is_empty());
    assert!(first.iter().all(|(key, _)| key.contains("/2025/01/31/")), "{first:?}");
    generator.answer(sample("schedule.json")).await.0.expect("landed again");
    assert_eq!(landed(&generator).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hospitals_table_of_the_template_has_the_columns_of_the_file() {
    let (generator, _) = generator();
    generator.answer(json!({"patients": 1})).await.0.expect("landed");
    let file = generator.ports.lake.get("reference/hospitals.csv").await.expect("there").body.bytes().await;
    let text = String::from_utf8(file.expect("memory").to_vec()).expect("text");
    let written: Vec<&str> = text.lines().next().expect("a first line").split(',').collect();

    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = std::fs::read_to_string(path).expect("the template");
    let (_, table) = template.split_once("  ReferenceHospitalsTable:\n").expect("the table");
    let (_, columns) = table.split_once("          Columns:\n").expect("its columns");
    let declared: Vec<&str> = columns.lines().map_while(|line| line.trim().strip_prefix("- { Name: ")).collect();
    let expected: Vec<String> = written.iter().map(|name| format!("{name}, Type: string }}")).collect();
    assert_eq!(declared, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_answered_with_what_was_landed() {
    let (generator, _) = generator();
    let (answer, metrics) = generator.answer(json!({"patients": 20, "format": "bundle", "gzip": true})).await;
    let answer = answer.expect("landed");
    assert_eq!(answer["landed"]["patients"], 20);
    assert!(metrics.line("n", "generator", "r", 0).contains(r#""ObjectsLanded":4"#));
    let refused = generator.answer(json!({"patiens": 20})).await.0.expect_err("refused").to_string();
    assert!(refused.starts_with("unknown field `patiens`"), "{refused}");
    let event = generator.answer(sample("s3-put.json")).await.0.expect_err("refused").to_string();
    assert!(event.ends_with("not an object's event"), "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_job_is_cut_and_its_shards_together_are_the_whole() {
    let (generator, queue) = generator();
    let cut = generator.answer(json!({"patients": 40_001, "day": "2025-03-01"})).await.0.expect("a day is small");
    assert!(cut["landed"]["objects"].as_u64().is_some());
    let cut = generator.answer(json!({"patients": 40_001})).await.0.expect("cut");
    assert_eq!(cut, json!({"shards": 3}));
    let sent = queue.receive(10).await.expect("memory");
    let shards: BTreeSet<String> = sent
        .iter()
        .map(|message| {
            let job: Value = serde_json::from_str(&message.body).expect("JSON");
            job["shard"].as_str().expect("a shard").to_owned()
        })
        .collect();
    assert_eq!(shards, BTreeSet::from(["1/3".into(), "2/3".into(), "3/3".into()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shard_message_has_its_own_fate() {
    let (generator, _) = generator();
    let message =
        |id: &str, body: Value| Message { id: id.into(), body: body.to_string(), receipt: id.into(), receive_count: 1 };
    let messages = [
        message("good", json!({"patients": 30, "shard": "2/3"})),
        message("bad", json!({"shard": "9/3"})),
        message("redriven", sample("schedule.json")),
    ];
    let (answer, metrics) = generator.answer(sqs_batch("generator", &messages, 0)).await;
    assert_eq!(answer.expect("a batch"), json!({"batchItemFailures": [{"itemIdentifier": "bad"}]}));
    assert!(metrics.line("n", "generator", "r", 0).contains(r#""MessagesFailed":1"#));
    let whole = sample("shard-message.json");
    assert_eq!(generator.answer(whole).await.0.expect("a batch"), json!({"batchItemFailures": []}));
}
