//! Law 2 through the whole path: whatever bytes land, every record is accepted, quarantined or skipped, and counted
//! once; and the rows that lie in the lake are as many as the commits and the ingest log say.

use std::{collections::BTreeSet, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::Cell,
    schema::{
        BRONZE_CONDITION, BRONZE_DELETION, BRONZE_ENCOUNTER, BRONZE_INGEST_LOG, BRONZE_PATIENT, BRONZE_QUARANTINE,
        SILVER_CONDITION, SILVER_ENCOUNTER, SILVER_PATIENT, Table,
    },
};
use metriccare_ports::faulty::Faults;
use metriccare_tests::{
    Cloud, LakeContents,
    cloud::{Stage, orderly},
    column,
    landed::{self, Landed, object},
    simulated,
};
use proptest::prelude::*;

/// Carries objects through all stages and holds the law against what is there afterwards.
async fn conserved(objects: &[Landed]) -> LakeContents {
    let cloud = Cloud::new(orderly());
    cloud.land_and_notify(objects).await;
    let process = cloud.process("only", Faults::none(), 2);
    cloud.settle(&process).await;
    assert_eq!(cloud.dead_letters(), 0, "no landed bytes make a message fail");
    let lake = LakeContents::of(&cloud);
    let commits = lake.commits();
    assert_eq!(commits.len(), objects.len(), "every landed object has its commit");
    for commit in &commits {
        counted_once(&lake, commit);
    }
    log_agrees(&lake, &commits);
    silver_has_what_bronze_has(&lake);
    lake
}

/// A commit's counts add up, and the rows of its files are the rows that it counted.
fn counted_once(lake: &LakeContents, commit: &BronzeCommit) {
    let counts = &commit.counts;
    assert_eq!(counts.records, counts.accepted() + counts.quarantined() + counts.skipped(), "{commit:?}");
    for (table, counted) in [
        (&BRONZE_PATIENT, counts.patients),
        (&BRONZE_ENCOUNTER, counts.encounters),
        (&BRONZE_CONDITION, counts.conditions),
        (&BRONZE_DELETION, counts.deletions),
        (&BRONZE_QUARANTINE, counts.quarantined()),
    ] {
        let files = commit.files.iter().filter(|file| file.table == table.path);
        assert_eq!(files.map(|file| file.rows).sum::<u64>(), counted, "{} of {commit:?}", table.path);
        let source = Cell::Text(commit.sourcename.clone());
        let place = column(table, "sourcename");
        let rows = lake.rows(table).iter().filter(|row| row[place] == source).count() as u64;
        assert_eq!(rows, counted, "rows of {} from {}", table.path, commit.sourcename);
    }
}

/// The ingest log has one row for each commit, with its counts.
fn log_agrees(lake: &LakeContents, commits: &[BronzeCommit]) {
    let names = ["records", "accepted", "quarantined", "skipped", "patients", "encounters", "conditions", "deletions"];
    let places = names.map(|name| column(&BRONZE_INGEST_LOG, name));
    let source = column(&BRONZE_INGEST_LOG, "sourcename");
    assert_eq!(lake.ingest_log().len(), commits.len());
    for commit in commits {
        let wanted = Cell::Text(commit.sourcename.clone());
        let row = lake.ingest_log().iter().find(|row| row[source] == wanted).expect("a row of the log");
        let counts = &commit.counts;
        let counted = [
            counts.records,
            counts.accepted(),
            counts.quarantined(),
            counts.skipped(),
            counts.patients,
            counts.encounters,
            counts.conditions,
            counts.deletions,
        ];
        let counted = counted.map(|count| Cell::Int(i64::try_from(count).expect("a small count")));
        assert_eq!(places.map(|place| row[place].clone()), counted, "{}", commit.sourcename);
    }
}

/// Every resource that bronze has a row of is once in silver, and silver has no other.
fn silver_has_what_bronze_has(lake: &LakeContents) {
    let tables: [(&'static Table, &'static Table, &str); 3] = [
        (&BRONZE_PATIENT, &SILVER_PATIENT, "patient_id"),
        (&BRONZE_ENCOUNTER, &SILVER_ENCOUNTER, "encounter_id"),
        (&BRONZE_CONDITION, &SILVER_CONDITION, "condition_id"),
    ];
    for (bronze, silver, id) in tables {
        let of = |table: &'static Table| {
            let place = column(table, id);
            lake.rows(table).into_iter().map(|row| row[place].to_string()).collect::<Vec<String>>()
        };
        let (mut landed, kept) = (of(bronze), of(silver));
        landed.sort();
        landed.dedup();
        assert_eq!(kept.iter().cloned().collect::<BTreeSet<_>>(), landed.iter().cloned().collect(), "{}", silver.path);
        assert_eq!(kept.len(), landed.len(), "{} holds a resource twice", silver.path);
    }
}

