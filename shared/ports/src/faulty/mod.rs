//! Ports that break on purpose, on a plan that can be repeated: what the laws about crashes are tested with.
//!
//! One [`Faults`] counts the calls of all stores and ledgers that share it, from 1. A test runs once without faults to
//! learn how many calls there are, then once for every k with a fault at the k-th. The worst fault is the lost reply:
//! the write happened, and the caller hears an error.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Error, ErrorKind, Result, retry::Jitter};

mod ledger;
mod store;

pub use ledger::FaultyLedger;
pub use store::FaultyStore;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the caller hears an error.
    Fail,
    /// It happens, and the caller hears an error.
    LoseReply,
    /// It happens after a wait on the tokio clock.
    Delay(Duration),
    /// Nothing happens here or in any later call until [`Faults::heal`]: the process is gone.
    Crash,
    /// It happens, the caller hears an error, and nothing happens in any later call until [`Faults::heal`].
    CrashAfter,
}

/// A plan of faults, and the count of calls so far.
#[derive(Debug)]
pub struct Faults {
    plan: Mutex<Plan>,
    calls: AtomicU64,
}

#[derive(Debug)]
enum Plan {
    Never,
    At(u64, Fault),
    Seeded { jitter: Jitter, per_thousand: u64 },
    Down,
}

impl Faults {
    /// No fault: only counts.
    pub fn none() -> Self {
        Self::with(Plan::Never)
    }

    /// One fault, at the k-th call from 1.
    pub fn at(call: u64, fault: Fault) -> Self {
        Self::with(Plan::At(call, fault))
    }

    /// Failures and lost replies, so many in a thousand calls, drawn from a seed.
    pub fn seeded(seed: u64, per_thousand: u32) -> Self {
        Self::with(Plan::Seeded { jitter: Jitter::new(seed), per_thousand: per_thousand.into() })
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Ends all faults: the process is up again, or the network.
    pub fn heal(&self) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Plan::Never;
    }

    fn with(plan: Plan) -> Self {
        Self { plan: Mutex::new(plan), calls: AtomicU64::new(0) }
    }

    fn next(&self) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match &mut *plan {
            Plan::Never => None,
            Plan::Down => Some(Fault::Fail),
            Plan::At(at, fault) if *at == call => {
                let fault = *fault;
                if matches!(fault, Fault::Crash | Fault::CrashAfter) {
                    *plan = Plan::Down;
                }
                Some(fault)
            }
            Plan::At(..) => None,
            Plan::Seeded { jitter, per_thousand } => (jitter.draw(1000) < *per_thousand)
                .then(|| if jitter.draw(2) == 0 { Fault::Fail } else { Fault::LoseReply }),
        }
    }

    /// Makes a call under the plan.
    async fn call<T: Send>(
        &self,
        operation: &'static str,
        subject: &str,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let broken = |reason: &str| Err(Error::new(ErrorKind::Unavailable, operation, subject, reason));
        match self.next() {
            None => call.await,
            Some(Fault::Delay(wait)) => {
                tokio::time::sleep(wait).await;
                call.await
            }
            Some(Fault::Fail | Fault::Crash) => broken("injected: the call did not arrive"),
            Some(Fault::LoseReply | Fault::CrashAfter) => {
                call.await?;
                broken("injected: the reply was lost")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Clock, ManualClock, MemoryStore, ObjectStore, PutMode};

    fn stores(faults: Faults) -> (Arc<MemoryStore>, Arc<Faults>, FaultyStore) {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let (inner, faults) = (Arc::new(MemoryStore::new("lake", clock)), Arc::new(faults));
        (inner.clone(), faults.clone(), FaultyStore::new(inner, faults))
    }

    #[tokio::test]
    async fn a_lost_reply_has_happened_and_a_failure_has_not() {
        for (fault, happened) in [(Fault::Fail, false), (Fault::LoseReply, true), (Fault::Crash, false)] {
            let (inner, faults, store) = stores(Faults::at(1, fault));
            let error = store.put("a", "x".into(), PutMode::Overwrite).await.expect_err("broken");
            assert!(error.retryable());
            assert_eq!(inner.remove("a"), happened, "{fault:?}");
            let after = store.list("").await;
            assert_eq!(after.is_err(), fault == Fault::Crash, "{fault:?}");
            faults.heal();
            assert!(store.list("").await.is_ok());
            assert_eq!(faults.calls(), 3);
        }
    }

    #[tokio::test]
    async fn a_seeded_plan_repeats() {
        async fn errors(seed: u64) -> Vec<bool> {
            let (_inner, _faults, store) = stores(Faults::seeded(seed, 300));
            let mut errors = Vec::new();
            for _ in 0..100 {
                errors.push(store.list("").await.is_err());
            }
            errors
        }
        assert_eq!(errors(1).await, errors(1).await);
        assert_ne!(errors(1).await, errors(2).await);
        assert!((15..45).contains(&errors(1).await.iter().filter(|error| **error).count()));
    }
}
