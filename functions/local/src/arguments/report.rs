//! The flags that say how a generator reports what it made.

use clap::Args;

/// Flags that say how the answer is given.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct ReportFlags {
    /// Print the world's figures beside the published ones: target, got, source, and which are off
    #[arg(long)]
    pub(crate) report: bool,
    /// Print one machine-readable object instead of words
    #[arg(long)]
    pub(crate) json: bool,
}
