//! What a Lambda is invoked with, recognised by its shape, so that one function takes a queue, a bare event, a schedule
//! or a job that a person sends.

use aws_lambda_events::sqs;
use serde::Deserialize;
use serde_json::Value;

use super::{DecodeError, ObjectEvent, shape};
use crate::report::Delivery;

/// What a function is invoked with.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Messages of a queue. Their bodies are not decoded yet: each is decoded by itself.
    Sqs(Vec<SqsMessage>),
    /// Object events of S3, EventBridge or SNS.
    Objects(Vec<ObjectEvent>),
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
    /// How it was delivered.
    pub delivery: Delivery,
    /// What was sent.
    pub body: String,
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
            Ok(objects) => Ok(Self::Objects(objects)),
            // Fields that no event has are a job's; its own reader says what is wrong with them.
            Err(DecodeError::Unknown { .. }) if payload.is_object() && payload.get("Records").is_none() => {
                Ok(Self::Spec(payload))
            }
            Err(error) => Err(error),
        }
    }

    /// The objects of an event for a stage.
    ///
    /// # Errors
    /// An event that is not about objects.
    pub fn into_objects(self) -> Result<Vec<ObjectEvent>, DecodeError> {
        let got = match self {
            Self::Objects(objects) => return Ok(objects),
            other => other.kind(),
        };
        Err(DecodeError::NotForFunction { takes: "a stage takes object events, bare or in a queue's messages", got })
    }

    /// The objects of an event for a stage that reads an object as it is now: of a commit only its present version counts.
    ///
    /// # Errors
    /// An event that is not about objects.
    pub fn into_present_objects(self) -> Result<Vec<ObjectEvent>, DecodeError> {
        Ok(self.into_objects()?.into_iter().map(|object| ObjectEvent { version: None, ..object }).collect())
    }

    /// What errors call an event that the function does not take.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqs(_) => "a batch inside a message",
            Self::Objects(_) => "an object's event",
            Self::Schedule { .. } => "a schedule",
            Self::Spec(_) => "a job",
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
    let mut record = record.clone();
    // Written by hand: the body as JSON instead of JSON as text.
    if let Some(body) = record.get_mut("body").filter(|body| !body.is_string() && !body.is_null()) {
        *body = body.to_string().into();
    }
    let place = "Records[].messageId";
    let message = sqs::SqsMessage::deserialize(record).map_err(|_| DecodeError::Field { place })?;
    // Reported under an empty id, one failure would fail the whole batch.
    let message_id = message.message_id.filter(|id| !id.is_empty()).ok_or(DecodeError::Field { place })?;
    let receives = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1);
    let delivery = Delivery { message_id: Some(message_id), receipt: message.receipt_handle, receives };
    Ok(SqsMessage { delivery, body: message.body.unwrap_or_default() })
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
