//! Who does the work: the ports, the lake's settings, and how many threads and how much time there are.

use std::{
    future::Future,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use metriccare_ports::{Claim, Ports, Retry};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
};

use crate::error::FlowError;

/// One process (a Lambda environment, a local run) that works on a lake.
#[derive(Debug)]
pub struct Worker {
    /// What is outside.
    pub ports: Ports,
    /// The number of buckets of the lake, fixed when it was made.
    pub buckets: u16,
    /// The threads that one piece of work may use.
    pub threads: NonZeroUsize,
    /// How many reads, claims and writes wait for their answers at once, apart from the threads that compute.
    pub io_width: NonZeroUsize,
    /// The bytes of memory that the data of one invocation may take.
    pub memory_bytes: u64,
    /// The bytes of rows that wait in memory for their merge; more wait in a temporary file.
    pub spill_bytes: u64,
    /// How long a claim holds; on Lambda, until the invocation must end.
    pub lease: Duration,
    /// When the invocation must end, in milliseconds since 1970; on a laptop it never has to.
    pub deadline_millis: i64,
    /// Names this process in the ledger; unique among all that work on the lake.
    pub name: String,
    tries: AtomicU64,
    /// The claims whose work is not ended yet: a panic gives them back.
    pub(crate) open_claims: Mutex<Vec<Claim>>,
    /// Set when the invocation has no time left: threads that still read for it stop.
    pub(crate) ended: Arc<AtomicBool>,
}

impl Worker {
    /// A worker with a lease of fifteen minutes, the longest that a Lambda runs.
    pub fn new(ports: Ports, buckets: u16, threads: NonZeroUsize, name: impl Into<String>) -> Self {
        Worker {
            ports,
            buckets,
            threads,
            io_width: threads,
            memory_bytes: u64::MAX,
            spill_bytes: 64 << 20,
            lease: Duration::from_secs(900),
            deadline_millis: i64::MAX,
            name: name.into(),
            tries: AtomicU64::new(0),
            open_claims: Mutex::default(),
            ended: Arc::default(),
        }
    }

    /// The name of one try in the ledger.
    pub(crate) fn owner(&self) -> String {
        format!("{}/{}", self.name, self.tries.fetch_add(1, Ordering::Relaxed))
    }

    /// How often, and how long apart, work on an object is tried again where another writer came first.
    pub(crate) fn retry(&self, key: &str) -> Retry {
        let turn = self.tries.fetch_add(1, Ordering::Relaxed);
        let bytes = self.name.bytes().chain(key.bytes());
        Retry::seeded(bytes.fold(turn, |seed, byte| seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)))
    }

    /// Does a piece of work from its reads on, and once more where another writer came first, with jitter and a bound.
    pub(crate) async fn until_settled<T, F>(
        &self,
        key: &str,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T, FlowError>
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

/// Runs work that computes rather than waits, off the async threads; a panic is an error of this work alone.
pub(crate) async fn compute<T: Send + 'static>(
    key: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FlowError> {
    spawn_blocking(work).await.map_err(|_| FlowError::Panicked { key: key.to_owned() })
}

/// Does async work for each item, `width` of them at a time; the results stand in the items' order.
///
/// The work's tasks end before this returns: nothing outlives a Lambda's invocation.
pub async fn side_by_side<T, R, F>(width: NonZeroUsize, items: Vec<T>, work: impl Fn(T) -> F) -> Vec<R>
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
