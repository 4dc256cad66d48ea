//! The layer below each stage: its objects are the stage's work.

use metriccare_ports::ObjectStore;

use crate::worker::Worker;

/// The layer whose objects are looked up in the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// Landed objects; bronze is notified of them.
    Landing,
    /// Bronze commits; silver is notified of them.
    Bronze,
    /// Silver commits; gold is notified of them.
    Silver,
}

impl Upstream {
    /// The bucket that holds the layer.
    pub fn store(self, worker: &Worker) -> &dyn ObjectStore {
        match self {
            Upstream::Landing => &*worker.ports.landing,
            Upstream::Bronze | Upstream::Silver => &*worker.ports.lake,
        }
    }
}
