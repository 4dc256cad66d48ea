//! Every parser of what comes from outside, on bytes that are drawn from a seed and on good examples that are mangled: none may
//! panic, and what is read must be what is written where there is a way back.
//!
//! Each target takes bytes and nothing else, so that any engine can drive it. `FUZZED=1000000 cargo test -p metriccare-tests
//! --test fuzz -- --nocapture` runs so many inputs a target and says how long each took.

use std::panic::{AssertUnwindSafe, catch_unwind};

use metriccare_fhir::read::{Bundle, Condition, Encounter, Entry, Named, Patient, pull, resource, time};
use metriccare_flow::event::{Invocation, decode, notification};
use metriccare_lake::{bronze::BronzeCommit, gold::Hospitals, keys, settings::LakeSettings};
use metriccare_ports::ETag;
use metriccare_tests::mangle::{Form, fuzzed, samples};

/// Inputs for each target.
const INPUTS: u64 = 30_000;
const SEED: u64 = 2025;

#[expect(clippy::disallowed_methods, reason = "how many inputs there are is asked for by whoever runs it")]
fn inputs() -> u64 {
    std::env::var("FUZZED").ok().and_then(|value| value.parse().ok()).unwrap_or(INPUTS)
}

/// Gives a target its inputs: the examples, each mangled in turn, and bytes without an example.
#[expect(clippy::disallowed_methods, reason = "it says how long a target took")]
fn fuzz(name: &str, examples: &[&[u8]], target: impl Fn(&[u8])) {
    let begun = std::time::Instant::now();
    for number in 0..inputs() {
        let input = fuzzed(examples, SEED, number);
        let panicked = catch_unwind(AssertUnwindSafe(|| target(&input))).is_err();
        assert!(!panicked, "{name}: input {number} of seed {SEED}: {:?}", String::from_utf8_lossy(&input));
    }
    let line = format!("{name}: {} inputs in {:.1} s", inputs(), begun.elapsed().as_secs_f64());
    #[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the line is what it is run for")]
    {
        println!("{line}");
    }
}

fn json_examples() -> Vec<Vec<u8>> {
    let samples = samples().into_iter().filter(|sample| sample.form == Form::Json);
    let first = |bytes: Vec<u8>| bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    samples.map(|sample| if sample.name.ends_with(".ndjson") { first(sample.bytes) } else { sample.bytes }).collect()
}

fn slices(examples: &[Vec<u8>]) -> Vec<&[u8]> {
    examples.iter().map(Vec::as_slice).collect()
}

#[test]
fn resources_and_bundles() {
    let examples = json_examples();
    fuzz("resource", &slices(&examples), |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        // What one pass accepts, serde accepts.
        if pull::one_pass::<Encounter<'_>>(text).is_ok() {
            resource::read::<Encounter<'_>>(text).expect("serde reads what one pass reads");
        }
        let refused = [
            pull::read::<Patient<'_>>(text).err(),
            pull::read::<Encounter<'_>>(text).err(),
            pull::read::<Condition<'_>>(text).err(),
            pull::read::<Named<'_>>(text).err(),
            resource::read::<Entry<'_>>(text).err(),
            resource::read::<Bundle<'_>>(text).err(),
        ];
        for fault in refused.into_iter().flatten() {
            assert!(!fault.reason.is_empty() && fault.reason.len() < 400, "{fault}");
        }
    });
}

#[test]
fn times() {
    let examples: [&[u8]; 6] =
        [b"2025-01-05", b"2025-01", b"2025", b"2025-01-05T08:30:00Z", b"2025-01-05T08:30:00.123456-05:00", b"24:00"];
    fuzz("time", &examples, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let _ = (time::parse(text).and_then(|moment| moment.micros()), time::parse_date(text));
    });
}

#[test]
fn event_bodies() {
    let etag = ETag::of_bytes(b"x");
    let event = notification("landing", "patient/a b+c ü.ndjson", 12, &etag, 1_700_000_000_000_000);
    let in_sqs = serde_json::json!({"Records": [{"messageId": "1", "receiptHandle": "r", "body": event,
        "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "x"}]})
    .to_string();
    let bridge = r#"{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"landing"},"object":{"key":"a b","size":5,"etag":"e","version-id":"v"}}}"#;
    let examples = [event.as_bytes(), in_sqs.as_bytes(), bridge.as_bytes(), br#"{"Event":"s3:TestEvent"}"#];
    fuzz("event", &examples, |bytes| {
        let _ = decode(bytes);
        if let Ok(invocation) = Invocation::from_slice(bytes) {
            let _ = invocation.into_objects();
        }
    });
}

#[test]
fn keys_of_objects() {
    let examples: [&[u8]; 5] = [
        b"bronze/encounter/hospital_name=S%C3%B6hne%20%26%20Co/0a1b.parquet",
        b"source=north/patient/2025/01/01/a.ndjson",
        b"silver/encounter/bucket=07/part.parquet",
        b"a/../../etc/passwd",
        b"hospital_name=__HIVE_DEFAULT_PARTITION__",
    ];
    fuzz("key", &examples, |bytes| {
        let Ok(key) = std::str::from_utf8(bytes) else { return };
        let _ = (keys::is_data(key), keys::source_of(key), keys::bucket_of(key), keys::is_source(key));
        let _ = keys::partition_value(key, "hospital_name");
        let escaped = keys::hive_escape(key);
        assert_eq!(keys::hive_unescape(&escaped), key, "the way back from a partition's name");
        assert!(!escaped.contains(['/', '\\', '=', '\n', '\0', '"', '\'']), "{escaped}");
        assert_eq!(
            keys::partition_segment("hospital_name", Some(key)).split('/').count(),
            1,
            "one folder, whatever it is"
        );
    });
}

#[test]
fn hospitals_and_settings_and_commits() {
    let examples: [&[u8]; 3] = [
        b"hospital_name,staffed_beds,city,state\nSt. Mary's,20,Raleigh,NC\n\"A, \"\"B\"\"\",,,\n",
        b"\xef\xbb\xbfhospital_name,staffed_beds\r\nX,7\r\n",
        b"state,hospital_name,staffed_beds\n\"two\nlines\",Y,0\n",
    ];
    fuzz("hospitals.csv", &examples, |bytes| {
        if let Ok(hospitals) = Hospitals::parse_csv(bytes) {
            assert!(hospitals.iter().all(|(name, _)| name.trim() == name && !name.is_empty()));
        }
    });
    let settings = LakeSettings::new(16).to_json();
    fuzz("_lake.json", &[&settings], |bytes| {
        if let Ok(read) = LakeSettings::from_json(bytes) {
            LakeSettings::from_json(&read.to_json()).expect("it reads what it writes");
        }
    });
    let commit = br#"{"object_id":"o","rules":3,"sourcename":"a","etag":"e","content_id":"c","landed_micros":1,"counts":{"records":0,"patients":0,"encounters":0,"conditions":0,"quarantined":{},"skipped":{}},"files":[]}"#;
    fuzz("commit", &[commit], |bytes| {
        if let Ok(read) = BronzeCommit::from_json(bytes) {
            BronzeCommit::from_json(&read.to_json()).expect("it reads what it writes");
        }
    });
}
