//! Laws of every life: nothing after death, no overlapping stays, times in order, the same whatever came before.

use proptest::prelude::*;

use metriccare_fhir::write::{Disposition, Instant};

use super::*;
use crate::cohorts::Cohorts;
use crate::rules::{between, hospital_onset, infection, judge};
use crate::spec::Spec;
use crate::world::World;

fn world(patients: u64, seed: u64) -> World {
    World::new(Spec { patients, seed, ..Spec::default() }).unwrap()
}

fn check(life: &Life) {
    let person = &life.person;
    let mut left = Instant(i64::MIN);
    for encounter in &life.encounters {
        assert!(encounter.start < encounter.end, "{encounter:?}");
        assert!(encounter.start.date() > person.birth, "{encounter:?}");
        if let Some(death) = life.death {
            assert!(encounter.end <= death, "after death: {encounter:?}");
        }
        let path = encounter.path();
        assert_eq!((path[0].start, path[path.len() - 1].end), (encounter.start, encounter.end));
        assert!(path.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(path.iter().all(|segment| segment.start < segment.end), "{encounter:?}");
        if encounter.is_stay() {
            assert!(encounter.start > left, "overlapping stays: {encounter:?}");
            left = encounter.end;
            let expired = encounter.disposition == Some(Disposition::Expired);
            assert_eq!(expired, life.death == Some(encounter.end), "{encounter:?} {:?}", life.death);
        } else {
            assert!(
                !life
                    .encounters
                    .iter()
                    .any(|stay| { stay.is_stay() && stay.start < encounter.end && encounter.start < stay.end })
            );
        }
    }
    assert!(life.encounters.windows(2).all(|pair| pair[0].start <= pair[1].start));
    for condition in &life.conditions {
        assert!(condition.onset.date() >= person.birth, "{condition:?}");
        assert!(condition.abated.is_none_or(|abated| abated >= condition.onset), "{condition:?}");
        assert!(condition.recorded >= life.registered || condition.encounter.is_some());
        if let Some(death) = life.death {
            assert!(condition.recorded <= death, "{condition:?}");
            assert!(condition.abated.is_none_or(|abated| abated <= death), "{condition:?}");
        }
        if let Some(at) = condition.encounter {
            assert!(condition.recorded.date() >= life.encounters[at as usize].start.date());
        }
    }
    if let Some(death) = life.death {
        assert!(life.registered <= death && person.birth < death.date());
    }
}

#[test]
fn no_stays_overlap_and_nothing_happens_after_death() {
    let world = world(3_000, 42);
    let mut life = Life::new();
    for index in 0..3_000 {
        life.simulate(&world, index);
        check(&life);
    }
}

#[test]
fn few_of_ten_thousand_patients_share_a_full_name() {
    let world = world(10_000, 42);
    let (mut life, mut names) = (Life::new(), std::collections::HashSet::new());
    for index in 0..10_000 {
        life.simulate(&world, index);
        names.insert((life.person.given, life.person.family));
    }
    assert!(names.len() > 9_800, "{} different names", names.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_patient_is_the_same_for_any_population_and_predecessor(
        seed in any::<u64>(), index in 0u64..50_000, before in 0u64..50_000
    ) {
        let (small, large) = (world(50_000, seed), world(90_000_000, seed));
        let (mut one, mut other) = (Life::new(), Life::new());
        one.simulate(&small, index);
        other.simulate(&large, before);
        other.simulate(&large, index);
        check(&one);
        prop_assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
}

/// Counts, as the metrics would, who completed a stay, died in one, caught an infection in one, came back; and encounters.
fn cohorts(spec: Spec) -> [u64; 5] {
    let world = World::new(spec).unwrap();
    let (mut life, mut counts, now) = (Life::new(), [0; 5], world.year.end());
    for index in 0..world.spec.patients {
        life.simulate(&world, index);
        check(&life);
        inject(&world, index, &mut life);
        let completed = life.encounters.iter().filter(|e| e.is_stay() && !e.annulled && !e.deleted && e.end < now);
        let mut stays: Vec<&Encounter> = completed.collect();
        stays.sort_by_key(|e| (e.start, e.end, e.id));
        let stays = judge(&stays, life.person.birth, life.death);
        let found =
            life.conditions.iter().filter(|condition| condition.recorded < now && !condition.deleted).filter_map(
                |condition| {
                    let stay = &life.encounters[condition.encounter? as usize];
                    let kind = infection(condition).filter(|_| stay.is_stay() && stay.end < now)?;
                    let days = between(stay.start.date(), condition.onset.date());
                    Some(((condition.encounter, kind), days))
                },
            );
        // Of one type in one stay the earliest counts.
        let mut earliest = std::collections::BTreeMap::new();
        found.for_each(|(at, days)| {
            earliest.entry(at).and_modify(|known: &mut i64| *known = days.min(*known)).or_insert(days);
        });
        let infected = earliest.iter().any(|(&(_, kind), &days)| hospital_onset(kind, days));
        counts[0] += u64::from(!stays.is_empty());
        counts[1] += u64::from(stays.iter().any(|stay| stay.died));
        counts[2] += u64::from(infected);
        counts[3] += u64::from(stays.iter().any(|stay| stay.next.is_some_and(|(_, days)| days <= 30)));
        counts[4] += life.encounters.iter().filter(|e| e.start < now && !e.deleted).count() as u64;
    }
    counts
}

#[test]
fn the_source_documents_shares_are_exact() {
    let shares = |patients, seed| Spec {
        patients,
        seed,
        mortality_pct: Some(10.0),
        infection_pct: Some(20.0),
        readmission_pct: Some(15.0),
        alos_pct: Some(100.0),
        ..Spec::default()
    };
    assert_eq!(cohorts(shares(100, 42))[..4], [100, 10, 20, 15]);
    assert_eq!(cohorts(shares(2_000, 7))[..4], [2_000, 200, 400, 300]);
    // Thousands of stays, among them some into which an infection was brought.
    assert_eq!(cohorts(Spec { year: 2023, ..shares(6_000, 42) })[..4], [6_000, 600, 1_200, 900]);
    // Neither overlapping stays nor those entered in error or deleted add to the shares.
    let dirty = "overlaps=100%,entered-in-error=50%,moved=30%,deleted=50%".parse().unwrap();
    assert_eq!(cohorts(Spec { dirty, alos_pct: Some(50.0), ..shares(2_000, 42) })[..4], [1_000, 200, 400, 300]);
    let less = Spec { alos_pct: Some(40.0), encounters: Some(2_500), ..shares(500, 1) };
    assert_eq!(cohorts(less), [200, 50, 100, 75, 2_500]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_share_and_total_asked_for_is_exact(
        seed in any::<u64>(), patients in 1u64..300, alos in 0.0..100.0f64, inside in proptest::array::uniform3(0.0..1.0f64),
        more in 0u64..3_000
    ) {
        let [m, i, r] = inside.map(|share| share * alos);
        let mut spec = Spec {
            patients, seed, alos_pct: Some(alos), mortality_pct: Some(m), infection_pct: Some(i), readmission_pct: Some(r),
            ..Spec::default()
        };
        let total = Cohorts::of(&spec.cohort_shares()).encounters_needed() + more.min(150 * patients);
        spec.encounters = Some(total);
        let wanted = [spec.alos_pct, spec.mortality_pct, spec.infection_pct, spec.readmission_pct].map(|s| spec.count(s));
        let got = cohorts(spec);
        prop_assert_eq!(&got[..4], &wanted[..]);
        prop_assert_eq!(got[4], total);
    }

    #[test]
    fn a_total_alone_and_a_share_alone_are_exact(seed in any::<u64>(), total in 0u64..4_000, share in 0.0..60.0f64) {
        let spec = Spec { patients: 200, seed, encounters: Some(total), ..Spec::default() };
        prop_assert_eq!(cohorts(spec)[4], total);
        let spec = Spec { patients: 200, seed, infection_pct: Some(share), ..Spec::default() };
        let wanted = spec.count(spec.infection_pct);
        prop_assert_eq!(cohorts(spec)[2], wanted);
    }
}
