//! The shapes that an object event comes in, recognised by their own fields.
//!
//! Events about objects are read by small structs of our own. Those of `aws_lambda_events` require fields of a record that
//! other servers of S3's protocol leave out, such as `eventTime` and `userIdentity`, and decode no key; and they turn on
//! chrono's clock for the whole workspace.

use serde::Deserialize;
use serde_json::Value;

use super::{DecodeError, ObjectEvent, key};

/// How many envelopes may lie around an event: SNS is one, and SNS around SNS is not sent.
const ENVELOPES: u32 = 2;

/// A record of a notification, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    s3: Located,
}

/// The bucket and the object, as a record of S3 and the detail of an EventBridge event have them.
#[derive(Deserialize)]
struct Located {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    /// As S3 notifies it, or as EventBridge does.
    #[serde(rename = "versionId", alias = "version-id")]
    version: Option<String>,
}

/// Decodes an event of any shape into the objects that it names, in its order.
pub(super) fn decode(value: &Value) -> Result<Vec<ObjectEvent>, DecodeError> {
    let mut objects = Vec::new();
    collect(value, ENVELOPES, &mut objects)?;
    Ok(objects)
}

fn collect(value: &Value, envelopes: u32, into: &mut Vec<ObjectEvent>) -> Result<(), DecodeError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(records) = value.get("Records") {
        let records = records.as_array().ok_or(DecodeError::Field { place: "Records" })?;
        for record in records {
            if let Some(message) = record.pointer("/Sns/Message") {
                open_envelope(message, envelopes, into)?;
            } else if record.get("s3").is_some() {
                notified(record, into)?;
            } else {
                return Err(unknown(record));
            }
        }
        Ok(())
    } else if text("Event") == Some("s3:TestEvent") {
        Ok(())
    } else if value.get("detail-type").is_some() && text("source") == Some("aws.s3") {
        bridged(value, into)
    } else if text("Type") == Some("Notification") {
        open_envelope(value.get("Message").unwrap_or(&Value::Null), envelopes, into)
    } else {
        Err(unknown(value))
    }
}

/// Opens an SNS envelope: its message is an event as text.
fn open_envelope(message: &Value, envelopes: u32, into: &mut Vec<ObjectEvent>) -> Result<(), DecodeError> {
    let text = message.as_str().filter(|_| envelopes > 0).ok_or(DecodeError::Field { place: "Message" })?;
    let inner: Value = serde_json::from_str(text).map_err(|error| DecodeError::not_json(&error))?;
    collect(&inner, envelopes - 1, into)
}

fn notified(record: &Value, into: &mut Vec<ObjectEvent>) -> Result<(), DecodeError> {
    let record = Record::deserialize(record).map_err(|_| DecodeError::Field { place: "Records[].s3" })?;
    // S3 leaves out the prefix, other servers of its protocol write it.
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if name.starts_with("ObjectCreated:") {
        let Located { bucket, object } = record.s3;
        into.push(ObjectEvent { bucket: bucket.name, key: key::decode(&object.key)?, version: named(object.version) });
    }
    Ok(())
}

fn bridged(value: &Value, into: &mut Vec<ObjectEvent>) -> Result<(), DecodeError> {
    let name = value["detail-type"].as_str().ok_or(DecodeError::Field { place: "detail-type" })?;
    if name == "Object Created" {
        let Located { bucket, object } =
            Located::deserialize(&value["detail"]).map_err(|_| DecodeError::Field { place: "detail" })?;
        into.push(ObjectEvent { bucket: bucket.name, key: object.key, version: named(object.version) });
    }
    Ok(())
}

/// The version of a bucket that keeps versions; S3 calls that of a bucket without them `null`.
fn named(version: Option<String>) -> Option<String> {
    version.filter(|version| !version.is_empty() && version != "null")
}

/// Names of fields that events, envelopes, jobs and resources have: they say what kind of message came.
const KNOWN_FIELDS: [&str; 22] = [
    "Event",
    "Message",
    "Records",
    "Service",
    "Subject",
    "TopicArn",
    "Type",
    "account",
    "body",
    "day",
    "detail",
    "detail-type",
    "entry",
    "id",
    "patients",
    "region",
    "resourceType",
    "resources",
    "source",
    "time",
    "type",
    "version",
];

/// Describes what is not an event by the known fields that it has. Another field's name is only counted, because it may be
/// personal, and a value is never quoted.
fn unknown(value: &Value) -> DecodeError {
    let has = match value {
        Value::Object(fields) if fields.is_empty() => "no fields".to_owned(),
        Value::Object(fields) => {
            let (known, others): (Vec<_>, Vec<_>) =
                fields.keys().map(String::as_str).partition(|name| KNOWN_FIELDS.contains(name));
            match (known.join(", "), others.len()) {
                (known, 0) => format!("the fields {known}"),
                (known, others) if known.is_empty() => format!("no field of an event, and {others} besides"),
                (known, others) => format!("the fields {known} and {others} more"),
            }
        }
        Value::Array(_) => "a list".to_owned(),
        Value::String(_) => "only text".to_owned(),
        Value::Number(_) => "only a number".to_owned(),
        Value::Bool(_) | Value::Null => "no content".to_owned(),
    };
    DecodeError::Unknown { has }
}
