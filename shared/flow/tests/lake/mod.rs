//! A lake in memory whose buckets keep versions, and the stages that are taken through it.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{num::NonZeroUsize, sync::Arc};

use metriccare_flow::{Function, MessageResult, Outcome, Worker, event::ObjectEvent, process};
use metriccare_ports::{
    Listed, ManualClock, MemoryLedger, MemoryStore, ObjectStore, Ports, PutMode, catalog::NoCatalog,
};

/// Few buckets, so that patients meet in them.
pub(crate) const BUCKETS: u16 = 4;

pub(crate) struct Lake {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) landing: Arc<MemoryStore>,
    pub(crate) lake: Arc<MemoryStore>,
    pub(crate) ports: Ports,
}

impl Lake {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at_micros(1_735_689_600_000_000));
        let landing = Arc::new(MemoryStore::new("landing", clock.clone()).versioned());
        let lake = Arc::new(MemoryStore::new("lake", clock.clone()).versioned());
        let ports = Ports {
            landing: landing.clone(),
            lake: lake.clone(),
            ledger: Arc::new(MemoryLedger::default()),
            catalog: Arc::new(NoCatalog),
            clock: clock.clone(),
        };
        Self { clock, landing, lake, ports }
    }

    pub(crate) fn worker(&self) -> Arc<Worker> {
        Arc::new(self.unshared_worker())
    }

    pub(crate) fn unshared_worker(&self) -> Worker {
        let mut worker = Worker::new(self.ports.clone(), BUCKETS, NonZeroUsize::MIN, "test");
        worker.io_width = NonZeroUsize::new(16).expect("not zero");
        worker
    }

    /// Lands a patient in an object of its own, and gives the event of that version.
    pub(crate) async fn land(&self, name: &str, gender: &str) -> ObjectEvent {
        let key = format!("patient/{name}.json");
        let patient = format!("{{\"resourceType\":\"Patient\",\"id\":\"{name}\",\"gender\":\"{gender}\"}}");
        self.landing.put(&key, patient.into(), PutMode::Overwrite).await.expect("memory");
        let version = self.landing.head(&key).await.expect("it was put").version;
        ObjectEvent { version, ..ObjectEvent::created("landing", key) }
    }

    pub(crate) async fn list(&self, prefix: &str) -> Vec<Listed> {
        self.lake.list(prefix).await.expect("memory")
    }

    /// The events of everything under a prefix of the lake.
    pub(crate) async fn events(&self, prefix: &str) -> Vec<ObjectEvent> {
        self.list(prefix).await.into_iter().map(|listed| ObjectEvent::created("lake", listed.key)).collect()
    }

    /// Takes objects through a stage, each in a message of its own.
    pub(crate) async fn process<F: Function<Item = ObjectEvent>>(
        &self,
        function: F,
        objects: Vec<ObjectEvent>,
    ) -> Vec<MessageResult<F::Output>> {
        process(&function, &self.worker(), objects.into_iter().map(|object| vec![object]).collect()).await
    }
}

/// Whether a message's only object was done now.
pub(crate) fn is_done<T>(result: &MessageResult<T>) -> bool {
    matches!(result.as_deref(), Ok([(_, Outcome::Done(_))]))
}
