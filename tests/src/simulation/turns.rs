//! One call of the outside world at a time: handlers that run at once wait here, and the simulation says who goes on.
//!
//! Between two of its calls a handler runs alone, so that a schedule repeats exactly from its seed, whatever the threads.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use metriccare_ports::{Error, ErrorKind, Result};
use tokio::sync::{Notify, oneshot};

/// What is done to a schedule from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Injected {
    /// 503: the call does not arrive.
    Unavailable,
    /// The call happens, and the caller hears 503.
    LostReply,
    /// 409: the put does not happen and may be tried again.
    Conflict,
    /// 412 after the put has happened: what a client hears that repeats a conditional put after a lost reply.
    ConditionAfterSuccess,
    /// The handler is killed before the call.
    Crash,
    /// The handler is killed after the call.
    CrashAfter,
    /// The handler stands still before the call, until much later or until all others are done.
    Stall,
    /// All leases lapse, and all hidden messages are visible again, while handlers are at work.
    LeaseLapse,
    /// A message was delivered too often, and comes back from the dead letters at the end.
    DeadLetter,
    /// A call takes so long that the invocation's lease lapses and its messages are delivered to others; then it goes on.
    PastDeadline,
    /// A message expires before anybody receives it: only reconciliation finds what it was about.
    Expiry,
    /// A landed object or a patient is withdrawn, in the middle and at the end.
    Withdrawal,
    /// A compaction begins, while handlers are at work.
    Compaction,
    /// The scheduled reconciliation notifies the stages of what they lack, while handlers are at work or after it.
    Reconciliation,
}

/// What kind of call waits: it decides what can go wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Put,
    ConditionalPut,
    Ledger,
}

impl Call {
    /// What can go wrong with such a call.
    pub(crate) fn faults(self) -> &'static [Injected] {
        use Injected::{
            ConditionAfterSuccess, Conflict, Crash, CrashAfter, LostReply, PastDeadline, Stall, Unavailable,
        };
        match self {
            Call::Read => &[Unavailable, Crash, Stall, PastDeadline],
            Call::Put => &[Unavailable, LostReply, Conflict, Crash, CrashAfter, Stall, PastDeadline],
            Call::ConditionalPut => {
                &[Unavailable, LostReply, Conflict, ConditionAfterSuccess, Crash, CrashAfter, Stall, PastDeadline]
            }
            Call::Ledger => &[Unavailable, LostReply, Crash, CrashAfter, Stall, PastDeadline],
        }
    }
}

/// A call that waits for its turn.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) handler: usize,
    pub(crate) call: Call,
    pub(crate) what: String,
    reply: oneshot::Sender<Option<Injected>>,
}

impl Waiting {
    /// Lets the call happen, with or without a fault.
    pub(crate) fn go(self, fault: Option<Injected>) {
        // A handler that has ended in the meantime needs no turn.
        let _ = self.reply.send(fault);
    }
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    running: BTreeSet<usize>,
    killed: BTreeSet<usize>,
    violations: Vec<String>,
}

/// Who waits, who runs, who was killed.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    state: Mutex<State>,
    changed: Notify,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handler begins.
    pub(crate) fn begin(&self, handler: usize) {
        self.state().running.insert(handler);
    }

    /// A handler has ended.
    pub(crate) fn end(&self, handler: usize) {
        let mut state = self.state();
        state.running.remove(&handler);
        state.waiting.retain(|waiting| waiting.handler != handler);
        drop(state);
        self.changed.notify_one();
    }

    /// Returns when every handler that runs waits for its turn.
    pub(crate) async fn all_wait(&self) {
        loop {
            let changed = self.changed.notified();
            let quiet = {
                let state = self.state();
                let waits = |handler: &usize| state.waiting.iter().any(|waiting| waiting.handler == *handler);
                state.running.iter().all(waits)
            };
            if quiet {
                return;
            }
            changed.await;
        }
    }

    /// How many handlers run.
    pub(crate) fn running(&self) -> usize {
        self.state().running.len()
    }

    /// The handlers that run.
    pub(crate) fn running_handlers(&self) -> Vec<usize> {
        self.state().running.iter().copied().collect()
    }

    /// Whether a handler runs.
    pub(crate) fn is_running(&self, handler: usize) -> bool {
        self.state().running.contains(&handler)
    }

    /// Kills a handler where it stands.
    pub(crate) fn kill(&self, handler: usize) {
        let mut state = self.state();
        state.killed.insert(handler);
        state.waiting.retain(|waiting| waiting.handler != handler);
    }

    /// The handlers that wait, in the order of their numbers.
    pub(crate) fn waiting(&self) -> Vec<usize> {
        let mut handlers: Vec<usize> = self.state().waiting.iter().map(|waiting| waiting.handler).collect();
        handlers.sort_unstable();
        handlers
    }

    /// Takes a handler's waiting call.
    pub(crate) fn take(&self, handler: usize) -> Option<Waiting> {
        let mut state = self.state();
        let place = state.waiting.iter().position(|waiting| waiting.handler == handler)?;
        Some(state.waiting.remove(place))
    }

    /// Leaves a call waiting after all.
    pub(crate) fn put_back(&self, waiting: Waiting) {
        self.state().waiting.push(waiting);
    }

    /// A law was broken.
    pub(crate) fn violate(&self, what: String) {
        self.state().violations.push(what);
    }

    /// The first law that was broken.
    pub(crate) fn violation(&self) -> Option<String> {
        self.state().violations.first().cloned()
    }

    fn gone(operation: &'static str, subject: &str) -> Error {
        Error::new(ErrorKind::Unavailable, operation, subject, "injected: the handler was killed")
    }

    /// Waits for the handler's turn; with a fault, if one is to happen.
    async fn turn(&self, handler: usize, call: Call, what: String) -> Option<Option<Injected>> {
        let turn = {
            let mut state = self.state();
            if state.killed.contains(&handler) {
                return None;
            }
            let (reply, turn) = oneshot::channel();
            state.waiting.push(Waiting { handler, call, what, reply });
            turn
        };
        self.changed.notify_one();
        turn.await.ok()
    }

    /// Makes a call when it is the handler's turn, with the fault that is due.
    pub(crate) async fn call<T: Send>(
        &self,
        handler: usize,
        call: Call,
        operation: &'static str,
        subject: &str,
        inner: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let broken = |kind, reason: &str| Err(Error::new(kind, operation, subject, reason));
        let Some(fault) = self.turn(handler, call, format!("{operation} {subject}")).await else {
            return Err(Self::gone(operation, subject));
        };
        match fault {
            Some(Injected::Unavailable) => broken(ErrorKind::Unavailable, "injected: the call did not arrive"),
            Some(Injected::Conflict) => broken(ErrorKind::Conflict, "injected: two writes met"),
            Some(Injected::LostReply) => {
                inner.await?;
                broken(ErrorKind::Unavailable, "injected: the reply was lost")
            }
            Some(Injected::ConditionAfterSuccess) => {
                inner.await?;
                broken(ErrorKind::Precondition, "injected: the put was repeated after its reply was lost")
            }
            Some(Injected::Crash) => {
                self.state().killed.insert(handler);
                Err(Self::gone(operation, subject))
            }
            Some(Injected::CrashAfter) => {
                let done = inner.await;
                self.state().killed.insert(handler);
                done.and(Err(Self::gone(operation, subject)))
            }
            _ => inner.await,
        }
    }
}

/// Ends a handler when it is dropped, also where it panics.
pub(crate) struct Ending<'a>(pub(crate) &'a Turns, pub(crate) usize);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

impl fmt::Debug for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ending({})", self.1)
    }
}
