//! The flags of `metriccare quarantine`.

use clap::{Args, Subcommand};

use super::{LakeFlag, RepairFlags, RowFormat};

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List the quarantined records with their rules and reasons
    List(QuarantineList),
    /// Print one quarantined record as it came; it may be personal
    Show(QuarantineShow),
    /// Read the objects of quarantined records again, after a new version of the rules
    Retry(QuarantineRetry),
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineList {
    /// Only records that break this rule, such as bad-value
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// Only records of this landed object
    #[arg(long, value_name = "KEY")]
    pub(crate) object: Option<String>,
    /// How the rows are printed
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(crate) format: RowFormat,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineShow {
    /// Key of the landed object, the column sourcename of the list
    #[arg(value_name = "KEY")]
    pub(crate) object: String,
    /// Line of the record in the object
    #[arg(value_name = "LINE")]
    pub(crate) line: i64,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineRetry {
    /// Keys of landed objects [default: every object with quarantined records]
    #[arg(value_name = "KEY")]
    pub(crate) objects: Vec<String>,
    #[command(flatten)]
    pub(crate) flags: RepairFlags,
}
