//! Who is shown every life that a view writes: the answer key, the reported measures.

use super::faults::LifeFaults;
use super::log::Life;
use crate::world::World;

/// Sums up lives while a view writes them, so that each is simulated once.
pub trait LifeObserver {
    /// Takes a life, faults included, before its records are written.
    fn observe(&mut self, world: &World, life: &Life, faults: LifeFaults);
}
