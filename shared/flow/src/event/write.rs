//! Events as a cloud writes them, with all its fields: for tests that play the cloud, and for notifications that are sent again.

use chrono::{DateTime, SecondsFormat};
use metriccare_ports::{ETag, Message, ObjectMeta};
use serde_json::{Value, json};

use super::key;

/// An account that does not exist.
const ACCOUNT: &str = "123456789012";

const REGION: &str = "us-east-1";

/// The notification that S3 sends when an object has been put, with its key encoded; the time in microseconds.
///
/// ```
/// use metriccare_flow::event::{decode, notification};
/// use metriccare_ports::ETag;
///
/// let event = notification("landing", "encounter/a b.json", 12, &ETag::new("e"), 1_735_689_600_000_000);
/// assert!(event.contains(r#""key":"encounter/a+b.json""#));
/// assert_eq!(decode(event.as_bytes())?[0].key, "encounter/a b.json");
/// # Ok::<(), metriccare_flow::event::DecodeError>(())
/// ```
pub fn notification(bucket: &str, key: &str, size: u64, etag: &ETag, micros: i64) -> String {
    let (key, etag) = (key.to_owned(), etag.clone());
    notification_of(bucket, &ObjectMeta { key, size, etag, version: None, last_modified_micros: micros })
}

/// The notification that S3 sends when this object, or this version of it, has been put.
pub fn notification_of(bucket: &str, meta: &ObjectMeta) -> String {
    let ObjectMeta { key, size, etag, version, last_modified_micros: micros } = meta;
    let mut object = json!({
        "key": key::encode(key),
        "size": size,
        "eTag": etag.as_str(),
        "sequencer": format!("{micros:016X}"),
    });
    if let Some(version) = version {
        object["versionId"] = version.as_str().into();
    }
    let micros = *micros;
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": time.to_rfc3339_opts(SecondsFormat::Millis, true),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "LOCAL", "x-amz-id-2": "LOCAL"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "EXAMPLE"},
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": object,
        },
    }]})
    .to_string()
}

/// The batch that Lambda makes of messages it received from a queue; the time of sending in milliseconds.
pub fn sqs_batch(queue: &str, messages: &[Message], sent_millis: i64) -> Value {
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": {
                    "ApproximateReceiveCount": message.receive_count.to_string(),
                    "SentTimestamp": sent_millis.to_string(),
                    "SenderId": "AIDAEXAMPLE",
                    "ApproximateFirstReceiveTimestamp": sent_millis.to_string(),
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
                "awsRegion": REGION,
            })
        })
        .collect();
    json!({ "Records": records })
}
