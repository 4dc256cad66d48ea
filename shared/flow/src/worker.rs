//! Who does the work: the ports, the lake's settings, and the ledger's protocol around every piece of work.

use std::{
    future::Future,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use metriccare_ports::{Begin, Claim, ObjectMeta, Ports, Receipt, Retry, WorkId};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
};

use crate::outcome::{FlowError, Outcome};

/// One process (a Lambda environment, a local run) that works on a lake.
#[derive(Debug)]
pub struct Worker {
    /// What is outside.
    pub ports: Ports,
    /// The number of buckets of the lake, fixed when it was made.
    pub buckets: u16,
    /// The threads that one piece of work may use.
    pub threads: NonZeroUsize,
    /// How long a claim holds; on Lambda, until the invocation must end.
    pub lease: Duration,
    /// Names this process in the ledger; unique among all that work on the lake.
    pub name: String,
    tries: AtomicU64,
    /// Set when the invocation has no time left: whoever still reads for it stops.
    pub(crate) ended: Arc<AtomicBool>,
}

impl Worker {
    /// A worker with a lease of fifteen minutes, the longest that a Lambda runs.
    pub fn new(ports: Ports, buckets: u16, threads: NonZeroUsize, name: impl Into<String>) -> Self {
        Worker {
            ports,
            buckets,
            threads,
            lease: Duration::from_secs(900),
            name: name.into(),
            tries: AtomicU64::new(0),
            ended: Arc::default(),
        }
    }

    /// Claims a work in the ledger; the owner's name is that of one try.
    pub(crate) async fn begin(&self, work: &WorkId) -> Result<Begin, FlowError> {
        let owner = format!("{}/{}", self.name, self.tries.fetch_add(1, Ordering::Relaxed));
        let now = self.ports.clock.now_millis();
        let lease = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        Ok(self.ports.ledger.begin(work, &owner, now, now.saturating_add(lease)).await?)
    }

    /// Ends a claimed work: completes it with its receipt, or gives it back so that the next try need not wait.
    pub(crate) async fn end(&self, claim: &Claim, result: Result<Receipt, FlowError>) -> Result<Outcome, FlowError> {
        match result {
            Ok(receipt) => {
                self.ports.ledger.complete(claim, &receipt).await?;
                Ok(Outcome::Done(receipt))
            }
            Err(error) => {
                // The claim's lease ends by itself where the ledger cannot be reached either.
                let _ = self.ports.ledger.fail(claim, &error.to_string()).await;
                Err(error)
            }
        }
    }

    /// How often, and how long apart, work on an object is tried again where another writer came first.
    pub(crate) fn retry(&self, key: &str) -> Retry {
        let turn = self.tries.fetch_add(1, Ordering::Relaxed);
        let bytes = self.name.bytes().chain(key.bytes());
        Retry::seeded(bytes.fold(turn, |seed, byte| seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)))
    }

    /// Tries a piece of work again from its reads where another writer came first, with jitter and a bound.
    pub(crate) async fn again<T, F>(&self, key: &str, mut attempt: impl FnMut() -> F + Send) -> Result<T, FlowError>
    where
        F: Future<Output = Result<T, FlowError>> + Send,
    {
        for wait in self.retry(key).waits() {
            match attempt().await {
                Err(error) if error.starts_again() => self.ports.clock.sleep(wait).await,
                done => return done,
            }
        }
        attempt().await
    }
}

/// The ledger's name of a stage's work on an object as it is now.
pub(crate) fn work_on(stage: &str, bucket: &str, meta: &ObjectMeta) -> WorkId {
    WorkId::new(stage, bucket, &meta.key, version_of(meta), meta.last_modified_micros)
}

/// The version of an object where its bucket keeps versions, else its ETag.
pub(crate) fn version_of(meta: &ObjectMeta) -> &str {
    meta.version.as_deref().unwrap_or(meta.etag.as_str())
}

/// The answer to a message whose work cannot be claimed.
pub(crate) fn unclaimed(begin: Begin) -> Result<Claim, Outcome> {
    match begin {
        Begin::Claimed(claim) => Ok(claim),
        Begin::Busy { until_millis } => Err(Outcome::Busy { until_millis }),
        Begin::Done(receipt) => Err(Outcome::AlreadyDone(receipt)),
        Begin::Rejected(reason) => Err(Outcome::Rejected(reason)),
    }
}

/// Runs work that computes rather than waits, off the async threads; a panic becomes an error of this work alone.
pub(crate) async fn compute<T: Send + 'static>(
    key: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FlowError> {
    spawn_blocking(work).await.map_err(|_| FlowError::Panicked { key: key.to_owned() })
}

/// Does async work for each item, `width` of them at a time; the results stand in the items' order.
///
/// The work's tasks end before this returns: nothing outlives a Lambda's invocation.
pub(crate) async fn side_by_side<T, R, F>(width: NonZeroUsize, items: Vec<T>, work: impl Fn(T) -> F) -> Vec<R>
where
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(width.get()));
    let mut tasks = JoinSet::new();
    for (at, item) in items.into_iter().enumerate() {
        let (room, task) = (Arc::clone(&room), work(item));
        tasks.spawn(async move {
            let _place = room.acquire_owned().await;
            (at, task.await)
        });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
