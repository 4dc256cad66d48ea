//! Laws 3 and 4 on whole FHIR files: a population's first patients are the same bytes in any larger population and on
//! any number of threads, and the feed of a year's days ends in the same gold as the year at once.

use metriccare_fhir::write::FhirVersion;
use metriccare_lake::schema::{GOLD_STAY, TABLES};
use metriccare_tests::{Cloud, simulated};
use metriccare_world::{FhirWriter, Known, Resources, World};
use proptest::prelude::*;

fn write(world: &World, version: FhirVersion, patients: std::ops::Range<u64>) -> [Vec<u8>; 3] {
    let mut out = Resources::default();
    FhirWriter::new(world, version, Known::YearEnd).write(patients, &mut out, None);
    [out.patient, out.encounter, out.condition]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_patients_are_the_same_bytes_in_any_population(
        seed in any::<u64>(), few in 1u64..40, more in 0u64..1_000_000, r5 in any::<bool>()
    ) {
        let version = if r5 { FhirVersion::R5 } else { FhirVersion::R4 };
        let (small, large) = (simulated::world(few, seed), simulated::world(few + more, seed));
        prop_assert_eq!(write(&small, version, 0..few), write(&large, version, 0..few));
    }
}

#[test]
fn threads_write_the_same_bytes_as_one() {
    let world = simulated::world(200, 42);
    for version in [FhirVersion::R5, FhirVersion::R4] {
        let whole = write(&world, version, 0..200);
        let parts: Vec<[Vec<u8>; 3]> = std::thread::scope(|scope| {
            let spawn = |shard| {
                let world = &world;
                scope.spawn(move || write(world, version, world.shard(shard, 7)))
            };
            let threads: Vec<_> = (1..=7).map(spawn).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for (kind, bytes) in whole.iter().enumerate() {
            let joined: Vec<u8> = parts.iter().flat_map(|part| part[kind].iter().copied()).collect();
            assert!(joined == *bytes, "resource {kind} of {version:?}");
        }
    }
}

#[tokio::test]
async fn the_feed_of_the_days_ends_in_the_gold_of_the_year() {
    let world = simulated::world(120, 42);
    let hospitals = world.directory().hospitals_csv();
    let fed = Cloud::driven(&simulated::feed(&world), &hospitals).await;
    for version in [FhirVersion::R5, FhirVersion::R4] {
        let at_once = Cloud::driven(&simulated::year(&world, version, 3), &hospitals).await;
        assert!(at_once.rows(&GOLD_STAY).len() > 20, "too few stays to say anything");
        for table in TABLES.iter().copied().filter(|table| table.path.starts_with("gold/")) {
            assert_eq!(fed.rows(table), at_once.rows(table), "{} of {version:?}", table.path);
        }
    }
}
