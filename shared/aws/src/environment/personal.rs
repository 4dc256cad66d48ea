//! No personal datum leaves the tables: what the functions log, count, keep in the ledger and leave as dead letters has no
//! name, birth date, record number or id of a patient, and outside of messages no key of an object.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use metriccare_flow::{
    Bronze, Function, Gold, Silver,
    event::{notification, sqs_batch},
};
use metriccare_landing::{Job, Unwatched, generate};
use metriccare_ports::{
    Begin, Body, Claim, ETag, Error, ErrorKind, Ledger, Listed, ManualClock, MemoryLedger, MemoryQueue, MemoryStore,
    Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions, WorkId,
    ledger::{Record, State},
    queue::QueueSettings,
};
use metriccare_world::World;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// What stands in the keys and records that are written here by hand.
const CANARIES: [&str; 5] = ["Zyxabeth", "Quxmeister", "MRN-778811", "1931-07-19", "patid-55512"];

/// Texts that a test collects, line by line.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Collected {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8")
    }

    fn add(&self, line: impl std::fmt::Display) {
        writeln!(self.clone(), "{line}").expect("memory");
    }
}

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Collected {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A store that refuses keys and names them, and panics with others.
#[derive(Debug)]
struct Refusing(Arc<dyn ObjectStore>);

impl Refusing {
    fn judge(&self, operation: &'static str, key: &str) -> metriccare_ports::Result<()> {
        assert!(!key.contains("panics"), "{operation} {key}");
        if key.contains("refused") {
            let subject = format!("{}/{key}", self.0.bucket());
            let reason = format!("AccessDenied: the role may not read {key}");
            return Err(Error::new(ErrorKind::Forbidden, operation, subject, reason));
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Refusing {
    fn bucket(&self) -> &str {
        self.0.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> metriccare_ports::Result<Object> {
        self.judge("get", key)?;
        let object = self.0.get_if(key, etag).await?;
        Ok(Object { meta: object.meta, body: Body::Bytes(object.body.bytes().await?) })
    }

    async fn head(&self, key: &str) -> metriccare_ports::Result<ObjectMeta> {
        self.0.head(key).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> metriccare_ports::Result<ETag> {
        self.0.put_with(key, payload, options).await
    }

    async fn delete(&self, key: &str) -> metriccare_ports::Result<()> {
        self.0.delete(key).await
    }

    async fn list(&self, prefix: &str) -> metriccare_ports::Result<Vec<Listed>> {
        self.0.list(prefix).await
    }
}

/// A ledger that writes down everything which it is given to keep.
#[derive(Debug)]
struct Recording(MemoryLedger, Arc<Mutex<Vec<String>>>);

impl Recording {
    fn keep(&self, item: String) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    }
}

#[async_trait]
impl Ledger for Recording {
    async fn begin(&self, work: &WorkId, owner: &str, now: i64, until: i64) -> metriccare_ports::Result<Begin> {
        self.keep(format!("{} {owner}", work.as_str()));
        self.0.begin(work, owner, now, until).await
    }

    async fn end(&self, claim: &Claim, state: State) -> metriccare_ports::Result<()> {
        self.keep(format!("{claim:?} {state:?}"));
        self.0.end(claim, state).await
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> metriccare_ports::Result<String> {
        self.keep(format!("{content_id} {object_id}"));
        self.0.first_holder(content_id, object_id).await
    }

    async fn look(&self, work: &WorkId) -> metriccare_ports::Result<Option<Record>> {
        self.0.look(work).await
    }
}

/// Records that are wrong in many ways, and objects that are no records.
fn by_hand() -> Vec<(String, Vec<u8>)> {
    let patient = r#""name":[{"family":"Quxmeister","given":["Zyxabeth"]}],"birthDate":"1931-07-19","identifier":[{"value":"MRN-778811"}]"#;
    let records = [
        format!(r#"{{"resourceType":"Patient","id":"patid-55512",{patient}}}"#),
        format!(r#"{{"resourceType":"Patient","id":["patid-55512"],{patient}}}"#),
        format!(r#"{{"resourceType":"Encounter","id":"e","period":{{"start":"1931-07-19 by Zyxabeth"}},{patient}}}"#),
        format!(r#"{{"resourceType":"Zyxabeth Quxmeister",{patient}}}"#),
        format!(r#"{{"Zyxabeth":"MRN-778811",{patient}}}"#),
        format!(r#"{{"resourceType":"Patient","id":"patid-55512",{patient}"#),
        "Zyxabeth Quxmeister, born 1931-07-19, MRN-778811".to_owned(),
    ]
    .join("\n");
    let key = |name: &str, ending: &str| format!("patient/Zyxabeth Quxmeister/{name} MRN-778811 1931-07-19.{ending}");
    let table = "patient_id,first_name,Zyxabeth\npatid-55512,Zyxabeth,1931-07-19\n";
    vec![
        (key("records", "ndjson"), records.clone().into_bytes()),
        (key("list", "json"), format!("[{}]", records.replace('\n', ",")).into_bytes()),
        (key("cut", "ndjson.gz"), [&[0x1f, 0x8b, 8, 0][..], records.as_bytes()].concat()),
        (key("table", "csv"), table.into()),
        (key("table", "parquet"), [b"PAR1", records.as_bytes(), b"PAR1"].concat()),
        (key("refused", "ndjson"), records.clone().into_bytes()),
        (key("panics", "ndjson"), records.into_bytes()),
    ]
}

/// The names, birth dates, record numbers and ids of generated records, one text each.
fn personal(value: &Value, of: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| personal(value, name, into)),
        Value::Array(values) => values.iter().for_each(|value| personal(value, of, into)),
        Value::String(text) if matches!(of, "family" | "given" | "birthDate" | "id" | "reference") => {
            into.insert(text.rsplit('/').next().unwrap_or(text).to_owned());
        }
        Value::String(text) if of == "value" && text.len() > 4 => {
            into.insert(text.clone());
        }
        _ => {}
    }
}

/// The words of a text; a date and an id are one.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect()
}

async fn give<F: Function>(
    function: &F,
    environment: &Environment,
    queue: &MemoryQueue,
    clock: &ManualClock,
    said: &Collected,
) {
    // As often as a queue gives a message, until what cannot be done is a dead letter.
    for round in 0..9 {
        loop {
            let messages = queue.receive(10).await.expect("memory");
            if messages.is_empty() {
                break;
            }
            let batch = sqs_batch(F::NAME, &messages, clock.now_millis());
            let deadline = clock.now_millis() + 600_000;
            let (answer, metrics) = environment.answer(function, batch, &format!("request-{round}"), deadline).await;
            let answer = answer.expect("a batch").to_string();
            said.add(metrics.line("metriccare", "INFO", F::NAME, "request", clock.now_millis()));
            said.add(&answer);
            for message in messages.iter().filter(|message| !answer.contains(&format!("\"{}\"", message.id))) {
                queue.ack(&message.receipt).await.expect("memory");
            }
        }
        clock.advance(Duration::from_secs(7_200));
    }
}

async fn notify(queue: &MemoryQueue, store: &dyn ObjectStore, prefix: &str) {
    for Listed { key, size, .. } in store.list(prefix).await.expect("memory") {
        queue.send(&notification(store.bucket(), &key, size, &ETag::of_bytes(b""), 0)).await.expect("memory");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_metrics_ledger_and_dead_letters_have_no_personal_datum() {
    let (said, kept) = (Collected::default(), Arc::new(Mutex::new(Vec::new())));
    // The whole process's log, at its most: the work is done by tasks and threads of their own.
    let log = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(said.clone());
    log.try_init().expect("no other test of this crate starts the log");

    let (mut environment, _, clock) = super::tests::environment();
    let settings = QueueSettings { visibility_millis: 1_000, max_receives: 8, ..QueueSettings::default() };
    let queue = Arc::new(MemoryQueue::new(clock.clone(), settings));
    let landing = Arc::new(MemoryStore::new("memory", clock.clone()));
    let lake = Arc::new(MemoryStore::new("memory", clock.clone()));
    environment.queue = Some(queue.clone());
    environment.ports.landing = Arc::new(Refusing(landing.clone()));
    environment.ports.lake = Arc::new(Refusing(lake.clone()));
    environment.ports.ledger = Arc::new(Recording(MemoryLedger::default(), kept.clone()));

    let job = Job::from_value(serde_json::json!({"patients": 60, "dirty": "broken=20%,duplicates=10%,late=5%"}));
    let job = job.expect("a job");
    let request = job.request(NonZeroUsize::MIN).expect("a request");
    let world = World::new(job.spec).expect("a world");
    tokio::task::block_in_place(|| generate(&world, request, &*landing, &*lake, &Unwatched)).expect("generated");
    let mut secrets = BTreeSet::new();
    for Listed { key, .. } in landing.list("").await.expect("memory") {
        let bytes = landing.get(&key).await.expect("there").body.bytes().await.expect("memory");
        let records = String::from_utf8_lossy(&bytes).into_owned();
        if key.contains("patient") || key.contains("encounter") {
            records
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .for_each(|record: Value| personal(&record, "", &mut secrets));
        }
    }
    assert!(secrets.len() > 300, "{}", secrets.len());
    for (key, bytes) in by_hand() {
        landing.put(&key, bytes.into(), PutMode::Overwrite).await.expect("memory");
    }

    notify(&queue, &*landing, "").await;
    for body in [
        r#"{"resourceType":"Patient","id":"patid-55512","Zyxabeth":"Quxmeister"}"#,
        r#"{"Zyxabeth":1}"#,
        r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":7},"object":{"key":"Zyxabeth"}}}]}"#,
        "Zyxabeth Quxmeister",
    ] {
        queue.send(body).await.expect("memory");
    }
    give(&Bronze, &environment, &queue, &clock, &said).await;
    let letters = queue.dead_letters();
    assert_eq!(letters.len(), 6, "two objects that fail and four messages that are none: {letters:?}");

    // A file of bronze and a commit that were damaged later.
    let of = |prefix: &str| {
        let (lake, prefix) = (lake.clone(), prefix.to_owned());
        async move { lake.list(&prefix).await.expect("memory") }
    };
    let damaged = of("bronze/encounter/").await.remove(0).key;
    lake.put(&damaged, b"PAR1 Zyxabeth patid-55512 PAR1".to_vec().into(), PutMode::Overwrite).await.expect("memory");
    lake.put("bronze/_commits/patid.json", b"{\"Zyxabeth\":\"Quxmeister\"}".to_vec().into(), PutMode::Overwrite)
        .await
        .expect("memory");
    notify(&queue, &*lake, "bronze/").await;
    give(&Silver, &environment, &queue, &clock, &said).await;
    notify(&queue, &*lake, "silver/").await;
    give(&Gold, &environment, &queue, &clock, &said).await;

    // The answer to a bare event is logged by whoever sent it.
    let refused = by_hand().into_iter().map(|(key, _)| key).find(|key| key.contains("refused")).expect("one");
    let bare = serde_json::from_str(&notification("memory", &refused, 1, &ETag::of_bytes(b""), 0)).expect("JSON");
    let (answer, _) = environment.answer(&Bronze, bare, "bare", clock.now_millis() + 60_000).await;
    said.add(answer.expect_err("it is refused").without_keys());

    let items = kept.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
    let said = said.text();
    for phrase in ["becomes a dead letter", "\"RecordsQuarantined\":", "AccessDenied", "panicked"] {
        assert!(said.contains(phrase), "{phrase}: {said}");
    }
    assert!(items.contains("Failed") && items.contains("Completed"), "{items}");
    for (what, text) in [("log, metrics and answers", &said), ("ledger", &items)] {
        let lines = || text.lines();
        for canary in CANARIES {
            let line = lines().find(|line| line.contains(canary));
            assert!(line.is_none(), "{what} has {canary}: {}", line.unwrap_or_default());
        }
        let found: Vec<_> = words(text).into_iter().filter(|word| secrets.contains(*word)).collect();
        assert!(found.is_empty(), "{what} has {found:?}: {:?}", lines().find(|line| line.contains(found[0])));
        for Listed { key, .. } in landing.list("").await.expect("memory") {
            assert!(!text.contains(&key), "{what} has the key {key}");
        }
    }
    // A dead letter is the message as it came: it names an object, and has nothing of what is in it.
    for letter in queue.dead_letters().iter().filter(|letter| letter.body.contains("\"key\"")) {
        assert!(!letter.body.contains("patid-55512"), "{}", letter.body);
    }
}
