//! The flags of `metriccare rebuild`.

use clap::{Args, ValueEnum};

use super::RepairFlags;

#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// What silver and gold are rebuilt from; from landing, bronze is rebuilt as well
    #[arg(long, value_enum, default_value_t = RebuildLayer::Bronze)]
    pub(crate) from: RebuildLayer,
    #[command(flatten)]
    pub(crate) flags: RepairFlags,
}

/// The layer that a lake is rebuilt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RebuildLayer {
    /// The bronze tables
    Bronze,
    /// The landed objects
    Landing,
}
