//! The flags of `metriccare generate tables`.

use clap::{Args, ValueEnum};
use metriccare_landing::Shard;

use super::{CloudFlags, ReportFlags, WorkFlags, WorldFlags};
use crate::place::Place;

#[derive(Debug, Args)]
pub(crate) struct GenerateTables {
    #[command(flatten)]
    pub(crate) world: WorldFlags,
    /// Folder to write to, which shards may share, or s3://bucket/prefix
    #[arg(long, visible_alias = "output", value_name = "DIR", default_value = "data/landing_zone")]
    pub(crate) out: Place,
    /// CSV with a header line, or Parquet with typed columns
    #[arg(long, value_enum, default_value_t = TableFormat::Csv)]
    pub(crate) format: TableFormat,
    /// Only this part of the population: the second of seven is 2/7
    #[arg(long, value_name = "k/n", default_value = "1/1")]
    pub(crate) shard: Shard,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: ReportFlags,
}

/// The form of a table's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// Comma-separated values with a header line
    Csv,
    /// Parquet with dates, times, numbers and flags
    Parquet,
}
