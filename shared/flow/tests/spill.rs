//! Rows that wait in a temporary file for their merge end in the same silver as rows that wait in memory.

use std::{fmt::Write, num::NonZeroUsize, sync::Arc};

use metriccare_flow::{Unwatched, Worker, drive};
use metriccare_ports::{ManualClock, Ports, PutMode};

/// Encounters of a landed object; every seventh is of another patient in the second object, a correction.
fn encounters(object: u32) -> String {
    let mut lines = String::new();
    for number in 0..400 {
        let patient = if object == 1 && number % 7 == 0 { number + 1 } else { number } % 90;
        let day = 1 + number % 27;
        writeln!(
            lines,
            r#"{{"resourceType":"Encounter","id":"e{number}","meta":{{"versionId":"{object}","lastUpdated":"2025-06-0{}T00:00:00Z"}},"status":"completed","class":[{{"coding":[{{"code":"IMP"}}]}}],"subject":{{"reference":"Patient/p{patient}"}},"serviceProvider":{{"display":"H{}"}},"actualPeriod":{{"start":"2025-03-{day:02}T01:00:00Z","end":"2025-03-{day:02}T09:00:00Z"}}}}"#,
            object + 1,
            number % 3,
        )
        .expect("a string");
    }
    lines
}

fn deletions() -> String {
    let mut lines = String::new();
    for number in (0..400).step_by(11) {
        writeln!(
            lines,
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"DELETE","url":"Encounter/e{number}"}},"response":{{"status":"204","lastModified":"2025-06-09T00:00:00Z"}}}}]}}"#
        )
        .expect("a string");
    }
    lines
}

/// The objects of silver, with their bytes.
async fn silver(spill_bytes: u64) -> Vec<(String, Vec<u8>)> {
    let clock = Arc::new(ManualClock::at_micros(1_750_000_000_000_000));
    let ports = Ports::memory(clock);
    let (landing, lake) = (Arc::clone(&ports.landing), Arc::clone(&ports.lake));
    let mut worker = Worker::new(ports, 8, NonZeroUsize::new(2).expect("two"), "spill");
    worker.spill_bytes = spill_bytes;
    for (key, text) in [
        ("encounter/0.ndjson", encounters(0)),
        ("encounter/1.ndjson", encounters(1)),
        ("encounter/deleted.ndjson", deletions()),
    ] {
        landing.put(key, text.into_bytes().into(), PutMode::IfAbsent).await.expect("memory");
    }
    let driven = drive(&Arc::new(worker), &Unwatched).await.expect("memory");
    assert_eq!((driven.landed.len(), driven.failed.len()), (3, 0));
    let mut objects = Vec::new();
    for listed in lake.list("silver/").await.expect("memory") {
        let bytes = lake.get(&listed.key).await.expect("memory").body.bytes().await.expect("memory");
        objects.push((listed.key, bytes.to_vec()));
    }
    objects
}

#[tokio::test(flavor = "multi_thread")]
async fn spilled_rows_end_in_the_same_silver() {
    let held = silver(u64::MAX).await;
    assert!(held.len() > 16, "{}", held.len());
    for spill_bytes in [0, 100_000] {
        let spilled = silver(spill_bytes).await;
        let keys = |objects: &[(String, Vec<u8>)]| objects.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&spilled), keys(&held));
        for ((key, spilled), (_, held)) in spilled.iter().zip(&held) {
            assert_eq!(spilled, held, "{key}, {spill_bytes} bytes in memory");
        }
    }
}
