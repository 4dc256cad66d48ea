//! Why a piece of work failed; its message is delivered again.

use std::error::Error as StdError;

use metriccare_lake::{bronze::FlattenError, settings::SettingsError, table_file::FileError};
use metriccare_ports::{Error, ErrorKind, store::object_id};

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
    /// An object of the lake cannot be read.
    #[error("{key}: {source}")]
    File {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        source: FileError,
    },
    /// A commit or a partial is not JSON of its kind.
    #[error("{key} cannot be read: {reason}")]
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
    /// The work was not begun: the batch is larger than what the invocation takes.
    #[error("the batch is too large for one invocation; the rest is delivered again")]
    Postponed,
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

    /// What failed in words in which the keys of objects are replaced by digests, for logs and the ledger: keys may hold
    /// personal data.
    pub fn without_keys(&self) -> String {
        match self {
            FlowError::Port(error) => format!("{:?}: {}", error.kind(), without(&error.to_string(), error.subject())),
            FlowError::Flatten { key, .. }
            | FlowError::File { key, .. }
            | FlowError::Document { key, .. }
            | FlowError::Panicked { key } => without(&self.to_string(), key),
            FlowError::Settings(_) | FlowError::NoTime(_) | FlowError::Postponed | FlowError::Other(_) => {
                self.to_string()
            }
        }
    }

    /// Whether a later attempt has taken the work over.
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, FlowError::Port(error) if error.kind() == ErrorKind::LeaseLost)
    }
}

/// A key as logs and the ledger may show it: different for different keys, and says nothing about them.
pub fn key_digest(key: &str) -> String {
    let mut digest = object_id(key, "", 0);
    digest.truncate(16);
    digest
}

/// A text in which a key is replaced by its digest.
fn without(text: &str, key: &str) -> String {
    if key.is_empty() { text.to_owned() } else { text.replace(key, &key_digest(key)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_differs_between_keys_and_hides_them() {
        let digest = key_digest("patient/Jane Doe.json");
        assert_eq!(digest.len(), 16);
        assert_ne!(digest, key_digest("patient/John Doe.json"));
    }

    #[test]
    fn the_words_for_logs_and_the_ledger_name_no_key() {
        let key = "patient/Jane Doe.json".to_owned();
        let port = Error::new(ErrorKind::Forbidden, "get", format!("landing/{key}"), "denied");
        let document = FlowError::Document { key: key.clone(), reason: "it is empty".to_owned() };
        for error in [FlowError::Port(port), document, FlowError::Panicked { key }] {
            assert!(error.to_string().contains("Jane"), "{error}");
            let words = error.without_keys();
            assert!(!words.contains("Jane") && !words.is_empty(), "{words}");
        }
    }
}
