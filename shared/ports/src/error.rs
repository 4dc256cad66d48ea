//! One error for all ports, classified by what the caller should do about it.
//!
//! An adapter converts its own technology's errors once, at its border. The kind decides: wait and retry, read again,
//! give the work up, or ask a person. The text names the operation, the subject and the reason, in that order.

use std::{fmt, sync::Arc};

/// The result of a port's operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, by what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing is there.
    NotFound,
    /// A condition did not hold (HTTP 412): the object exists already, or is no longer the one that was read. Read again.
    Precondition,
    /// Two writes met and neither was judged (HTTP 409): the same write may be tried again.
    Conflict,
    /// The claim belongs to a later attempt: stop, another attempt has the work.
    LeaseLost,
    /// Permission is missing; trying again does not help.
    Forbidden,
    /// No space is left.
    Full,
    /// Another process holds what only one may hold.
    Held,
    /// Out of reach for now. A write that ends so may or may not have happened.
    Unavailable,
    /// The request can never succeed as it is.
    Invalid,
}

/// A failed operation: its kind, what was tried on what, and why it failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation} {subject}: {reason}")]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    subject: String,
    reason: String,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error without a cause of its own.
    pub fn new(
        kind: ErrorKind,
        operation: &'static str,
        subject: impl fmt::Display,
        reason: impl fmt::Display,
    ) -> Self {
        Self { kind, operation, subject: subject.to_string(), reason: reason.to_string(), source: None }
    }

    /// Keeps the underlying error, for `source()`.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What went wrong, by what to do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was operated on: a bucket and key, a work, a path.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the same operation may succeed when it is tried again later, unchanged.
    pub fn retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Conflict | ErrorKind::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_says_what_where_and_why_and_keeps_its_cause() {
        let error = Error::new(ErrorKind::Forbidden, "put", "lake/a", "permission denied")
            .with_source(std::io::Error::other("cause"));
        assert_eq!(error.to_string(), "put lake/a: permission denied");
        assert_eq!(error.source().expect("kept").to_string(), "cause");
        assert!(!error.retryable());
        assert!(Error::new(ErrorKind::Conflict, "put", "lake/a", "busy").retryable());
    }
}
