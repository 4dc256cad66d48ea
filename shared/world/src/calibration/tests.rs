//! At a hundred thousand patients every figure is inside its band, and at ten thousand the beds are.

use super::*;
use crate::life::Life;
use crate::spec::Spec;
use crate::world::World;

fn measure(world: &World, patients: std::ops::Range<u64>) -> Calibration {
    let (mut sums, mut life) = (Calibration::new(world), Life::new());
    for index in patients {
        life.simulate(world, index);
        sums.add(world, &life);
    }
    sums
}

#[test]
fn a_hundred_thousand_patients_are_inside_every_band() {
    let world = World::new(Spec { patients: 100_000, ..Spec::default() }).unwrap();
    let mut sums = measure(&world, 0..60_000);
    sums.merge(&measure(&world, 60_000..100_000));
    let off: Vec<Figure> = sums.figures().into_iter().filter(|figure| !figure.holds()).collect();
    assert!(off.is_empty(), "{off:#?}");
}

#[test]
fn no_stay_is_in_a_hospital_without_beds_and_ten_thousand_patients_fill_them_as_they_should() {
    for seed in [42, 7] {
        let world = World::new(Spec { patients: 10_000, seed, ..Spec::default() }).unwrap();
        let (mut sums, mut life) = (Calibration::new(&world), Life::new());
        for index in 0..10_000 {
            life.simulate(&world, index);
            sums.add(&world, &life);
            for stay in life.encounters.iter().filter(|encounter| encounter.is_stay()) {
                let hospital = &world.directory.hospitals()[usize::from(stay.hospital)];
                assert!(hospital.staffed_beds > 0, "{} has no bed", hospital.name);
            }
        }
        let figures = sums.figures();
        let occupancy = figures.iter().find(|figure| figure.name.starts_with("occupancy")).unwrap();
        assert!(occupancy.holds(), "seed {seed}: {occupancy:?}");
    }
}
