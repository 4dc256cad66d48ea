//! Many small objects that are there at once, through the functions of the template: its batches, windows and widths, real time,
//! and buckets that answer after a while.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use metriccare_fhir::write::FhirVersion;
use metriccare_flow::{
    Bronze, Function, Gold, Silver, Worker, answer,
    event::{ObjectEvent, notification, sqs_batch},
    process, serve,
};
use metriccare_lake::{
    keys,
    silver::{Resource, bucket_of},
};
use metriccare_ports::{
    Clock, ETag, MemoryLedger, MemoryQueue, MemoryStore, Message, ObjectStore, Ports, PutMode, Queue, SystemClock,
    catalog::MemoryCatalog, queue::QueueSettings,
};
use metriccare_world::{FhirWriter, Known, Resources};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{NotifyingStore, delayed::DelayedStore, simulated};

/// A backlog, and how the functions take it.
#[derive(Debug, Clone)]
pub struct Backlog {
    /// Landed objects.
    pub objects: u64,
    /// Patients in all of them.
    pub patients: u64,
    /// How long each request to a bucket takes.
    pub delay: Duration,
    /// How long silver and gold gather messages, at most: the template's `BatchWindow`.
    pub window: Duration,
    /// The lake's buckets.
    pub buckets: u16,
    /// A function's memory in MB.
    pub memory_mb: u64,
}

impl Default for Backlog {
    fn default() -> Self {
        Self {
            objects: 10_000,
            patients: 40_000,
            delay: Duration::from_millis(30),
            window: Duration::from_mins(1),
            buckets: 16,
            memory_mb: 1_769,
        }
    }
}

/// How a backlog went.
#[derive(Debug)]
pub struct Finished {
    /// Seconds from the first message to the last.
    pub seconds: f64,
    /// Invocations of bronze, silver and gold.
    pub invocations: [u64; 3],
    /// Requests to both buckets.
    pub requests: u64,
    /// Writes of silver's tables, and their bytes.
    pub silver_written: (u64, u64),
    /// Silver's tables at the end: objects and bytes.
    pub silver: (u64, u64),
    /// Writes of the record index, and their bytes.
    pub index_written: (u64, u64),
    /// Messages that were given up.
    pub dead_letters: usize,
    /// The lake at the end.
    pub lake: Arc<MemoryStore>,
    /// The landing bucket.
    pub landing: Arc<MemoryStore>,
}

impl Finished {
    /// How many times all of silver was written.
    pub fn of_the_final_silver(&self) -> f64 {
        self.silver_written.1 as f64 / self.silver.1 as f64
    }
}

/// A commit of bronze that waits for silver, on the lake of a finished backlog.
#[derive(Debug)]
pub struct Late {
    worker: Arc<Worker>,
    commit: ObjectEvent,
    /// The bytes of the silver objects that it is merged into.
    pub bucket_bytes: u64,
}

impl Finished {
    /// Lands one more patient with a stay and a condition, and takes it through bronze.
    ///
    /// # Panics
    /// Where anything fails: nothing does in memory.
    pub async fn land_late(&self, plan: &Backlog) -> Late {
        let ports = Ports {
            landing: self.landing.clone(),
            lake: self.lake.clone(),
            ledger: Arc::new(MemoryLedger::default()),
            catalog: Arc::new(MemoryCatalog::default()),
            clock: Arc::new(SystemClock),
        };
        let worker = Arc::new(plan.worker(ports, "late".to_owned()));
        let lines = [
            r#"{"resourceType":"Patient","id":"late","gender":"female"}"#,
            r#"{"resourceType":"Encounter","id":"late-1","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/late"},"period":{"start":"2025-12-01","end":"2025-12-05"}}"#,
            r#"{"resourceType":"Condition","id":"late-2","subject":{"reference":"Patient/late"},"recordedDate":"2025-12-02"}"#,
        ];
        let key = "ehr/2026/01/01/late.ndjson";
        self.landing.put(key, lines.join("\n").into(), PutMode::Overwrite).await.expect("memory");
        let before = self.commits().await;
        let landed = process(&Bronze, &worker, vec![vec![ObjectEvent::created("landing", key.to_owned())]]).await;
        assert!(landed[0].is_ok(), "{landed:?}");
        let commit = self.commits().await.into_iter().find(|key| !before.contains(key)).expect("a commit");
        let bucket = bucket_of(None, "late", plan.buckets);
        let mut bucket_bytes = 0;
        for table in Resource::ALL.map(Resource::silver) {
            let file = self.lake.head_opt(&keys::bucket_file(table.path, bucket, plan.buckets)).await.expect("memory");
            bucket_bytes += file.map_or(0, |file| file.size);
        }
        Late { worker, commit: ObjectEvent::created("lake", commit), bucket_bytes }
    }

