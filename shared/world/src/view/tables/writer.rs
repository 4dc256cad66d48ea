//! Writes lives as rows.

use std::ops::Range;

use super::cell_texts::{self, CellTexts};
use super::rows::Rows;
use super::totals::{TableTotals, Tally};
use super::{claims, encounters, people, registry};
use crate::life::{Life, LifeFaults, LifeObserver};
use crate::world::World;

/// Writes patients of one world as rows; each thread has its own.
#[derive(Clone, Debug)]
pub struct TablesWriter<'w> {
    world: &'w World,
    life: Life,
    lines: Vec<claims::Line>,
    texts: CellTexts,
    tally: Tally,
}

impl<'w> TablesWriter<'w> {
    /// A writer for a world.
    pub fn new(world: &'w World) -> TablesWriter<'w> {
        TablesWriter {
            world,
            life: Life::new(),
            lines: Vec::new(),
            texts: CellTexts::new(world),
            tally: Tally::default(),
        }
    }

    /// What all rows that this writer has written come to.
    pub fn totals(&self) -> TableTotals {
        self.tally.totals()
    }

    /// Appends the rows of a range of patients to `out`, and shows every life to the observer.
    pub fn write(&mut self, patients: Range<u64>, out: &mut Rows, observer: &mut dyn LifeObserver) {
        for index in patients {
            let (world, life, texts, tally) = (self.world, &mut self.life, &self.texts, &mut self.tally);
            life.simulate(world, index);
            observer.observe(world, life, LifeFaults::default());
            let spent = claims::draw(world, life, &mut self.lines);
            let patient = cell_texts::id(life.person.id);
            people::patient(world, life, spent, tally, out);
            tally.encounters(world, life);
            tally.claims(&self.lines);
            encounters::write(world, life, (texts, &patient), out);
            claims::write(life, &self.lines, (texts, &patient), out);
            registry::write(world, life, tally, out);
        }
    }
}
