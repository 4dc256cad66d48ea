//! Folding the partials of all buckets into the final tables.
//!
//! Partials are added one by one and then forgotten, so that a fold holds the sums and one partial, however many
//! buckets there are.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::counts::{Counts, Sums, UnlinkedCounts, add};
use super::hospitals::Hospitals;
use super::partial::{Name, Partial};
use super::tables;
use super::totals::LakeTotals;
use crate::schema::Table;
use crate::table_file::FileError;

/// The sums of the partials so far; the order in which they are added makes no difference.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    /// The sums, with names numbered as they came up.
    sums: Partial,
    numbers: BTreeMap<String, u32>,
}

impl Fold {
    /// Adds the partial of one more bucket.
    pub fn add(&mut self, partial: &Partial) {
        let numbers: Vec<u32> = partial.names.iter().map(|name| self.number(name)).collect();
        add_renamed(&mut self.sums, partial, |name| numbers.get(name as usize).copied().unwrap_or(u32::MAX));
    }

    /// What the buckets so far do not link.
    pub fn unlinked(&self) -> UnlinkedCounts {
        self.sums.unlinked
    }

    /// Writes the final tables; `inputs` is the [`super::inputs_digest`] of the partials and of the hospitals' file, and
    /// is named in each file's metadata.
    ///
    /// # Errors
    /// Where a table cannot be encoded.
    pub fn finish(self, hospitals: &Hospitals, inputs: &str) -> Result<Vec<(&'static Table, Bytes)>, FileError> {
        let totals = LakeTotals::new(self.sorted(), hospitals, inputs);
        tables::ALL.iter().map(|(table, write)| Ok((*table, write(&totals)?))).collect()
    }

    fn number(&mut self, name: &String) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(name) {
            Some(number) => *number,
            None => *self.numbers.entry(name.clone()).or_insert(next),
        }
    }

    /// The sums with names in their own order, whatever order they came in.
    fn sorted(self) -> Partial {
        let Fold { sums, numbers } = self;
        let mut places = vec![0; numbers.len()];
        for (place, number) in (0..).zip(numbers.values()) {
            places[*number as usize] = place;
        }
        let mut sorted = Partial { names: numbers.into_keys().collect(), ..Partial::default() };
        add_renamed(&mut sorted, &sums, |name| places.get(name as usize).copied().unwrap_or(u32::MAX));
        sorted
    }
}

/// Adds a partial whose names have other numbers.
fn add_renamed(sums: &mut Partial, partial: &Partial, number: impl Fn(u32) -> u32) {
    let at = |name: &Name| name.map(&number);
    sums.patients.add(partial.patients);
    sums.encounters.add(partial.encounters);
    sums.stays.add(partial.stays);
    sums.conditions.add(partial.conditions);
    sums.unlinked.add(partial.unlinked);
    sums.last_date = sums.last_date.max(partial.last_date);
    add_all(&mut sums.readmission, &partial.readmission, |(h, month)| (at(h), *month));
    add_all(&mut sums.mortality, &partial.mortality, |(h, month)| (at(h), *month));
    add_all(&mut sums.lengths, &partial.lengths, |(h, d, month, days)| (at(h), at(d), *month, *days));
    add_all(&mut sums.infection, &partial.infection, |(h, month, kind)| (at(h), *month, *kind));
    add_all(&mut sums.cohort, &partial.cohort, |(h, month, cohort)| (at(h), *month, *cohort));
    add_all(&mut sums.load, &partial.load, |(h, d, month)| (at(h), at(d), *month));
    add_all(&mut sums.census, &partial.census, |(h, d, date)| (at(h), at(d), *date));
    add_all(&mut sums.open, &partial.open, |(h, d, date)| (at(h), at(d), *date));
    add_all(&mut sums.demographics, &partial.demographics, |(dimension, v, m)| (*dimension, number(*v), *m));
}

fn add_all<K: Ord, C: Counts>(sums: &mut Sums<K, C>, more: &Sums<K, C>, key: impl Fn(&K) -> K) {
    for (old, counts) in more {
        add(sums, key(old), *counts);
    }
}
