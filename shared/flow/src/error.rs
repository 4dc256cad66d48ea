//! Why a piece of work failed; its message is delivered again.

use std::error::Error as StdError;

use metriccare_lake::{bronze::FlattenError, settings::SettingsError, table_file::FileError};
use metriccare_ports::{Error, ErrorKind};

/// Why a piece of work failed; its message is delivered again.
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
    /// A commit or a partial is not JSON of its kind.
    #[error("{key} is not what it should be: {reason}")]
    Document {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The lake's settings cannot be read, or do not allow what was to be done.
    #[error("_lake.json: {0}")]
    Settings(#[from] SettingsError),
    /// The work panicked; the panic hook logged where.
    #[error("the work on {key} panicked")]
    Panicked {
        /// The object that was worked on.
        key: String,
    },
    /// The work ended before it was done, because the invocation has no time for the rest.
    #[error("{0}")]
    NoTime(String),
    /// Work of a function outside this crate failed.
    #[error("{0}")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
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

    /// Whether a later attempt has taken the work over.
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, FlowError::Port(error) if error.kind() == ErrorKind::LeaseLost)
    }
}