    async fn commits(&self) -> BTreeSet<String> {
        let listed = self.lake.list(keys::BRONZE_COMMITS).await.expect("memory");
        listed.into_iter().map(|listed| listed.key).collect()
    }
}

impl Late {
    /// Merges it into silver.
    ///
    /// # Panics
    /// Where that fails.
    pub async fn merge(self) {
        let merged = process(&Silver, &self.worker, vec![vec![self.commit]]).await;
        assert!(merged[0].is_ok(), "{merged:?}");
    }
}

impl Backlog {
    /// An environment of a function.
    fn worker(&self, ports: Ports, name: String) -> Worker {
        let mut worker = Worker::new(ports, self.buckets, NonZeroUsize::MIN, name);
        worker.io_width = NonZeroUsize::new(16).expect("not zero");
        worker.memory_bytes = (self.memory_mb * 3 / 4) << 20;
        worker.spill_bytes = worker.memory_bytes / 2;
        worker
    }
}

/// How a function takes messages from its queue, as the template has it.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    batch: usize,
    window: Duration,
    concurrency: usize,
}

/// What the functions share.
#[derive(Debug)]
struct Cloud {
    ports: Ports,
    queues: [Arc<MemoryQueue>; 3],
    invocations: [AtomicU64; 3],
    running: AtomicUsize,
    plan: Backlog,
}

/// Lands a backlog, and lets the functions work until all queues are empty.
///
/// # Panics
/// Where anything fails: nothing does in memory.
pub async fn run(plan: Backlog) -> Finished {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let queue = || Arc::new(MemoryQueue::new(clock.clone(), QueueSettings::default()));
    let queues = [queue(), queue(), queue()];
    let landing = Arc::new(MemoryStore::new("landing", clock.clone()));
    land(&landing, &queues[0], &plan).await;
    let lake = Arc::new(MemoryStore::new("lake", clock.clone()));
    let rules = vec![(keys::BRONZE_COMMITS, queues[1].clone()), (keys::SILVER_COMMITS, queues[2].clone())];
    let notifying = Arc::new(NotifyingStore::new(lake.clone(), rules));
    let delayed_landing = Arc::new(DelayedStore::new(landing.clone(), plan.delay));
    let delayed_lake = Arc::new(DelayedStore::new(notifying, plan.delay));
    let ports = Ports {
        landing: delayed_landing.clone(),
        lake: delayed_lake.clone(),
        ledger: Arc::new(MemoryLedger::default()),
        catalog: Arc::new(MemoryCatalog::default()),
        clock,
    };
    let gathering = |batch, concurrency| Mapping { batch, window: plan.window, concurrency };
    let mappings =
        [Mapping { batch: 1, window: Duration::ZERO, concurrency: 20 }, gathering(3_000, 4), gathering(500, 2)];
    let begun = Instant::now();
    let cloud = Arc::new(Cloud { ports, queues, invocations: Default::default(), running: AtomicUsize::new(0), plan });
    tokio::join!(
        poll(cloud.clone(), 0, mappings[0], Bronze),
        poll(cloud.clone(), 1, mappings[1], Silver),
        poll(cloud.clone(), 2, mappings[2], Gold),
    );
    let (traffic, read) = (delayed_lake.traffic(), delayed_landing.traffic());
    let tables = lake.list(keys::SILVER).await.expect("memory").into_iter().filter(|it| it.key.ends_with(".parquet"));
    Finished {
        seconds: begun.elapsed().as_secs_f64(),
        invocations: cloud.invocations.each_ref().map(|count| count.load(Ordering::Relaxed)),
        requests: traffic.requests + read.requests,
        silver_written: traffic.written(keys::SILVER, ".parquet"),
        silver: tables.fold((0, 0), |(objects, bytes), table| (objects + 1, bytes + table.size)),
        index_written: traffic.written(keys::SILVER_INDEX, ""),
        dead_letters: cloud.queues.iter().map(|queue| queue.dead_letters().len()).sum(),
        lake,
        landing,
    }
}

