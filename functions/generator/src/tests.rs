use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use metriccare_aws::{RequestCounter, Settings};
use metriccare_flow::{RetryReason, event::sqs_batch};
use metriccare_landing::Job;
use metriccare_ports::{
    Begin, Clock, ETag, Listed, ManualClock, MemoryQueue, Message, Object, ObjectMeta, ObjectStore, Payload, Ports,
    PutOptions, Queue, Result as PortResult, queue::QueueSettings,
};
use metriccare_world::TableAnswers;
use serde_json::json;

use super::*;

struct Bench {
    environment: Environment,
    generator: Generator,
    queue: Arc<MemoryQueue>,
    clock: Arc<ManualClock>,
}

/// A generator on memory, whose clock moves by `slow` with every object that lands.
fn bench(slow: Duration) -> Bench {
    let clock = Arc::new(ManualClock::at_micros(0));
    let queue = Arc::new(MemoryQueue::new(clock.clone(), QueueSettings::default()));
    let ports = Ports::memory(clock.clone());
    let landing = Arc::new(Slow { store: Arc::clone(&ports.landing), clock: clock.clone(), slow });
    let set = |name: &str| match name {
        "BUCKETS" => Some("16".to_owned()),
        "FEED_PATIENTS" => Some("300".to_owned()),
        "LANDING_BUCKET" | "LAKE_BUCKET" | "LEDGER_TABLE" | "DATABASE" | "AWS_REGION" => Some("memory".to_owned()),
        _ => None,
    };
    let settings = Settings::read(set).expect("whole");
    let own = Some(Arc::clone(&queue) as Arc<dyn Queue>);
    let request_counter = RequestCounter::default();
    let environment = Environment { settings, ports: Ports { landing, ..ports }, queue: own, request_counter };
    Bench { generator: generator(&environment), environment, queue, clock }
}

/// A bucket in which every put takes a while on a clock that stands still otherwise.
#[derive(Debug)]
struct Slow {
    store: Arc<dyn ObjectStore>,
    clock: Arc<ManualClock>,
    slow: Duration,
}

#[async_trait]
impl ObjectStore for Slow {
    fn bucket(&self) -> &str {
        self.store.bucket()
    }
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> PortResult<Object> {
        self.store.get_if(key, etag).await
    }
    async fn head(&self, key: &str) -> PortResult<ObjectMeta> {
        self.store.head(key).await
    }
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> PortResult<ETag> {
        self.clock.advance(self.slow);
        self.store.put_with(key, payload, options).await
    }
    async fn list(&self, prefix: &str) -> PortResult<Vec<Listed>> {
        self.store.list(prefix).await
    }
}

/// What Lambda allows.
const TIMEOUT: Duration = Duration::from_secs(300);

impl Bench {
    /// Asks as one invocation with a whole timeout before it.
    async fn ask(&self, payload: Value) -> (Result<Value, RetryReason>, String) {
        self.ask_within(payload, TIMEOUT).await
    }

    async fn ask_within(&self, payload: Value, time: Duration) -> (Result<Value, RetryReason>, String) {
        let deadline_millis = self.clock.now_millis() + i64::try_from(time.as_millis()).expect("short");
        let (answer, metrics) = self.environment.answer(&self.generator, payload, "request", deadline_millis).await;
        (answer, metrics.line("n", "INFO", "generator", "r", 0))
    }

    /// The jobs of the messages that the function sent itself.
    async fn sent_jobs(&self) -> Vec<Value> {
        let sent = self.queue.receive(10).await.expect("memory");
        sent.iter().map(|message| serde_json::from_str(&message.body).expect("JSON")).collect()
    }

    /// Delivers what the queue has, as Lambda does it, and returns the counts.
    async fn deliver(&self, time: Duration) -> String {
        let messages = self.queue.receive(10).await.expect("memory");
        assert!(!messages.is_empty(), "a message is visible");
        let (answer, counts) = self.ask_within(sqs_batch("generator", &messages, 0), time).await;
        let answer = answer.expect("a batch").to_string();
        for message in messages.iter().filter(|message| !answer.contains(&format!("\"{}\"", message.id))) {
            self.queue.ack(&message.receipt).await.expect("memory");
        }
        counts
    }

