//! The three stages of the data's path: what each is called, whose objects it hears of, and its work.

use std::{fmt, future::Future, num::NonZeroUsize, pin::Pin, sync::Arc};

use metriccare_ports::{ObjectStore, Ports};

use crate::{
    bronze, gold,
    outcome::{FlowError, Outcome},
    silver,
    worker::{Worker, side_by_side},
};

/// A stage of the data's path.
///
/// A value that brings its work along, and no enum: a program holds the code of the stages that it names, and a Lambda
/// names one.
#[derive(Clone, Copy)]
pub struct Stage {
    name: &'static str,
    bucket: fn(&Ports) -> &dyn ObjectStore,
    at_once: AtOnce,
    carry: fn(Arc<Worker>, Vec<String>) -> Carrying,
}

/// The answers to a stage's objects, in their order.
type Carrying = Pin<Box<dyn Future<Output = Vec<Result<Outcome, FlowError>>> + Send>>;

/// How many messages are best worked on together.
#[derive(Clone, Copy)]
enum AtOnce {
    /// As many as there are threads: each object is work by itself.
    AsThreads,
    /// All there are: what they share is done once.
    All,
}

impl Stage {
    /// Landed objects become bronze.
    pub const BRONZE: Stage = Stage {
        name: "bronze",
        bucket: |ports| &*ports.landing,
        at_once: AtOnce::AsThreads,
        carry: |worker, keys| Box::pin(async move { bronze_side_by_side(&worker, keys).await }),
    };

    /// Bronze commits become silver.
    pub const SILVER: Stage = Stage {
        name: "silver",
        bucket: |ports| &*ports.lake,
        at_once: AtOnce::All,
        carry: |worker, keys| Box::pin(async move { silver(&worker, &keys).await }),
    };

    /// Silver commits become gold.
    pub const GOLD: Stage = Stage {
        name: "gold",
        bucket: |ports| &*ports.lake,
        at_once: AtOnce::All,
        carry: |worker, keys| Box::pin(async move { gold(&worker, &keys).await }),
    };

    /// What logs, metrics and queues call it.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The name of the bucket whose objects it hears of.
    pub(crate) fn bucket(self, ports: &Ports) -> &str {
        (self.bucket)(ports).bucket()
    }

    /// How many of `messages` are best worked on together.
    pub(crate) fn at_once(self, messages: usize, threads: NonZeroUsize) -> usize {
        match self.at_once {
            AtOnce::AsThreads => threads.get(),
            AtOnce::All => messages.max(1),
        }
    }

    /// Carries objects through the stage; the answers stand in the keys' order.
    pub(crate) async fn carry(self, worker: &Arc<Worker>, keys: Vec<String>) -> Vec<Result<Outcome, FlowError>> {
        (self.carry)(Arc::clone(worker), keys).await
    }
}

impl PartialEq for Stage {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Stage {}

impl fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Many objects go side by side, each on one thread; few go one by one, each on all of them.
async fn bronze_side_by_side(worker: &Arc<Worker>, keys: Vec<String>) -> Vec<Result<Outcome, FlowError>> {
    let many = keys.len() >= worker.threads.get();
    let (width, threads) = if many { (worker.threads, NonZeroUsize::MIN) } else { (NonZeroUsize::MIN, worker.threads) };
    side_by_side(width, keys, |key| {
        let worker = Arc::clone(worker);
        async move { bronze(&worker, &key, threads).await }
    })
    .await
}
