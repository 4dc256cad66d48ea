//! The flags of `metriccare withdraw`.

use clap::Args;

use super::RepairFlags;

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// Keys of landed objects, as in the column sourcename of bronze/ingest_log
    #[arg(required_unless_present = "patient", value_name = "KEY")]
    pub(crate) objects: Vec<String>,
    /// Withdraw one patient instead: what names it as subject is taken out of every landed object
    #[arg(long, value_name = "ID", conflicts_with = "objects")]
    pub(crate) patient: Option<String>,
    /// Why they are withdrawn; it is kept in bronze/withdrawal, so it must not name a patient
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) flags: RepairFlags,
}
