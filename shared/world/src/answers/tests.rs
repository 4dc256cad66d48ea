//! Keys add up: shards make the whole, JSON brings a key back, and the rows agree with each other.

use super::*;
use crate::life::Life;
use crate::spec::Spec;

fn key(world: &World, patients: std::ops::Range<u64>) -> Answers {
    let (mut key, mut life) = (Answers::new(world), Life::new());
    for index in patients {
        life.simulate(world, index);
        key.add(world, &life);
    }
    key
}

#[test]
fn shards_add_up_to_the_whole() {
    let world = World::new(Spec { patients: 700, ..Spec::default() }).unwrap();
    let whole = key(&world, 0..700);
    let mut sum = Answers::new(&world);
    for k in (1..=7).rev() {
        let shard = Answers::from_json(&key(&world, world.shard(k, 7)).to_json()).unwrap();
        sum.merge(&shard).unwrap();
    }
    assert_eq!(sum, whole);
    let other = World::new(Spec { patients: 700, seed: 7, ..Spec::default() }).unwrap();
    assert!(sum.merge(&Answers::new(&other)).is_err());
}

#[test]
fn the_sums_of_the_tables_agree() {
    let world = World::new(Spec { patients: 3_000, ..Spec::default() }).unwrap();
    let key = key(&world, 0..3_000);
    let rows = key.expected();
    let sum = |table: &str, column: &str| -> i64 {
        let cells = rows.iter().filter(|row| row.table == table).flat_map(|row| &row.values);
        cells
            .filter(|(name, _)| *name == column)
            .map(|(_, value)| if let Value::Count(n) = value { *n } else { 0 })
            .sum()
    };
    let stays = sum("gold/length_of_stay", "discharges");
    assert!(stays > 500);
    assert_eq!(sum("gold/demographics", "stays"), 4 * stays);
    let days = sum("gold/census", "patients");
    assert_eq!(sum("gold/occupancy", "patient_days"), days);
    assert_eq!(sum("gold/infection", "patient_days"), 7 * days);
    assert_eq!(sum("gold/department_load", "patient_days"), days);
    let tables: std::collections::BTreeSet<_> = rows.iter().map(|row| row.table).collect();
    assert_eq!(tables.len(), 10);
    // Deaths and returns of a cohort are among its stays, and heart failure is there.
    assert!(sum("gold/cohort", "deaths_30d") < sum("gold/cohort", "stays"));
    assert!(sum("gold/cohort", "readmissions") < sum("gold/cohort", "index_stays"));
    assert!(
        rows.iter().any(|row| row.table == "gold/cohort" && row.dimensions[2].1.as_deref() == Some("heart_failure"))
    );
}

#[test]
fn an_empty_key_has_no_rows() {
    let world = World::new(Spec::default()).unwrap();
    assert!(Answers::new(&world).expected().is_empty());
}

#[test]
fn infections_alone_make_the_same_rows() {
    let world = World::new(Spec { patients: 2_000, ..Spec::default() }).unwrap();
    let (mut few, mut life) = (Answers::new(&world), Life::new());
    for index in 0..2_000 {
        life.simulate(&world, index);
        few.add_infections(&world, &life);
    }
    let rows = |key: &Answers| -> Vec<ExpectedRow> {
        key.expected().into_iter().filter(|row| row.table == "gold/infection").collect()
    };
    assert!(!rows(&few).is_empty() && rows(&few) == rows(&key(&world, 0..2_000)));
}

/// The key of a world whose lives have the faults of its dial.
fn key_with_faults(world: &World) -> Answers {
    let (mut key, mut life) = (Answers::new(world), Life::new());
    for index in 0..world.spec().patients {
        life.simulate(world, index);
        let faults = crate::life::inject(world, index, &mut life);
        key.observe(world, &life, faults);
    }
    key
}

#[test]
fn moved_and_deleted_records_change_no_expected_cell() {
    let world =
        |dirty: &str| World::new(Spec { patients: 1_500, dirty: dirty.parse().unwrap(), ..Spec::default() }).unwrap();
    let (clean, dirty) = (world(""), world("moved=20%,deleted=20%"));
    let (clean, dirty) = (key_with_faults(&clean), key_with_faults(&dirty));
    assert_eq!(clean.expected(), dirty.expected());
}
