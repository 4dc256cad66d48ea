//! Two buckets, three queues and a ledger in memory, joined as the template joins them on AWS.
//!
//! A [`Process`] is one environment that works on them. It sees stores and ledger through its own plan of faults; the
//! cloud behind them never breaks. Time stands still until nothing is left to receive: then it jumps to where hidden
//! messages are visible again, which is later than any lease.

use std::{sync::Arc, time::Duration};

use metriccare_flow::{
    Bronze, Gold, MessageResult, Silver, Unwatched, Worker, drive,
    event::{ObjectEvent, decode, notification},
    process,
};
use metriccare_lake::keys;
use metriccare_ports::{
    ETag, ManualClock, MemoryLedger, MemoryQueue, MemoryStore, Message, ObjectStore, Ports, PutMode, Queue,
    catalog::MemoryCatalog,
    faulty::{Faults, FaultyLedger, FaultyStore},
    queue::QueueSettings,
};
use serde_json::{Value, json};

use crate::{LakeContents, Landed, NotifyingStore};

/// The stages in the order of the data's path.
pub const STAGES: [Stage; 3] = [Stage::Bronze, Stage::Silver, Stage::Gold];

/// A stage of the data's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Landed objects into bronze.
    Bronze,
    /// Bronze commits into silver.
    Silver,
    /// Silver commits into gold.
    Gold,
}

/// Few buckets, so that resources meet in them.
pub const BUCKETS: u16 = 2;

/// Six times the lease, as the template has it.
const VISIBILITY: Duration = Duration::from_secs(6 * 900);

/// More rounds than any lawful run needs.
pub(crate) const ROUNDS: usize = 10_000;

/// A cloud in memory.
#[derive(Debug)]
pub struct Cloud {
    /// What time it is for everybody.
    pub clock: Arc<ManualClock>,
    /// The lake bucket as it is, without faults.
    pub lake: Arc<MemoryStore>,
    pub(crate) landing: Arc<MemoryStore>,
    pub(crate) notifying_lake: Arc<NotifyingStore>,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) queues: [Arc<MemoryQueue>; 3],
}

/// One environment at work, and the faults between it and the cloud.
#[derive(Debug)]
pub struct Process {
    /// Its worker.
    pub worker: Arc<Worker>,
    /// What breaks for it, and how many calls it made.
    pub faults: Arc<Faults>,
    /// The call at which it is killed, if any: from then on it can acknowledge nothing either.
    pub killed_at: Option<u64>,
}

impl Process {
    /// Whether it has not been killed yet.
    pub fn is_alive(&self) -> bool {
        self.killed_at.is_none_or(|call| self.faults.calls() < call)
    }
}

/// Queues that deliver in order and once, and give a message up after five deliveries.
pub fn orderly() -> QueueSettings {
    QueueSettings {
        visibility_millis: u32::try_from(VISIBILITY.as_millis()).expect("an hour and a half"),
        max_receives: 5,
        shuffle: None,
        duplicate_percent: 0,
    }
}

/// Queues that deliver in random order, in random batches, some messages twice, and never give up.
pub fn unruly(seed: u64, duplicate_percent: u32) -> QueueSettings {
    QueueSettings { max_receives: u32::MAX, shuffle: Some(seed), duplicate_percent, ..orderly() }
}

impl Cloud {
    /// An empty cloud; its queues behave as they are told to.
    pub fn new(settings: QueueSettings) -> Self {
        Self::in_buckets("landing", "lake", settings)
    }

