//! The flags of `metriccare generate tables`.

use clap::{Args, ValueEnum};
use metriccare_landing::Shard;
use metriccare_world::view::tables::{
    CLAIMS, CMS_MEASURES, ENCOUNTERS, FACILITIES, HAI_DATA, PATIENTS, PROVIDERS, REGISTRY, Table,
};
use serde::Serialize;

use super::{CloudFlags, ReportFlags, WorkFlags, WorldFlags};
use crate::lake::location::OutputTarget;

#[derive(Debug, Args)]
pub(crate) struct GenerateTables {
    #[command(flatten)]
    pub(crate) world: WorldFlags,
    /// Only this table [default: all eight]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) table: Option<TableName>,
    /// Folder to write to, which the shards of one world may share, s3://bucket/prefix, or - for standard output
    #[arg(long, visible_alias = "output", value_name = "DIR", default_value = "data/landing_zone")]
    pub(crate) out: OutputTarget,
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

/// A table of the relational set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum TableName {
    /// One row a patient
    Patients,
    /// One row an encounter
    Encounters,
    /// One row a claim line
    Claims,
    /// One row a registry entry
    Registry,
    /// One row a clinician
    Providers,
    /// One row a hospital or clinic
    Facilities,
    /// One row a facility and measure
    CmsMeasures,
    /// One row a facility and infection type
    HaiData,
}

impl TableName {
    /// The table's columns.
    pub(crate) fn table(self) -> &'static Table {
        match self {
            TableName::Patients => &PATIENTS,
            TableName::Encounters => &ENCOUNTERS,
            TableName::Claims => &CLAIMS,
            TableName::Registry => &REGISTRY,
            TableName::Providers => &PROVIDERS,
            TableName::Facilities => &FACILITIES,
            TableName::CmsMeasures => &CMS_MEASURES,
            TableName::HaiData => &HAI_DATA,
        }
    }
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
