//! What comes back for a message: one shape from the work to the log, the metrics and the queue's answer.

use std::sync::Arc;

use metriccare_ports::Receipt;

use crate::{
    error::{FlowError, key_digest},
    event::DecodeError,
};

/// How a message was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The queue's id of the message; none for a bare event, which came without a queue.
    pub message_id: Option<String>,
    /// Names this delivery to the queue; none for a bare event.
    pub receipt: Option<String>,
    /// How often the queue has delivered the message, this time included.
    pub receives: u32,
}

impl Delivery {
    /// The delivery of an event that came without a queue.
    pub const BARE: Delivery = Delivery { message_id: None, receipt: None, receives: 1 };
}

/// A message and its result.
#[derive(Debug, Clone)]
pub struct Report<T> {
    /// How the message was delivered.
    pub delivery: Delivery,
    /// The outcome of every item that it named, or why it has to be delivered again.
    pub result: MessageResult<T>,
}

/// The outcomes of a message's items, each with the item's name, or why the message has to be delivered again.
pub type MessageResult<T> = Result<Vec<(String, Outcome<T>)>, RetryReason>;

/// The outcome of one item, or why its message has to be delivered again.
pub type ItemResult<T> = Result<Outcome<T>, RetryReason>;

/// The outcome of an item that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It was done now.
    Done(Done<T>),
    /// It had been done before.
    AlreadyDone(Done<T>),
    /// It was given up for good before, with the reason.
    Rejected(String),
    /// The object does not exist any more: there is nothing to do.
    Gone,
    /// The object was withdrawn from the lake and stays out.
    Withdrawn,
    /// It is not this function's business, with the reason.
    Ignored(&'static str),
}

/// A finished work: its receipt in the ledger, and what it made, with its counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done<T> {
    /// What the ledger keeps of it.
    pub receipt: Receipt,
    /// What it made, with its counts.
    pub output: T,
}

impl<T> Outcome<T> {
    /// One word for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Done(_) => "done",
            Outcome::AlreadyDone(_) => "already-done",
            Outcome::Rejected(_) => "rejected",
            Outcome::Gone => "gone",
            Outcome::Withdrawn => "withdrawn",
            Outcome::Ignored(_) => "ignored",
        }
    }
}

/// Why a message has to be delivered again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RetryReason {
    /// It is not an event of this function. The queue moves it to the dead letters in the end, where its payload survives.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// Another worker holds its work.
    #[error("another worker holds the lease until {until_millis} ms since 1970")]
    Busy {
        /// When the other's lease ends, in milliseconds since 1970.
        until_millis: i64,
    },
    /// Its work failed.
    #[error("{key}: {error}")]
    Failed {
        /// The item that was worked on.
        key: String,
        /// What failed; shared by all items that were worked on together.
        error: Arc<FlowError>,
    },
    /// Its work panicked; the panic hook logged where.
    #[error("the work panicked")]
    Panicked,
    /// The invocation ends before its work could.
    #[error("no time is left")]
    NoTime,
}

impl RetryReason {
    /// The reason in words in which the keys of objects are replaced by digests, for logs and for whoever invoked the function.
    pub fn without_keys(&self) -> String {
        match self {
            RetryReason::Failed { key, error } => format!("{}: {}", key_digest(key), error.without_keys()),
            other => other.to_string(),
        }
    }

    /// Whether the message only waits for its turn: its batch was too large for one invocation.
    pub fn is_postponed(&self) -> bool {
        matches!(self, RetryReason::Failed { error, .. } if matches!(**error, FlowError::Postponed))
    }

    /// Whether the work was tried and failed, so that what it needs may be out of reach for long. Otherwise another worker
    /// holds it, or there was no time for it, and it can be tried again soon.
    pub fn was_tried(&self) -> bool {
        match self {
            RetryReason::Busy { .. } | RetryReason::NoTime => false,
            RetryReason::Failed { error, .. } => !matches!(**error, FlowError::NoTime(_) | FlowError::Postponed),
            RetryReason::Undecodable(_) | RetryReason::Panicked => true,
        }
    }
}
