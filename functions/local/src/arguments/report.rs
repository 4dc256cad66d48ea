//! The flags about how a generator reports its output.

use clap::Args;

/// Flags about how the result is printed.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ReportFlags {
    /// Compare the generated figures with the published ones: target, actual, source, and which are outside
    #[arg(long)]
    pub(crate) report: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
