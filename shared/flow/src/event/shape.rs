//! The shapes that an object event comes in, told apart by their own marks.

use metriccare_ports::ETag;
use serde::Deserialize;
use serde_json::Value;

use super::{DecodeError, Decoded, ObjectEvent, ObjectKey};

/// How many envelopes may lie around an event: SNS is one, and SNS around SNS is not sent.
const ENVELOPES: u32 = 2;

/// A record of a notification, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    bucket: Named,
    object: NotifiedObject,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotifiedObject {
    key: String,
    size: Option<u64>,
    e_tag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

/// The detail of an EventBridge event, as far as it matters.
#[derive(Deserialize)]
struct Detail {
    bucket: Named,
    object: BridgedObject,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BridgedObject {
    key: String,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

/// Decodes an event of any shape.
pub(super) fn decode(value: &Value) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    collect(value, ENVELOPES, &mut decoded)?;
    Ok(decoded)
}

fn collect(value: &Value, envelopes: u32, into: &mut Decoded) -> Result<(), DecodeError> {
    if let Some(records) = value.get("Records") {
        let records = records.as_array().ok_or(DecodeError::Field { place: "Records" })?;
        for record in records {
            if let Some(message) = record.pointer("/Sns/Message") {
                open(message, envelopes, into)?;
            } else if record.get("s3").is_some() {
                notified(record, into)?;
            } else {
                return Err(unknown(record));
            }
        }
        Ok(())
    } else if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        into.ignored += 1;
        Ok(())
    } else if is_event_bridge(value) {
        bridged(value, into)
    } else if value.get("Type").and_then(Value::as_str) == Some("Notification") {
        open(value.get("Message").unwrap_or(&Value::Null), envelopes, into)
    } else {
        Err(unknown(value))
    }
}

/// Whether a value is an event of EventBridge about an object of S3.
pub(super) fn is_event_bridge(value: &Value) -> bool {
    value.get("detail-type").is_some() && value.get("source").and_then(Value::as_str) == Some("aws.s3")
}

/// Opens an SNS envelope: its message is an event as text.
fn open(message: &Value, envelopes: u32, into: &mut Decoded) -> Result<(), DecodeError> {
    let text = message.as_str().filter(|_| envelopes > 0).ok_or(DecodeError::Field { place: "Message" })?;
    let inner: Value = serde_json::from_str(text).map_err(|error| DecodeError::not_json(&error))?;
    collect(&inner, envelopes - 1, into)
}

fn notified(record: &Value, into: &mut Decoded) -> Result<(), DecodeError> {
    let record = Record::deserialize(record).map_err(|_| DecodeError::Field { place: "Records[].s3" })?;
    // S3 leaves out the prefix, other servers of its protocol write it.
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if !name.starts_with("ObjectCreated:") {
        into.ignored += 1;
        return Ok(());
    }
    let object = record.s3.object;
    into.objects.push(ObjectEvent {
        bucket: record.s3.bucket.name,
        key: ObjectKey::from_notification(&object.key)?,
        size: object.size,
        etag: object.e_tag.map(ETag::new),
        version: object.version_id,
        sequencer: object.sequencer,
        event_name: name.to_owned(),
    });
    Ok(())
}

fn bridged(value: &Value, into: &mut Decoded) -> Result<(), DecodeError> {
    let name = value["detail-type"].as_str().ok_or(DecodeError::Field { place: "detail-type" })?;
    if name != "Object Created" {
        into.ignored += 1;
        return Ok(());
    }
    let detail = Detail::deserialize(&value["detail"]).map_err(|_| DecodeError::Field { place: "detail" })?;
    into.objects.push(ObjectEvent {
        bucket: detail.bucket.name,
        key: ObjectKey::from_event_bridge(&detail.object.key),
        size: detail.object.size,
        etag: detail.object.etag.map(ETag::new),
        version: detail.object.version_id,
        sequencer: detail.object.sequencer,
        event_name: name.to_owned(),
    });
    Ok(())
}

/// Names the fields of what is no event, never their values.
fn unknown(value: &Value) -> DecodeError {
    const MOST: usize = 8;
    let has = match value {
        Value::Object(fields) if fields.is_empty() => "no fields".to_owned(),
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().take(MOST).map(|name| name.chars().take(40).collect()).collect();
            format!("the fields {}", names.join(", "))
        }
        Value::Array(_) => "a list".to_owned(),
        Value::String(_) => "only text".to_owned(),
        Value::Number(_) => "only a number".to_owned(),
        Value::Bool(_) | Value::Null => "no content".to_owned(),
    };
    DecodeError::Unknown { has }
}
