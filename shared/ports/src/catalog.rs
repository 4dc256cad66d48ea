//! The catalog that query engines read partitions from.
//!
//! On AWS it is Glue. A lake on disk has none: engines there read the folders. A partition that is there already is a
//! success, because events are delivered more than once.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::Result;

/// Where partitions are registered for query engines.
///
/// ```
/// use metriccare_ports::{Catalog, catalog::MemoryCatalog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> metriccare_ports::Result<()> {
/// let catalog = MemoryCatalog::default();
/// let place = "bronze/encounter/hospital_name=Duke/";
/// catalog.ensure_partition("bronze_encounter", &["Duke"], place).await?;
/// catalog.ensure_partition("bronze_encounter", &["Duke"], place).await?;
/// assert_eq!(catalog.partitions().len(), 1);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Catalog: fmt::Debug + Send + Sync {
    /// Makes a partition known: its table, the values of its partition columns in order, and the prefix of its files.
    /// One that is known already is a success.
    async fn ensure_partition(&self, table: &str, values: &[&str], location: &str) -> Result<()>;

    /// Has a partition read from another prefix, from one moment to the next; one that is not known is made known.
    async fn move_partition(&self, table: &str, values: &[&str], location: &str) -> Result<()>;
}

/// No catalog: engines find a lake on disk by its folders.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCatalog;

#[async_trait]
impl Catalog for NoCatalog {
    async fn ensure_partition(&self, _table: &str, _values: &[&str], _location: &str) -> Result<()> {
        Ok(())
    }

    async fn move_partition(&self, _table: &str, _values: &[&str], _location: &str) -> Result<()> {
        Ok(())
    }
}

/// A table and the values of its partition columns.
pub type PartitionName = (String, Vec<String>);

/// A catalog that remembers its partitions.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    partitions: Mutex<BTreeMap<PartitionName, String>>,
}

impl MemoryCatalog {
    /// The known partitions and where each one lies.
    pub fn partitions(&self) -> BTreeMap<PartitionName, String> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn ensure_partition(&self, table: &str, values: &[&str], location: &str) -> Result<()> {
        let name = (table.to_owned(), values.iter().map(ToString::to_string).collect());
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        partitions.entry(name).or_insert_with(|| location.to_owned());
        Ok(())
    }

    async fn move_partition(&self, table: &str, values: &[&str], location: &str) -> Result<()> {
        let name = (table.to_owned(), values.iter().map(ToString::to_string).collect());
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).insert(name, location.to_owned());
        Ok(())
    }
}
