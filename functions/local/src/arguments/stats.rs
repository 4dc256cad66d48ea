//! The flags of `metriccare stats`.

use clap::Args;

use super::LakeFlag;

#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Show every partition of every table
    #[arg(long)]
    pub(crate) partitions: bool,
    /// Show what each named query of infra/athena/queries scans at most
    #[arg(long)]
    pub(crate) queries: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
}
