//! Events, from the JSON that a cloud sends to the objects that have come, and back for a laptop that plays the cloud.
//!
//! An event may arrive bare, in an SQS message, in an SNS envelope inside that, or from EventBridge. Only the few
//! fields that matter are read, so a new field never breaks anything. Every message is decoded by itself: a broken one
//! is an error of its own, never of its batch. Errors quote no event, because keys may hold personal data.

use metriccare_ports::ETag;
use serde_json::Value;

mod batch;
mod invocation;
mod key;
mod shape;
mod write;

pub use batch::BatchResponse;
pub use invocation::{Invocation, SqsMessage};
pub use key::ObjectKey;
pub use write::{notification, sqs_batch};

/// An object has come, or a new version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: ObjectKey,
    /// Its size in bytes, where the event says it.
    pub size: Option<u64>,
    /// Its ETag, where the event says it.
    pub etag: Option<ETag>,
    /// Its version, where the bucket keeps versions.
    pub version: Option<String>,
    /// Orders the events of one key: padded on the right with zeros, they compare as text.
    pub sequencer: Option<String>,
    /// What the cloud calls it: `ObjectCreated:Put`, `Object Created`.
    pub event_name: String,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// The objects that have come, in the message's order.
    pub objects: Vec<ObjectEvent>,
    /// How many events were none of ours: removals, restores, the test that S3 sends when notifications are set up.
    pub ignored: usize,
}

/// Why a message cannot be understood. It will not be understood later either: it belongs to the dead letters.
#[derive(Debug, thiserror::Error)]
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
    /// The JSON is no event that this system knows.
    #[error("the message is JSON but no object event: it has {has}")]
    Unknown {
        /// The names of its fields, or its type.
        has: String,
    },
    /// A field is missing or of the wrong type.
    #[error("{place} is not as the event's kind has it")]
    Field {
        /// The field's path.
        place: &'static str,
    },
    /// The key is not UTF-8 after decoding.
    #[error("the object's key is not UTF-8 after percent-decoding")]
    Key,
}

impl DecodeError {
    /// Never: the same bytes are not understood later either.
    pub fn retryable(&self) -> bool {
        false
    }

    fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { line: error.line(), column: error.column() }
    }
}

/// Decodes one message: the body of an SQS message, or an event that came bare.
///
/// ```
/// use metriccare_flow::event::decode;
///
/// let body = br#"{"Records": [{"eventName": "ObjectCreated:Put",
///     "s3": {"bucket": {"name": "landing"}, "object": {"key": "patient/a+b%2B.json"}}}]}"#;
/// let decoded = decode(body)?;
/// assert_eq!(decoded.objects[0].key.as_str(), "patient/a b+.json");
/// # Ok::<(), metriccare_flow::event::DecodeError>(())
/// ```
pub fn decode(body: &[u8]) -> Result<Decoded, DecodeError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| DecodeError::not_json(&error))?;
    shape::decode(&value)
}

#[cfg(test)]
mod tests;
