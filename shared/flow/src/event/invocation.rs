//! What a Lambda is invoked with, told apart by its shape, so that one function takes a queue, a bare event, a schedule
//! or a job that a person sends.

use serde::Deserialize;
use serde_json::Value;

use super::{DecodeError, Decoded, shape};

/// What a function is invoked with.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Messages of a queue. Their bodies are not looked at yet: each is decoded by itself.
    Sqs(Vec<SqsMessage>),
    /// Object events that came bare from S3, EventBridge or SNS.
    Objects(Decoded),
    /// A schedule fired.
    Schedule {
        /// The schedule's own time, as RFC 3339 text. A repeated event repeats it.
        time: String,
    },
    /// A job, as a person or another function writes it.
    Spec(Value),
}

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqsMessage {
    /// What a failure is reported under.
    pub message_id: String,
    /// What was sent.
    pub body: String,
    /// How often the message was delivered, this time included; 1 where nobody says.
    pub receive_count: u32,
    /// Names this delivery, for whoever wants the message back sooner or later than its queue would give it.
    pub receipt: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SqsRecord {
    message_id: String,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    receipt_handle: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: Option<String>,
}

impl Invocation {
    /// Reads an invocation's payload.
    pub fn from_slice(payload: &[u8]) -> Result<Self, DecodeError> {
        let value = serde_json::from_slice(payload).map_err(|error| DecodeError::not_json(&error))?;
        Self::from_value(value)
    }

    /// Reads an invocation's payload that is JSON already.
    pub fn from_value(payload: Value) -> Result<Self, DecodeError> {
        if let Some(messages) = sqs_messages(&payload)? {
            return Ok(Self::Sqs(messages));
        }
        if let Some(time) = scheduled(&payload)? {
            return Ok(Self::Schedule { time });
        }
        match shape::decode(&payload) {
            Ok(decoded) => Ok(Self::Objects(decoded)),
            // Fields that no event has are a job's; its own reader says what is wrong with them.
            Err(DecodeError::Unknown { .. }) if payload.is_object() && payload.get("Records").is_none() => {
                Ok(Self::Spec(payload))
            }
            Err(error) => Err(error),
        }
    }
}

/// The messages, if the payload is a batch of a queue. An empty batch is one too.
fn sqs_messages(payload: &Value) -> Result<Option<Vec<SqsMessage>>, DecodeError> {
    let Some(records) = payload.get("Records").and_then(Value::as_array) else { return Ok(None) };
    let of_a_queue = |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    if !records.iter().all(of_a_queue) {
        return Ok(None);
    }
    records.iter().map(sqs_message).collect::<Result<Vec<_>, _>>().map(Some)
}

fn sqs_message(record: &Value) -> Result<SqsMessage, DecodeError> {
    let record = SqsRecord::deserialize(record).map_err(|_| DecodeError::Field { place: "Records[].messageId" })?;
    if record.message_id.is_empty() {
        // Reported under an empty id, one failure would fail the whole batch.
        return Err(DecodeError::Field { place: "Records[].messageId" });
    }
    let body = match record.body {
        Value::String(body) => body,
        Value::Null => String::new(),
        // Written by hand: the body as JSON instead of JSON as text.
        other => other.to_string(),
    };
    let receive_count = record.attributes.approximate_receive_count.and_then(|count| count.parse().ok()).unwrap_or(1);
    Ok(SqsMessage { message_id: record.message_id, body, receive_count, receipt: record.receipt_handle })
}

/// The time, if the payload is a schedule's: of an EventBridge rule or of the EventBridge Scheduler.
fn scheduled(payload: &Value) -> Result<Option<String>, DecodeError> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let fired = matches!(text("source"), Some("aws.events" | "aws.scheduler"));
    if !fired || text("detail-type") != Some("Scheduled Event") {
        return Ok(None);
    }
    let time = text("time").ok_or(DecodeError::Field { place: "time" })?;
    Ok(Some(time.to_owned()))
}
