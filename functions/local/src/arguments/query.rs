//! The flags of `metriccare query`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LakeFlag;

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// One SELECT in Athena's SQL; also SHOW TABLES, DESCRIBE gold_stay, EXPLAIN SELECT …
    #[arg(value_name = "SQL", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// File with the statement, such as those in infra/athena/queries
    #[arg(long, value_name = "FILE.sql")]
    pub(crate) file: Option<PathBuf>,
    /// How the rows are printed
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(crate) format: RowFormat,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// Aligned columns
    Table,
    /// Comma-separated values with a header line
    Csv,
    /// One array of objects, with null where there is no value
    Json,
}