fn resource() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("\"2025-01-05\"".to_owned()),
        Just("\"2025-02-30\"".to_owned()),
        Just("null".to_owned()),
        Just("17".to_owned()),
        Just("{}".to_owned()),
        Just("[\"x\"]".to_owned()),
        "\"\\PC{0,12}\"",
    ];
    let kind = prop_oneof![Just("Patient"), Just("Encounter"), Just("Condition"), Just("Organization"), Just("Basic")];
    let element = prop_oneof![
        Just("period"),
        Just("actualPeriod"),
        Just("class"),
        Just("subject"),
        Just("birthDate"),
        Just("serviceProvider"),
        Just("recordedDate"),
        Just("code"),
        Just("meta"),
        Just("status"),
    ];
    let good = (kind.clone(), 0u8..20, 0u8..4).prop_map(|(kind, id, patient)| {
        format!(
            r#"{{"resourceType":"{kind}","id":"{id}","subject":{{"reference":"Patient/{patient}"}},"name":"H{patient}"}}"#
        )
    });
    let odd = (kind, 0u8..20, element, value).prop_map(|(kind, id, element, value)| {
        format!(r#"{{"resourceType":"{kind}","id":"{id}","{element}":{value}}}"#)
    });
    prop_oneof![4 => good, 4 => odd, 1 => "[\\[\\]{}\",:a-z\n\\\\]{0,24}"]
}

/// What may land: resources in any container, packed or not, cut anywhere, or with a byte changed.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let records = proptest::collection::vec(resource(), 0..8);
    (records, 0u8..4, any::<bool>(), proptest::option::of(any::<prop::sample::Index>()), any::<Option<(u16, u8)>>())
        .prop_map(|(records, form, pack, cut, changed)| {
            let text = match form {
                0 => records.join("\n"),
                1 => format!("[{}]", records.join(",")),
                2 => {
                    let entries: Vec<String> =
                        records.iter().map(|record| format!("{{\"resource\":{record}}}")).collect();
                    format!("{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{}]}}", entries.join(","))
                }
                _ => records.join("\r\n\n") + "\n",
            };
            let mut bytes = text.into_bytes();
            if let Some((at, byte)) = changed.filter(|_| !bytes.is_empty()) {
                let at = usize::from(at) % bytes.len();
                bytes[at] = byte;
            }
            if pack {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&bytes).expect("memory");
                bytes = encoder.finish().expect("memory");
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_lands_is_counted_once(objects in proptest::collection::vec((any_bytes(), any::<bool>()), 1..4)) {
        let name = |at: usize, lines: bool| format!("any/{at}.{}", if lines { "ndjson" } else { "json" });
        let landed: Vec<Landed> =
            objects.into_iter().enumerate().map(|(at, (bytes, lines))| object(&name(at, lines), 0, bytes)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(conserved(&landed));
    }
}

#[tokio::test]
async fn awkward_objects_and_a_feed_are_counted_once() {
    let mut awkward = landed::awkward();
    awkward.retain(|object| !object.key.ends_with("_SUCCESS"));
    conserved(&awkward).await;
    let lake = conserved(&simulated::feed(&simulated::world(20, 3))).await;
    assert!(lake.rows(&BRONZE_QUARANTINE).is_empty(), "what the generator writes is never refused");
}

#[tokio::test]
async fn a_marker_is_no_landed_object() {
    let cloud = Cloud::new(orderly());
    cloud.land_and_notify(&[object("encounter/_SUCCESS", 0, "done"), object("encounter/.part", 0, "half")]).await;
    let process = cloud.process("only", Faults::none(), 1);
    assert_eq!(cloud.invoke(&process, Stage::Bronze, 10).await, 2);
    assert!(cloud.is_drained() && LakeContents::of(&cloud).objects().is_empty());
}
