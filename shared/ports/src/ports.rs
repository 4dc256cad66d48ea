//! The five ports together, as a handler takes them.

use std::{path::Path, sync::Arc};

use crate::{
    Catalog, Clock, DiskLedger, DiskStore, Ledger, MemoryLedger, MemoryStore, ObjectStore, Result,
    catalog::{MemoryCatalog, NoCatalog},
};

/// The folder of the landing bucket inside a lake on disk.
pub const LANDING_FOLDER: &str = "landing";

/// The ledger's file inside a lake on disk.
pub const LEDGER_FILE: &str = ".ledger.redb";

/// Everything a handler reaches outside through. Cloning it is cheap and shares the adapters.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The bucket that data lands in.
    pub landing: Arc<dyn ObjectStore>,
    /// The bucket of bronze, silver, gold and reference data.
    pub lake: Arc<dyn ObjectStore>,
    /// Who does which work, and what is done.
    pub ledger: Arc<dyn Ledger>,
    /// Where partitions are registered.
    pub catalog: Arc<dyn Catalog>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Everything in memory: buckets `landing` and `lake`, gone when it is dropped.
    pub fn memory(clock: Arc<dyn Clock>) -> Self {
        Self {
            landing: Arc::new(MemoryStore::new("landing", Arc::clone(&clock))),
            lake: Arc::new(MemoryStore::new("lake", Arc::clone(&clock))),
            ledger: Arc::new(MemoryLedger::default()),
            catalog: Arc::new(MemoryCatalog::default()),
            clock,
        }
    }

    /// A lake in a folder: `landing/` inside it is the landing bucket, the rest is the lake bucket, and the ledger is a
    /// hidden file beside them. Only one process at a time may hold a lake so.
    pub fn disk(lake: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        let landing = DiskStore::open("landing", lake.join(LANDING_FOLDER))?.remembering_times(true);
        Ok(Self {
            landing: Arc::new(landing.forcing_writes()),
            lake: Arc::new(DiskStore::open("lake", lake)?.hiding(LANDING_FOLDER).forcing_writes()),
            ledger: Arc::new(DiskLedger::open(&lake.join(LEDGER_FILE))?),
            catalog: Arc::new(NoCatalog),
            clock,
        })
    }
}
