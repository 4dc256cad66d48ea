//! A world: everything that is the same for all its patients.

use crate::calendar::Calendar;
use crate::directory::Directory;
use crate::ids::Ids;
use crate::life::{Encounter, Life, Population};
use crate::spec::{Spec, SpecError};
use crate::tables::Tables;
use crate::view::tables::Quantiles;

/// A simulated year: the spec, the hospitals, and the rules by which patients live.
///
/// It is made once, holds no patients, and may be shared between threads: patients are simulated one by one from their
/// index with [`World::live`].
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) spec: Spec,
    pub(crate) calendar: Calendar,
    pub(crate) tables: Tables,
    pub(crate) ids: Ids,
    pub(crate) directory: Directory,
    pub(crate) population: Population,
    pub(crate) quantiles: Quantiles,
}

impl World {
    /// Makes the world of a spec, or says what is impossible in it.
    pub fn new(spec: Spec) -> Result<World, SpecError> {
        spec.validate()?;
        let tables = Tables::read();
        let ids = Ids::new(spec.seed, spec.year);
        let directory = Directory::new(&spec, &ids, &tables);
        let population = Population::new(&spec);
        let (calendar, quantiles) = (Calendar::new(spec.year), Quantiles::new());
        Ok(World { calendar, tables, ids, directory, population, quantiles, spec })
    }

    /// The spec that the world was made from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The hospitals and clinicians.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Simulates patient `index` into `life`, whose memory is used again.
    pub fn live(&self, index: u64, life: &mut Life) {
        crate::life::simulate(self, index, life);
    }

    /// The diagnosis-related group of a stay, and the relative weight that scales its cost.
    pub fn drg(&self, encounter: &Encounter) -> Option<(&'static str, f64)> {
        encounter.drg.map(|at| &self.tables.drgs[usize::from(at)]).map(|drg| (drg.code, drg.weight))
    }

    /// The patients of shard `k` of `n`, counted from 1: contiguous ranges that together make the whole population.
    pub fn shard(&self, k: u64, n: u64) -> std::ops::Range<u64> {
        let cut = |k: u64| (u128::from(self.spec.patients) * u128::from(k) / u128::from(n.max(1))) as u64;
        cut(k.saturating_sub(1).min(n))..cut(k.min(n))
    }
}