    async fn landed(&self) -> BTreeSet<(String, String)> {
        let listed = self.environment.ports.landing.list("").await.expect("memory");
        listed.into_iter().map(|object| (object.key, object.etag.expect("memory knows it").to_string())).collect()
    }
}

fn shards_of(jobs: &[Value]) -> BTreeSet<&str> {
    jobs.iter().map(|job| job["shard"].as_str().expect("a shard")).collect()
}

fn sample(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_slice(&std::fs::read(path).expect("a sample")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_lands_its_own_day_and_repeats_itself() {
    let bench = bench(Duration::ZERO);
    bench.ask(sample("schedule.json")).await.0.expect("landed");
    let first = bench.landed().await;
    assert!(!first.is_empty());
    assert!(first.iter().all(|(key, _)| key.contains("/2025/01/31/")), "{first:?}");
    bench.ask(sample("schedule.json")).await.0.expect("landed again");
    assert_eq!(bench.landed().await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hospitals_table_of_the_template_has_the_columns_of_the_file() {
    let bench = bench(Duration::ZERO);
    bench.ask(json!({"patients": 1})).await.0.expect("landed");
    let file = bench.environment.ports.lake.get("reference/hospitals.csv").await.expect("there").body.bytes().await;
    let text = String::from_utf8(file.expect("memory").to_vec()).expect("text");
    let written: Vec<&str> = text.lines().next().expect("a first line").split(',').collect();

    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/templates/tables.yaml");
    let template = std::fs::read_to_string(path).expect("the template");
    let (_, table) = template.split_once("  ReferenceHospitalsTable:\n").expect("the table");
    let (_, columns) = table.split_once("          Columns:\n").expect("its columns");
    let declared: Vec<&str> = columns.lines().map_while(|line| line.trim().strip_prefix("- { Name: ")).collect();
    let expected: Vec<String> = written.iter().map(|name| format!("{name}, Type: string }}")).collect();
    assert_eq!(declared, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_answered_with_what_was_landed() {
    let bench = bench(Duration::ZERO);
    let (answer, counts) = bench.ask(json!({"patients": 20, "format": "bundle", "gzip": true})).await;
    let answer = answer.expect("landed");
    assert_eq!(answer["landed"]["patients"], 20);
    assert!(counts.contains(r#""ObjectsLanded":4"#));
    let refused = bench.ask(json!({"patiens": 20})).await.0.expect_err("refused").to_string();
    assert!(refused.starts_with("unknown field `patiens`"), "{refused}");
    let tables = bench.ask(json!({"patients": 40_001, "format": "csv"})).await.0.expect_err("refused").to_string();
    assert_eq!(tables, "format is csv: it must be ndjson, bundle or json for FHIR");
    let event = bench.ask(sample("s3-put.json")).await.0.expect_err("refused").to_string();
    assert!(event.ends_with("not an object's event"), "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_job_is_cut_and_its_shards_together_are_the_whole() {
    let bench = bench(Duration::ZERO);
    let cut = bench.ask(json!({"patients": 40_001, "day": "2025-03-01"})).await.0.expect("a day is small");
    assert!(cut["landed"]["objects"].as_u64().is_some());
    let cut = bench.ask(json!({"patients": 40_001})).await.0.expect("cut");
    assert_eq!(cut, json!({"shards": 3}));
    let jobs = bench.sent_jobs().await;
    assert_eq!(shards_of(&jobs), BTreeSet::from(["1/3", "2/3", "3/3"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shard_message_is_answered_by_itself() {
    let bench = bench(Duration::ZERO);
    let message =
        |id: &str, body: Value| Message { id: id.into(), body: body.to_string(), receipt: id.into(), receive_count: 1 };
    let messages = [
        message("good", json!({"patients": 30, "shard": "2/3"})),
        message("bad", json!({"shard": "9/3"})),
        message("redriven", sample("schedule.json")),
    ];
    let (answer, counts) = bench.ask(sqs_batch("generator", &messages, 0)).await;
    assert_eq!(answer.expect("a batch"), json!({"batchItemFailures": [{"itemIdentifier": "bad"}]}));
    assert!(counts.contains(r#""MessagesFailed":1"#));
    let whole = sample("shard-message.json");
    assert_eq!(bench.ask(whole).await.0.expect("a batch"), json!({"batchItemFailures": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_twice_is_done_once() {
    let bench = bench(Duration::ZERO);
    for _ in 0..2 {
        // The same request made twice, as by a retry after a lost answer: its shards are the same work.
        assert_eq!(bench.ask(json!({"patients": 40_001})).await.0.expect("cut"), json!({"shards": 3}));
    }
    let mut counts = String::new();
    while !bench.queue.is_drained() {
        counts.push_str(&bench.deliver(TIMEOUT).await);
    }
    assert!(counts.contains(r#""MessagesDone":6"#), "{counts}");
    let once = bench.landed().await.len();
    assert!(counts.contains(&format!(r#""ObjectsLanded":{once}"#)), "{counts} and {once} objects");
    let anew = json!({"patients": 10, "order": "another"});
    bench.queue.send(&anew.to_string()).await.expect("memory");
    assert!(!bench.deliver(TIMEOUT).await.contains(r#""ObjectsLanded":0"#), "made anew, it is other work");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_work_another_invocation_has_comes_again_later() {
    let bench = bench(Duration::ZERO);
    bench.queue.send(r#"{"patients": 10, "shard": "1/2", "order": 7}"#).await.expect("memory");
    let job = Job::from_value(json!({"patients": 10, "shard": "1/2"})).expect("a job");
    let work = Generator::work_id("landing", &job, "7");
    let held = bench.environment.ports.ledger.begin(&work, "other", 0, 15_000).await.expect("memory");
    assert!(matches!(held, Begin::Claimed(_)));

    let counts = bench.deliver(TIMEOUT).await;
    assert!(counts.contains(r#""MessagesBusy":1"#) && counts.contains(r#""MessagesFailed":0"#), "{counts}");
    assert_eq!(bench.queue.receive(10).await.expect("memory"), [], "it is not to come at once");
    bench.clock.advance(Duration::from_secs(10));
    assert!(bench.deliver(TIMEOUT).await.contains(r#""MessagesBusy":1"#), "the other still has it");
    bench.clock.advance(Duration::from_secs(30));
    assert!(bench.deliver(TIMEOUT).await.contains(r#""MessagesDone":1"#), "the other's lease has lapsed");
    assert!(bench.queue.is_drained());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_no_time_for_goes_back_whole_and_lands_the_same_keys_later() {
    let job = json!({"patients": 12_000, "shard": "1/1"});
    let undisturbed = bench(Duration::ZERO);
    undisturbed.queue.send(&job.to_string()).await.expect("memory");
    undisturbed.deliver(TIMEOUT).await;

    // Nine objects in three steps, two seconds each, and the directory: there is no time for them in ten seconds.
    let bench = bench(Duration::from_secs(2));
    bench.queue.send(&job.to_string()).await.expect("memory");
    assert!(bench.deliver(Duration::from_secs(4)).await.contains(r#""MessagesFailed":1"#));
    assert_eq!(bench.landed().await.len(), 0, "it is not begun where there is no time at all");
    bench.clock.advance(Duration::from_secs(10));
    assert!(bench.deliver(Duration::from_secs(15)).await.contains(r#""MessagesFailed":1"#));
    assert!((1..9).contains(&bench.landed().await.len()), "it ends when that can be foreseen");
    assert!(!bench.queue.is_drained(), "the message is whole in the queue");
    bench.clock.advance(Duration::from_secs(30));
    assert!(bench.deliver(TIMEOUT).await.contains(r#""MessagesDone":1"#));
    assert_eq!(bench.landed().await, undisturbed.landed().await);
    assert!(bench.queue.is_drained());
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_land_whole_with_the_rows_that_the_answer_counts() {
    let bench = bench(Duration::ZERO);
    let (answer, counts) = bench.ask(sample("tables.json")).await;
    let landed = answer.expect("landed")["landed"].clone();
    let objects = bench.landed().await;
    assert_eq!(landed["objects"], objects.len());
    assert!(counts.contains(&format!(r#""ObjectsLanded":{}"#, objects.len())), "{counts}");
    assert_eq!((&landed["patients"], objects.len()), (&2_000.into(), 8), "{landed}");
    assert!(objects.iter().all(|(key, _)| key.starts_with("tables/2025/12/31/") && key.ends_with(".csv.gz")));
    assert_eq!(bench.ask(sample("tables.json")).await.0.expect("landed")["landed"], landed);
    assert_eq!(bench.landed().await, objects, "the same job lands the same bytes");

    // Uncompressed and in two objects a table: each has the header, and together the rows that were counted.
    let job = json!({"view": "tables", "patients": 8_000, "facilities": 5, "providers": 30});
    let landed = bench.ask(job).await.0.expect("landed")["landed"].clone();
    for table in ["patients", "encounters", "claims", "registry"] {
        let (mut rows, mut headers) = (0, BTreeSet::new());
        let listed =
            bench.environment.ports.landing.list(&format!("tables/2025/12/31/{table}-")).await.expect("memory");
        let listed: Vec<_> = listed.into_iter().filter(|object| object.key.ends_with(".csv")).collect();
        for object in &listed {
            let found = bench.environment.ports.landing.get(&object.key).await.expect("listed");
            let text = String::from_utf8(found.body.bytes().await.expect("memory").to_vec()).expect("text");
            headers.insert(text.lines().next().expect("a header").to_owned());
            rows += text.lines().count() - 1;
        }
        assert_eq!((listed.len(), headers.len(), &landed[table]), (2, 1, &rows.into()), "{table}");
    }

    let (answer, _) = bench.ask(json!({"view": "tables", "day": "2025-03-01"})).await;
    assert!(answer.is_err_and(|error| error.to_string().contains("tables are of a whole year")));
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_tables_together_are_the_whole() {
    let job = json!({"view": "tables", "patients": 7_000, "facilities": 5, "providers": 30});
    let (whole, parts) = (bench(Duration::ZERO), bench(Duration::ZERO));
    whole.ask(job.clone()).await.0.expect("landed");
    let shard = |part: u64| {
        let mut shard = job.clone();
        shard["shard"] = format!("{part}/3").into();
        parts.ask(shard)
    };
    // In any order, and one of them twice: whichever is the last to leave its sums lands the reports.
    for part in [2, 3, 2] {
        shard(part).await.0.expect("landed");
        assert!(!parts.landed().await.iter().any(|(key, _)| key.contains("cms_measures")), "a shard is missing");
    }
    shard(1).await.0.expect("landed");
    let rows = async |bench: &Bench, table: &str| {
        let mut rows = BTreeSet::new();
        for listed in bench.environment.ports.landing.list(&format!("tables/2025/12/31/{table}")).await.expect("memory")
        {
            let found = bench.environment.ports.landing.get(&listed.key).await.expect("listed");
            let text = String::from_utf8(found.body.bytes().await.expect("memory").to_vec()).expect("text");
            rows.extend(text.lines().map(str::to_owned));
        }
        rows
    };
    for table in ["patients", "encounters", "claims", "registry", "providers", "facilities", "cms_measures", "hai_data"]
    {
        let expected = rows(&whole, table).await;
        assert!(expected.len() > 1, "{table} has rows");
        assert_eq!(rows(&parts, table).await, expected, "{table}");
    }
    // Their answer keys count the same rows.
    let totals = async |bench: &Bench| {
        let mut sum: Option<TableAnswers> = None;
        for listed in bench.environment.ports.lake.list("reference/_answers/").await.expect("memory") {
            if listed.key.contains("/sums/") {
                continue;
            }
            let body = bench.environment.ports.lake.get(&listed.key).await.expect("listed").body;
            let text = String::from_utf8(body.bytes().await.expect("memory").to_vec()).expect("text");
            let key = TableAnswers::from_json(&text).expect("a key");
            match &mut sum {
                None => sum = Some(key),
                Some(sum) => sum.merge(&key).expect("of one world"),
            }
        }
        sum.expect("keys").totals().clone()
    };
    assert_eq!(totals(&parts).await, totals(&whole).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_many_patients_are_cut_into_messages_of_the_queue() {
    let bench = bench(Duration::ZERO);
    let cut = bench.ask(json!({"view": "tables", "patients": 200_001, "gzip": true})).await.0.expect("cut");
    assert_eq!(cut, json!({"shards": 3}));
    let jobs = bench.sent_jobs().await;
    for job in &jobs {
        assert_eq!((&job["view"], &job["gzip"]), (&"tables".into(), &true.into()));
    }
    assert_eq!(shards_of(&jobs), BTreeSet::from(["1/3", "2/3", "3/3"]));
}
