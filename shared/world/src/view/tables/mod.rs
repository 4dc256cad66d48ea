//! The world as eight relational tables, in CSV: the second view of the same lives.
//!
//! People, stays, hospitals and clinicians have the ids that the FHIR view gives them. Flags agree with dates, amounts
//! with each other, and measures with the stays behind them; a stay that is still open at the year's end is there with
//! the type `Inpatient (in progress)` and no discharge. Facilities, providers, measures and infections are written once
//! for the whole run, the other tables patient by patient.

mod claims;
mod columns;
mod csv;
mod encounters;
mod measures;
mod names;
mod people;
mod quantiles;
mod registry;
#[cfg(test)]
mod tests;

pub use columns::{
    BY_PATIENT, CLAIMS, CMS_MEASURES, ENCOUNTERS, FACILITIES, HAI_DATA, Kind, PATIENTS, PROVIDERS, REGISTRY, Table,
};
pub use measures::Measures;
pub(crate) use quantiles::Quantiles;

use names::Names;

use std::ops::Range;

use crate::life::Life;
use crate::world::World;

/// Lines of the four tables that are written patient by patient, without headers. Cleared by the caller.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Lines of patients.csv.
    pub patients: Vec<u8>,
    /// Lines of encounters.csv.
    pub encounters: Vec<u8>,
    /// Lines of claims.csv.
    pub claims: Vec<u8>,
    /// Lines of registry.csv.
    pub registry: Vec<u8>,
    /// How many lines of each were written, in this order.
    pub counts: [u64; 4],
}

impl Rows {
    /// The lines of each table, in the order of [`BY_PATIENT`].
    pub fn tables(&self) -> [&[u8]; 4] {
        [&self.patients, &self.encounters, &self.claims, &self.registry]
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        for bytes in [&mut self.patients, &mut self.encounters, &mut self.claims, &mut self.registry] {
            bytes.clear();
        }
        self.counts = [0; 4];
    }
}

/// Writes patients of one world as rows; each thread has its own.
#[derive(Clone, Debug)]
pub struct TablesWriter<'w> {
    world: &'w World,
    life: Life,
    lines: Vec<claims::Line>,
    names: Names,
}

impl<'w> TablesWriter<'w> {
    /// A writer for a world.
    pub fn new(world: &'w World) -> TablesWriter<'w> {
        TablesWriter { world, life: Life::new(), lines: Vec::new(), names: Names::new(world) }
    }

    /// Appends the rows of a range of patients to `out`, and counts them in `measures`.
    pub fn write(&mut self, patients: Range<u64>, out: &mut Rows, measures: &mut Measures) {
        for index in patients {
            let (world, life, names) = (self.world, &mut self.life, &self.names);
            world.live(index, life);
            measures.add(world, life);
            let spent = claims::draw(world, life, &mut self.lines);
            let patient = names::id(life.person.id);
            people::patient(world, life, spent, out);
            encounters::write(world, life, (names, &patient), out);
            claims::write(life, &self.lines, (names, &patient), out);
            registry::write(world, life, out);
        }
    }
}

/// What the claims of lives come to, for the calibration; its memory is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bill {
    lines: Vec<claims::Line>,
}

impl Bill {
    /// Draws the claims of a life: what was paid in cents, the lines, and the denied ones among them.
    pub(crate) fn of(&mut self, world: &World, life: &Life) -> (i64, u64, u64) {
        let paid = claims::draw(world, life, &mut self.lines);
        (paid, self.lines.len() as u64, claims::denied(&self.lines) as u64)
    }
}

/// The text of providers.csv.
pub fn providers_csv(world: &World) -> Vec<u8> {
    people::providers(world)
}

/// The text of facilities.csv.
pub fn facilities_csv(world: &World) -> Vec<u8> {
    people::facilities(world)
}
