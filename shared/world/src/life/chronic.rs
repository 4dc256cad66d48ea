//! Which chronic conditions a patient has: by age, with a shared frailty that makes them come together.

use super::person::Person;
use crate::stream::{Purpose, Stream};
use crate::tables::chronic_band;
use crate::world::World;

/// Draws the chronic conditions as bits, and how many they are.
pub(super) fn draw(world: &World, person: &Person) -> (u32, u32) {
    let mut stream = Stream::new(world.spec.seed, world.spec.year, person.index, Purpose::Chronic);
    let band = chronic_band(person.age);
    let mut bits = 0u32;
    for (i, chronic) in world.tables.chronic.iter().enumerate() {
        let odds = chronic.log_odds[band] + chronic.frailty * person.frailty;
        let draw = stream.unit();
        // The first terms of the series say no to most draws, and spare the exponential.
        let x = -odds;
        if x > 0.0 && draw * (2.0 + x * (1.0 + x * (0.5 + x / 6.0))) > 1.000_001 {
            continue;
        }
        if draw < 1.0 / (1.0 + libm::exp(x)) {
            bits |= 1 << i;
        }
    }
    (bits, bits.count_ones())
}