/// Lands the patients of a world with their encounters and conditions, some in each object, and notifies of each.
async fn land(landing: &MemoryStore, queue: &MemoryQueue, plan: &Backlog) {
    let world = simulated::world(plan.patients, 1);
    for shard in 1..=plan.objects {
        let mut out = Resources::default();
        FhirWriter::new(&world, FhirVersion::R5, Known::YearEnd).write(
            world.shard(shard, plan.objects),
            &mut out,
            None,
        );
        let bytes: bytes::Bytes = [out.patient, out.encounter, out.condition].concat().into();
        let (key, micros) = (format!("ehr/2025/12/31/{shard:05}.ndjson"), 1_767_225_600_000_000);
        let (size, etag) = (bytes.len() as u64, ETag::of_bytes(&bytes));
        landing.put_stamped(&key, bytes.into(), PutMode::Overwrite, micros).await.expect("memory");
        queue.send(&notification("landing", &key, size, &etag, micros)).await.expect("memory");
    }
}

/// Receives messages as an event source mapping does: a batch is full, or its window is over.
async fn poll<F: Function + Clone + 'static>(cloud: Arc<Cloud>, stage: usize, mapping: Mapping, function: F) {
    let places = Arc::new(Semaphore::new(mapping.concurrency));
    let (queue, mut invocations) = (cloud.queues[stage].clone(), JoinSet::new());
    loop {
        let place = places.clone().acquire_owned().await.expect("it is never closed");
        let (mut batch, mut since): (Vec<Message>, Option<Instant>) = (Vec::new(), None);
        loop {
            batch.extend(queue.receive(mapping.batch - batch.len()).await.expect("memory"));
            if batch.is_empty() && cloud.is_quiet() {
                invocations.join_all().await;
                return;
            }
            since = since.or((!batch.is_empty()).then(Instant::now));
            if batch.len() == mapping.batch || since.is_some_and(|since| since.elapsed() >= mapping.window) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        cloud.running.fetch_add(1, Ordering::SeqCst);
        let (cloud, function) = (cloud.clone(), function.clone());
        invocations.spawn(async move {
            cloud.invoke(stage, &function, batch).await;
            cloud.running.fetch_sub(1, Ordering::SeqCst);
            drop(place);
        });
        while invocations.try_join_next().is_some() {}
    }
}

impl Cloud {
    fn is_quiet(&self) -> bool {
        self.running.load(Ordering::SeqCst) == 0 && self.queues.iter().all(|queue| queue.is_drained())
    }

    /// One invocation in an environment of its own, with fifteen minutes.
    async fn invoke<F: Function>(&self, stage: usize, function: &F, batch: Vec<Message>) {
        let number = self.invocations[stage].fetch_add(1, Ordering::Relaxed);
        let mut worker = self.plan.worker(self.ports.clone(), format!("{}-{number}", F::NAME));
        worker.deadline_millis = self.ports.clock.now_millis() + 900_000;
        let payload = sqs_batch(F::NAME, &batch, self.ports.clock.now_millis());
        let reports = serve(function, &Arc::new(worker), payload).await;
        let failed = answer(function, reports).expect("a batch has an answer")["batchItemFailures"].clone();
        let is_failed = |id: &str| {
            let failed = failed.as_array().map_or(&[][..], Vec::as_slice);
            failed.iter().any(|failure| failure["itemIdentifier"] == id)
        };
        for message in batch.iter().filter(|message| !is_failed(&message.id)) {
            self.queues[stage].ack(&message.receipt).await.expect("memory");
        }
    }
}
