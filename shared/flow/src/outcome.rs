//! What became of one message: a value, so that one bad message never decides over its batch.

use std::sync::Arc;

use metriccare_lake::{bronze::FlattenError, table_file::FileError};
use metriccare_ports::{Error, ErrorKind, Receipt};

/// What became of a piece of work that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done now.
    Done(Receipt),
    /// It had been done before.
    AlreadyDone(Receipt),
    /// It was given up for good before, with the reason.
    Rejected(String),
    /// The object is not there any more: there is nothing to do.
    Gone,
    /// The message is none of this stage's business.
    Ignored(&'static str),
    /// Somebody else is at it until then: the message has to come again.
    Busy {
        /// When the other's lease ends, in milliseconds since 1970.
        until_millis: i64,
    },
}

impl Outcome {
    /// One word for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Done(_) => "done",
            Outcome::AlreadyDone(_) => "already-done",
            Outcome::Rejected(_) => "rejected",
            Outcome::Gone => "gone",
            Outcome::Ignored(_) => "ignored",
            Outcome::Busy { .. } => "busy",
        }
    }
}

/// Why a piece of work failed; the message comes again.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] Error),
    /// A landed object could not be flattened.
    #[error("flattening {key}: {source}")]
    Flatten {
        /// The landed object's key.
        key: String,
        /// What failed.
        source: FlattenError,
    },
    /// An object of the lake is not what it should be.
    #[error("{key}: {source}")]
    File {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        source: FileError,
    },
    /// A commit or a partial is no JSON of its kind.
    #[error("{key} is not what it should be: {reason}")]
    Document {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The work was done together with others, and failed for all of them.
    #[error("the batch failed: {0}")]
    Batch(Arc<FlowError>),
    /// The work panicked; the panic's message was logged by the panic hook.
    #[error("the work on {key} panicked")]
    Panicked {
        /// The object that was worked on.
        key: String,
    },
}

impl FlowError {
    /// Whether the work met another writer or lost a reply, and has to start again from its reads.
    pub(crate) fn starts_again(&self) -> bool {
        match self {
            FlowError::Port(error) => {
                matches!(error.kind(), ErrorKind::Precondition | ErrorKind::Conflict | ErrorKind::Unavailable)
            }
            _ => false,
        }
    }
}
