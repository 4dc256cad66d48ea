//! The flags of `metriccare generate tables`.

use clap::{Args, ValueEnum};
use metriccare_landing::Shard;
use serde::Serialize;

use super::{CloudFlags, ReportFlags, WorkFlags, WorldFlags};
use crate::lake::location::DataLocation;

#[derive(Debug, Args)]
pub(crate) struct GenerateTables {
    #[command(flatten)]
    pub(crate) world: WorldFlags,
    /// Folder to write to, which the shards of one world may share, or s3://bucket/prefix
    #[arg(long, visible_alias = "output", value_name = "DIR", default_value = "data/landing_zone")]
    pub(crate) out: DataLocation,
    /// CSV with a header line, or Parquet with typed columns [default: csv]
    #[arg(long, value_enum)]
    pub(super) format: Option<TableFormat>,
    /// Compress every CSV file with gzip
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) gzip: Option<bool>,
    /// Only this part of the population: the second of seven is 2/7
    #[arg(long, value_name = "k/n")]
    pub(super) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: ReportFlags,
}

/// The form of a table's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TableFormat {
    /// Comma-separated values with a header line
    Csv,
    /// Parquet with dates, times, numbers and flags
    Parquet,
}
