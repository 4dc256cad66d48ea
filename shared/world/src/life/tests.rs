//! Laws of every life: nothing after death, no overlapping stays, times in order, the same whatever came before.

use proptest::prelude::*;

use super::*;
use crate::spec::Spec;

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
fn lives_keep_the_laws() {
    let world = world(3_000, 42);
    let mut life = Life::new();
    for index in 0..3_000 {
        world.live(index, &mut life);
        check(&life);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_patient_is_the_same_for_any_population_and_predecessor(
        seed in any::<u64>(), index in 0u64..50_000, before in 0u64..50_000
    ) {
        let (small, large) = (world(50_000, seed), world(90_000_000, seed));
        let (mut one, mut other) = (Life::new(), Life::new());
        small.live(index, &mut one);
        large.live(before, &mut other);
        large.live(index, &mut other);
        check(&one);
        prop_assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
}
