//! A world: everything that is the same for all its patients.

use std::sync::Arc;

use crate::directory::Directory;
use crate::ids::Ids;
use crate::population::Population;
use crate::quantiles::Quantiles;
use crate::spec::Spec;
use crate::spec_error::SpecError;
use crate::tables::Tables;
use crate::year::Year;

/// A simulated year: the spec, the hospitals, and the rules by which patients live.
///
/// It is made once, holds no patients, and may be shared between threads: patients are simulated one by one from their
/// index with [`Life::simulate`](crate::Life::simulate).
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) spec: Spec,
    pub(crate) year: Year,
    pub(crate) tables: Arc<Tables>,
    pub(crate) ids: Ids,
    pub(crate) directory: Directory,
    pub(crate) population: Population,
    pub(crate) quantiles: Quantiles,
}

impl World {
    /// Makes the world of a spec, or says what is impossible in it.
    pub fn new(spec: Spec) -> Result<World, SpecError> {
        World::build(spec, Tables::shipped())
    }

    /// Makes the world of a spec from tables that replace the shipped ones.
    pub fn with_tables(spec: Spec, tables: Tables) -> Result<World, SpecError> {
        World::build(spec, Arc::new(tables))
    }

    fn build(spec: Spec, tables: Arc<Tables>) -> Result<World, SpecError> {
        spec.validate()?;
        let ids = Ids::new(spec.seed, spec.year);
        let directory = Directory::new(&spec, &ids, &tables);
        let population = Population::new(&spec);
        let (year, quantiles) = (Year::new(spec.year), Quantiles::new());
        Ok(World { year, tables, ids, directory, population, quantiles, spec })
    }

    /// A name for the world, safe in a path: the spec's, with a digest of the tables where they are not the shipped ones.
    pub fn slug(&self) -> String {
        let spec = self.spec.slug();
        self.tables.digest.map_or(spec.clone(), |digest| format!("{spec}-w{digest:016x}"))
    }

    /// The spec that the world was made from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The hospitals and clinicians.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The patients of shard `k` of `n`, counted from 1: contiguous ranges that together make the whole population.
    pub fn shard(&self, k: u64, n: u64) -> std::ops::Range<u64> {
        let cut = |k: u64| (u128::from(self.spec.patients) * u128::from(k) / u128::from(n.max(1))) as u64;
        cut(k.saturating_sub(1).min(n))..cut(k.min(n))
    }
}
