//! The simulation of one patient's year, from the person to the conditions that are recorded.

use metriccare_fhir::calendar::{DAY, HOUR, MINUTE};
use metriccare_fhir::write::Instant;

use super::log::Life;
use super::{chronic, conditions, person, stays, visits};
use crate::world::World;

impl Life {
    /// Simulates the year of patient `index`; the memory of the life before is used again.
    pub fn simulate(&mut self, world: &World, index: u64) {
        simulate(world, index, self);
    }
}

fn simulate(world: &World, index: u64, life: &mut Life) {
    life.encounters.clear();
    life.conditions.clear();
    life.infections.clear();
    life.death = None;
    let demand = world.population.demand(index);
    life.person = person::draw(world, index, &demand);
    (life.chronic, life.chronic_count) = chronic::draw(world, &life.person);
    stays::simulate(world, life, &demand);
    visits::simulate(world, life, &demand);
    life.encounters.sort_by_key(|e| (e.start, e.end, e.id));
    let first = life.encounters.first().map(|e| e.start);
    let year_start = world.year.first().midnight();
    // A minute before the first contact, on the same day; in January where there is none.
    life.registered = match first {
        Some(start) => Instant((start.0 - MINUTE).max(start.date().midnight().0)),
        None => {
            let time = Instant(year_start.0 + 9 * HOUR + (index % 20) as i64 * DAY);
            if life.death.is_some_and(|death| death < time) { Instant(year_start.0 + 9 * HOUR) } else { time }
        }
    };
    conditions::record(world, life);
}
