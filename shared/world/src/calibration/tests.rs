//! At a hundred thousand patients every figure is inside its band.

use super::*;
use crate::spec::Spec;

fn measure(world: &World, patients: std::ops::Range<u64>) -> Calibration {
    let (mut sums, mut life) = (Calibration::new(world), Life::new());
    for index in patients {
        world.live(index, &mut life);
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
