//! The same bytes for any cut into ranges, and a feed whose last versions are the year's batch.

use std::collections::BTreeMap;

use metriccare_fhir::write::{Date, FhirVersion};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::dirt::Dirt;
use crate::spec::Spec;
use crate::world::World;

fn write(world: &World, known: Known, cuts: &[u64]) -> Resources {
    let mut out = Resources::default();
    for pair in cuts.windows(2) {
        FhirWriter::new(world, FhirVersion::R5, known).write(pair[0]..pair[1], &mut out, None);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_gives_the_same_bytes(seed in any::<u64>(), shards in 1u64..9) {
        let dirty = "duplicates=9%,late=9%,broken=9%,overlaps=9%,offsets=9%,replays=9%,moved=9%,deleted=9%".parse().unwrap();
        let world = World::new(Spec { patients: 120, seed, dirty, ..Spec::default() }).unwrap();
        let whole = write(&world, Known::YearEnd, &[0, 120]);
        let mut cuts: Vec<u64> = (1..=shards).map(|k| world.shard(k, shards).start).collect();
        cuts.push(120);
        let parts = write(&world, Known::YearEnd, &cuts);
        prop_assert_eq!(whole.counts, parts.counts);
        prop_assert!(whole.patient == parts.patient);
        prop_assert!(whole.encounter == parts.encounter);
        prop_assert!(whole.condition == parts.condition);
        prop_assert!(whole.deletions == parts.deletions);
        prop_assert_eq!(whole.faults, parts.faults);
        for (one, other) in whole.batches.iter().flatten().zip(parts.batches.iter().flatten()) {
            prop_assert!(one.lines == other.lines && one.accepted == other.accepted);
        }
    }
}

#[test]
fn the_bytes_of_a_seed_are_pinned() {
    let world = World::new(Spec { patients: 200, ..Spec::default() }).unwrap();
    let out = write(&world, Known::YearEnd, &[0, 200]);
    let digest = [&out.patient, &out.encounter, &out.condition]
        .into_iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // Another value means that every user's data changes: say so in the changelog.
    assert_eq!(format!("{digest:016x}"), "4d564bb6cf62c811");
}

#[test]
fn the_feeds_last_versions_are_the_batch() {
    let world = World::new(Spec { patients: 150, ..Spec::default() }).unwrap();
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    let (mut versions, mut again, mut out_of_order) = (0, 0, 0);
    for day in 0..world.year.days() {
        let out = write(&world, Known::Day(Date(world.year.first().0 + day)), &[0, 150]);
        for line in [&out.patient, &out.encounter, &out.condition].map(|b| lines(b)).concat() {
            versions += 1;
            let before = latest.get(&id(&line));
            again += usize::from(before.is_some());
            if before.is_some_and(|before| version_of(before) > version_of(&line)) {
                out_of_order += 1;
            } else {
                latest.insert(id(&line), line);
            }
        }
    }
    let batch = write(&world, Known::YearEnd, &[0, 150]);
    let all = [&batch.patient, &batch.encounter, &batch.condition].map(|b| lines(b)).concat();
    assert_eq!(all.len(), latest.len());
    assert!(again > 100 && out_of_order > 0 && versions == latest.len() + again);
    assert!(all.iter().any(|line| version_of(line) == 3));
    for line in all {
        assert_eq!(latest.get(&id(&line)), Some(&line));
    }
}

#[test]
fn without_late_arrivals_a_day_delivers_what_came_to_be_on_it() {
    let world = World::new(Spec { patients: 60, late_rate: 0.0, ..Spec::default() }).unwrap();
    for day in [0, 9, 200, 364].map(|day| Date(world.year.first().0 + day)) {
        let out = write(&world, Known::Day(day), &[0, 60]);
        for line in [&out.patient, &out.encounter, &out.condition].map(|b| lines(b)).concat() {
            assert!(line.contains(&format!(r#""lastUpdated":"{day}T"#)), "{line}");
        }
    }
}

#[test]
fn patients_stay_below_one_kilobyte_and_open_stays_have_no_end() {
    let world = World::new(Spec { patients: 4_000, ..Spec::default() }).unwrap();
    let out = write(&world, Known::YearEnd, &[0, 4_000]);
    assert!(lines(&out.patient).iter().all(|line| line.len() < 1_024));
    let encounters: Vec<Value> = lines(&out.encounter).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let open: Vec<&Value> = encounters.iter().filter(|e| e["status"] == "in-progress").collect();
    assert!(!open.is_empty());
    assert!(
        open.iter().all(|e| e["actualPeriod"]["end"].is_null() && e["admission"]["dischargeDisposition"].is_null())
    );
    assert!(encounters.iter().any(|e| e["location"].as_array().unwrap().len() == 3));
}

fn version_of(line: &str) -> u64 {
    let doc: Value = serde_json::from_str(line).unwrap();
    doc["meta"]["versionId"].as_str().unwrap().parse().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    std::str::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn id(line: &str) -> String {
    let doc: Value = serde_json::from_str(line).unwrap();
    format!("{}/{}", doc["resourceType"].as_str().unwrap(), doc["id"].as_str().unwrap())
}

/// The deletions of a writer's output: type and id, with the entry.
fn deletions(out: &Resources) -> BTreeMap<String, Value> {
    let entries = lines(&out.deletions).into_iter().map(|line| {
        let entry: Value = serde_json::from_str(&line).unwrap();
        (entry["request"]["url"].as_str().unwrap().to_owned(), entry)
    });
    entries.collect()
}

#[test]
fn moved_and_deleted_resources_end_alike_in_feed_and_batch() {
    let dirty = "moved=30%,deleted=20%".parse().unwrap();
    let world = World::new(Spec { patients: 120, dirty, ..Spec::default() }).unwrap();
    let (mut latest, mut deleted) = (BTreeMap::<String, String>::new(), BTreeMap::new());
    let mut subjects = BTreeMap::<String, std::collections::BTreeSet<String>>::new();
    let mut moved = 0;
    for day in 0..world.year.days() {
        let out = write(&world, Known::Day(Date(world.year.first().0 + day)), &[0, 120]);
        for line in [&out.patient, &out.encounter, &out.condition].map(|b| lines(b)).concat() {
            let doc: Value = serde_json::from_str(&line).unwrap();
            if doc["resourceType"] == "Encounter" {
                let subject = doc["subject"]["reference"].as_str().unwrap().to_owned();
                subjects.entry(id(&line)).or_default().insert(subject);
            }
            let newer = latest.get(&id(&line)).is_none_or(|before| version_of(before) < version_of(&line));
            if newer {
                latest.insert(id(&line), line);
            }
        }
        deleted.extend(deletions(&out));
        moved += out.faults.get(&Dirt::Moved).copied().unwrap_or_default();
    }
    assert!(moved > 50 && subjects.values().filter(|subjects| subjects.len() == 2).count() > 50);
    assert!(
        deleted.keys().any(|url| url.starts_with("Encounter/"))
            && deleted.keys().any(|url| url.starts_with("Condition/"))
    );
    let batch = write(&world, Known::YearEnd, &[0, 120]);
    assert_eq!((deletions(&batch), batch.deleted), (deleted.clone(), deleted.len() as u64));
    latest.retain(|id, _| !deleted.contains_key(id));
    let all = [&batch.patient, &batch.encounter, &batch.condition].map(|b| lines(b)).concat();
    assert_eq!(all.len(), latest.len());
    for line in all {
        assert_eq!(latest.get(&id(&line)), Some(&line));
    }
    // What was moved or deleted lands late, as it was before; nothing else does.
    let late: Vec<String> =
        batch.batches[Destination::Late as usize].iter().flat_map(|batch| lines(&batch.lines)).collect();
    assert!(late.len() > 100);
    for line in &late {
        let outdated = latest.get(&id(line)).map(|last| version_of(last) > version_of(line));
        assert!(outdated.unwrap_or(deleted.contains_key(&id(line))), "{line}");
    }
    assert_eq!(batch.faults[&Dirt::Moved], late.iter().filter(|line| !deleted.contains_key(&id(line))).count() as u64);
}
