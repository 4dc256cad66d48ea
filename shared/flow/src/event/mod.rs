//! Events, from the JSON that a cloud sends to the objects that were created, and back for tests that play the cloud.
//!
//! An event may arrive bare, in an SQS message, in an SNS envelope inside that, or from EventBridge. Only the few
//! fields that matter are read, so a new field never breaks anything. Every message is decoded by itself: a broken one
//! is an error of its own, never of its batch. Errors quote no event, because keys may hold personal data.

use serde_json::Value;

mod invocation;
mod key;
mod response;
mod shape;
mod write;

pub use invocation::{Invocation, SqsMessage};
pub use response::BatchResponse;
pub use write::{notification, notification_of, sqs_batch};

/// An object was created, or a new version of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectEvent {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// The version that was created, where the bucket keeps versions and the event names it.
    pub version: Option<String>,
}

impl ObjectEvent {
    /// The event of an object of a bucket, whichever version of it there is.
    pub fn created(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        ObjectEvent { bucket: bucket.into(), key: key.into(), version: None }
    }
}

/// Why a message cannot be decoded. The same bytes cannot be decoded later either: the queue moves it to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The message is no JSON.
    #[error("the message is not JSON, at line {line}, column {column}")]
    NotJson {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// The JSON is not an event that this system knows.
    #[error("the message is JSON but no object event: it has {has}")]
    Unknown {
        /// The names of its fields, or its type.
        has: String,
    },
    /// A field is missing or of the wrong type.
    #[error("{place} is missing or has a type that this kind of event does not have")]
    Field {
        /// The field's path.
        place: &'static str,
    },
    /// The key is not UTF-8 after decoding.
    #[error("the object's key is not UTF-8 after percent-decoding")]
    Key,
    /// It is an event, but not one of this function's.
    #[error("{takes}, not {got}")]
    NotForFunction {
        /// What the function takes.
        takes: &'static str,
        /// What came.
        got: &'static str,
    },
    /// The job in it asks for what cannot be.
    #[error("{0}")]
    Job(String),
}

impl DecodeError {
    fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { line: error.line(), column: error.column() }
    }
}

/// Decodes one message about objects: the body of an SQS message, or an event that came bare. The objects stand in the
/// message's order; removals, restores and the test that S3 sends when notifications are set up name none.
///
/// ```
/// use metriccare_flow::event::decode;
///
/// let body = br#"{"Records": [{"eventName": "ObjectCreated:Put",
///     "s3": {"bucket": {"name": "landing"}, "object": {"key": "patient/a+b%2B.json"}}}]}"#;
/// assert_eq!(decode(body)?[0].key, "patient/a b+.json");
/// # Ok::<(), metriccare_flow::event::DecodeError>(())
/// ```
pub fn decode(body: &[u8]) -> Result<Vec<ObjectEvent>, DecodeError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| DecodeError::not_json(&error))?;
    shape::decode(&value)
}

#[cfg(test)]
mod tests;
