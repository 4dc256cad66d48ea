use std::{fs, path::Path};

use metriccare_ports::{ETag, Message};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::report::Delivery;

/// A sample event of the repository.
fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn invocation(name: &str) -> Invocation {
    Invocation::from_slice(&sample(name)).expect(name)
}

fn objects(name: &str) -> Vec<ObjectEvent> {
    match invocation(name) {
        Invocation::Objects(objects) => objects,
        other => panic!("{name} is not a bare object event: {other:?}"),
    }
}

#[test]
fn every_sample_is_an_invocation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder of events") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        if name.ends_with(".json") {
            invocation(&name);
            count += 1;
        }
    }
    assert!(count >= 7);
}

#[test]
fn a_bare_put_names_its_object() {
    let bucket = "metriccare-landing-123456789012-us-east-1";
    let version = Some("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e".to_owned());
    let key = "encounter/2025/01/31/encounters-0001.ndjson";
    assert_eq!(objects("s3-put.json"), [ObjectEvent { version: version.clone(), ..ObjectEvent::created(bucket, key) }]);
    assert_eq!(objects("eventbridge-object-created.json")[0].version, version);
    let unversioned = json!({"Records": [{"eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "k", "versionId": "null"}}}]});
    assert_eq!(shape::decode(&unversioned).expect("decoded")[0].version, None);
}

#[test]
fn an_odd_key_is_decoded_whole() {
    let events = objects("s3-put-odd-key.json");
    assert_eq!(events[0].key, "bronze/hospital_name=Größe + Söhne 100%/a b%2F日本.json");
}

#[test]
fn event_bridge_keys_are_as_they_are() {
    let events = objects("eventbridge-object-created.json");
    assert_eq!(events[0].key, "patient/2025/01/31/a b+c%2F.json");
}

#[test]
fn the_test_event_is_understood_and_empty() {
    assert_eq!(invocation("s3-test-event.json"), Invocation::Objects(vec![]));
}

#[test]
fn a_schedule_has_its_own_time() {
    assert_eq!(invocation("schedule.json"), Invocation::Schedule { time: "2025-01-31T02:00:00Z".to_owned() });
    let scheduler = json!({"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "time": "2025-01-31T02:00:00Z", "region": "us-east-1", "resources": [], "detail": "{}"});
    assert_eq!(Invocation::from_value(scheduler).expect("read"), invocation("schedule.json"));
}

#[test]
fn one_bad_message_never_fails_its_batch() {
    let Invocation::Sqs(messages) = invocation("sqs-batch-mixed.json") else { panic!("a batch") };
    assert_eq!(messages.len(), 4);
    let decoded: Vec<_> = messages.iter().map(|message| decode(message.body.as_bytes())).collect();
    assert_eq!(decoded[0].as_ref().expect("a put").len(), 1);
    assert_eq!(decoded[1].as_ref().expect("a test event"), &[]);
    assert!(matches!(decoded[2], Err(DecodeError::NotJson { .. })));
    assert_eq!(decoded[3].as_ref().expect("two records and a removal").len(), 2);
    assert_eq!(messages[3].delivery.receives, 2);

    let mut failed = BatchResponse::default();
    let id = messages[2].delivery.message_id.clone().expect("an id");
    failed.fail(id.clone());
    let json = failed.to_value().to_string();
    assert_eq!(json, format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{id}"}}]}}"#));
}

#[test]
fn a_shard_message_is_left_to_its_reader() {
    let Invocation::Sqs(messages) = invocation("shard-message.json") else { panic!("a batch") };
    let Invocation::Spec(spec) = Invocation::from_slice(messages[0].body.as_bytes()).expect("json") else {
        panic!("a job")
    };
    assert_eq!(spec["shard"], "3/16");
}

#[test]
fn nothing_failed_is_an_empty_list() {
    assert_eq!(BatchResponse::default().to_value().to_string(), r#"{"batchItemFailures":[]}"#);
    let mut twice = BatchResponse::default();
    twice.fail("a");
    twice.fail("a");
    assert_eq!(twice.failed().collect::<Vec<_>>(), ["a"]);
}

/// Why records of S3 have a reader of our own: the struct of `aws_lambda_events` requires `eventTime`, `userIdentity` and
/// `requestParameters`, which other servers of S3's protocol leave out, and so do people who write an event by hand.
#[test]
fn a_record_with_the_least_fields_is_read_and_its_key_decoded() {
    let record = json!({"Records": [{"eventName": "s3:ObjectCreated:Put",
        "s3": {"bucket": {"name": "landing"}, "object": {"key": "a+b%2B"}}}]});
    assert_eq!(shape::decode(&record).expect("decoded"), [ObjectEvent::created("landing", "a b+")]);
}

#[test]
fn an_sns_envelope_is_opened_in_a_message_and_in_an_invocation() {
    let event = notification("landing", "a b", 1, &ETag::new("e"), 0);
    let body =
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:landed", "Message": event});
    assert_eq!(decode(body.to_string().as_bytes()).expect("decoded")[0].key, "a b");
    let bare = json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": body}]});
    let Invocation::Objects(objects) = Invocation::from_value(bare).expect("read") else { panic!("objects") };
    assert_eq!(objects.len(), 1);

    let mut nested = event;
    for _ in 0..5 {
        nested = json!({"Type": "Notification", "Message": nested}).to_string();
    }
    assert!(matches!(decode(nested.as_bytes()), Err(DecodeError::Field { place: "Message" })));
}

#[test]
fn removals_name_no_object() {
    let removed = json!({"Records": [{"eventName": "ObjectRemoved:Delete",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": "1"}}}]});
    assert_eq!(shape::decode(&removed).expect("decoded"), []);
    let deleted = json!({"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}});
    assert_eq!(shape::decode(&deleted).expect("decoded"), []);
}

#[test]
fn what_cannot_be_understood_says_so_without_quoting_it() {
    for (body, expected) in [
        ("", "the message is not JSON, at line 1, column 0"),
        ("[]", "the message is JSON but no object event: it has a list"),
        (r#"{"Jane Doe": 1}"#, "the message is JSON but no object event: it has no field of an event, and 1 besides"),
        (
            r#"{"resourceType": "Patient", "id": "p", "Jane Doe": 1}"#,
            "the message is JSON but no object event: it has the fields id, resourceType and 1 more",
        ),
        (r#"{"Records": 3}"#, "Records is missing or has a type that this kind of event does not have"),
        (r#"{"Records": [{"s3": {}}]}"#, "Records[].s3 is missing or has a type that this kind of event does not have"),
        (
            r#"{"source": "aws.s3", "detail-type": "Object Created"}"#,
            "detail is missing or has a type that this kind of event does not have",
        ),
    ] {
        let error = decode(body.as_bytes()).expect_err(body);
        assert_eq!(error.to_string(), expected);
    }
    let bad_key = json!({"Records": [{"eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "%FF%FE"}}}]});
    assert!(matches!(shape::decode(&bad_key), Err(DecodeError::Key)));
    assert!(Invocation::from_slice(br#"{"Records": [{"eventSource": "aws:sqs", "messageId": ""}]}"#).is_err());
}

#[test]
fn a_batch_of_the_laptop_reads_as_one_of_the_cloud() {
    let message = Message { id: "m".into(), body: "{}".into(), receipt: "r".into(), receive_count: 3 };
    let read = Invocation::from_value(sqs_batch("bronze", &[message], 0)).expect("read");
    let delivery = Delivery { message_id: Some("m".into()), receipt: Some("r".into()), receives: 3 };
    let expected = SqsMessage { delivery, body: "{}".into() };
    assert_eq!(read, Invocation::Sqs(vec![expected]));
    assert_eq!(Invocation::from_value(sqs_batch("bronze", &[], 0)).expect("read"), Invocation::Sqs(vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_key_comes_back_from_its_notification(key in "[ -~é日🏥/+%=&]{1,60}|\\PC{1,40}", size: u64, micros in 0..i64::MAX / 2) {
        let event = notification("landing", &key, size, &ETag::new("e"), micros);
        let decoded = decode(event.as_bytes()).expect("decoded");
        prop_assert_eq!(decoded, [ObjectEvent::created("landing", key)]);
    }

    #[test]
    fn no_bytes_make_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
        let _ = decode(&bytes);
        let _ = Invocation::from_slice(&bytes);
        let _ = decode(text.as_bytes());
    }
}