    /// An empty cloud whose buckets have these names.
    pub fn in_buckets(landing: &str, lake: &str, settings: QueueSettings) -> Self {
        let clock = Arc::new(ManualClock::at_micros(1_767_225_600_000_000));
        let queue = |number: u64| {
            let shuffle = settings.shuffle.map(|seed| seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            Arc::new(MemoryQueue::new(clock.clone(), QueueSettings { shuffle, ..settings }))
        };
        let queues = [queue(1), queue(2), queue(3)];
        let lake = Arc::new(MemoryStore::new(lake, clock.clone()));
        let rules = vec![
            (keys::BRONZE_COMMITS, queues[1].clone()),
            (keys::SILVER_COMMITS, queues[2].clone()),
            (keys::REFERENCE, queues[2].clone()),
        ];
        Self {
            landing: Arc::new(MemoryStore::new(landing, clock.clone())),
            notifying_lake: Arc::new(NotifyingStore::new(lake.clone(), rules)),
            lake,
            ledger: Arc::default(),
            queues,
            clock,
        }
    }

    /// A process that works on the cloud through these faults.
    pub fn process(&self, name: &str, faults: Faults, threads: usize) -> Process {
        let faults = Arc::new(faults);
        let ports = self.ports(&faults);
        let threads = threads.try_into().expect("at least one thread");
        Process { worker: Arc::new(Worker::new(ports, BUCKETS, threads, name)), faults, killed_at: None }
    }

    /// What a process has of the cloud through these faults.
    pub(crate) fn ports(&self, faults: &Arc<Faults>) -> Ports {
        Ports {
            landing: Arc::new(FaultyStore::new(self.landing.clone(), faults.clone())),
            lake: Arc::new(FaultyStore::new(self.notifying_lake.clone(), faults.clone())),
            ledger: Arc::new(FaultyLedger::new(self.ledger.clone(), faults.clone())),
            catalog: Arc::new(MemoryCatalog::default()),
            clock: self.clock.clone(),
        }
    }

    /// Puts objects into the landing bucket, each at its own time, and tells nobody.
    pub async fn land(&self, objects: &[Landed]) {
        for object in objects {
            let put =
                self.landing.put_stamped(&object.key, object.bytes.clone().into(), PutMode::Overwrite, object.micros);
            put.await.expect("memory");
        }
    }

    /// Sends one message that names these objects.
    pub async fn notify(&self, objects: &[&Landed]) {
        let records: Vec<Value> = objects
            .iter()
            .flat_map(|object| {
                let etag = ETag::of_bytes(&object.bytes);
                let event =
                    notification(self.landing.bucket(), &object.key, object.bytes.len() as u64, &etag, object.micros);
                let event: Value = serde_json::from_str(&event).expect("our own JSON");
                event["Records"].as_array().cloned().expect("records")
            })
            .collect();
        self.queues[0].send(&json!({ "Records": records }).to_string()).await.expect("memory");
    }

    /// Puts objects and notifies of each in a message of its own, in order.
    pub async fn land_and_notify(&self, objects: &[Landed]) {
        self.land(objects).await;
        for object in objects {
            self.notify(&[object]).await;
        }
    }

    /// What `drive` makes of these objects and this hospitals' file in one go: what every delivery has to end in.
    ///
    /// # Panics
    /// Where anything fails.
    pub async fn driven(objects: &[Landed], hospitals: &str) -> LakeContents {
        let cloud = Cloud::new(orderly());
        cloud.put_hospitals(hospitals).await;
        cloud.land(objects).await;
        let process = cloud.process("driver", Faults::none(), 2);
        let driven = drive(&process.worker, &Unwatched).await.expect("nothing fails in memory");
        assert!(driven.failed.is_empty(), "{:?}", driven.failed);
        LakeContents::of(&cloud)
    }

    /// Writes the hospitals' file, which wakes gold.
    pub async fn put_hospitals(&self, csv: &str) {
        let put = self.notifying_lake.put(keys::HOSPITALS, csv.to_owned().into(), PutMode::Overwrite);
        put.await.expect("memory");
    }

    /// One invocation: receives a batch, handles it, and acknowledges what is done; returns how many messages came.
    pub async fn invoke(&self, process: &Process, stage: Stage, most: usize) -> usize {
        let queue = &self.queues[STAGES.iter().position(|other| *other == stage).expect("one of three")];
        let messages: Vec<Message> = queue.receive(most).await.expect("memory");
        if messages.is_empty() {
            return 0;
        }
        let done = results(stage, &process.worker, &messages, |key| key).await;
        for (message, done) in messages.iter().zip(done) {
            if done && process.is_alive() {
                queue.ack(&message.receipt).await.expect("memory");
            }
        }
        messages.len()
    }

    /// Lets a process work until the queues are empty or it is killed.
    ///
    /// # Panics
    /// Where the queues never run empty.
    pub async fn settle(&self, process: &Process) {
        for _ in 0..ROUNDS {
            let mut received = 0;
            for stage in STAGES {
                received += self.invoke(process, stage, 10).await;
                if !process.is_alive() {
                    return;
                }
            }
            if received == 0 {
                if self.is_drained() {
                    return;
                }
                self.let_messages_reappear();
            }
        }
        panic!("the queues do not run empty");
    }

    /// Moves the clock past every lease, to where all messages are visible again.
    pub fn let_messages_reappear(&self) {
        self.clock.advance(VISIBILITY);
    }

    /// Whether no message is left in any queue.
    pub fn is_drained(&self) -> bool {
        self.queues.iter().all(|queue| queue.is_drained())
    }

    /// How many messages were given up.
    pub fn dead_letters(&self) -> usize {
        self.queues.iter().map(|queue| queue.dead_letters().len()).sum()
    }
}

/// Which of these messages a stage has done; its events' keys are renamed before.
pub(crate) async fn results(
    stage: Stage,
    worker: &Arc<Worker>,
    messages: &[Message],
    rename: impl Fn(String) -> String,
) -> Vec<bool> {
    let objects = |message: &Message| -> Vec<ObjectEvent> {
        let objects = decode(message.body.as_bytes()).expect("about objects").into_iter();
        objects.map(|object| ObjectEvent { key: rename(object.key), ..object }).collect()
    };
    let objects = messages.iter().map(objects).collect();
    match stage {
        Stage::Bronze => done(&process(&Bronze, worker, objects).await),
        Stage::Silver => done(&process(&Silver, worker, objects).await),
        Stage::Gold => done(&process(&Gold, worker, objects).await),
    }
}

fn done<T>(results: &[MessageResult<T>]) -> Vec<bool> {
    results.iter().map(Result::is_ok).collect()
}
