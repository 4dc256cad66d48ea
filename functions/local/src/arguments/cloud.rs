//! The flags for locations on S3, and for the commands that only concern AWS.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::lake::{landing_key::SourceName, location::DataLocation};

/// Where the AWS credentials come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct CloudFlags {
    /// File with AWS_ACCESS_KEY_ID (or AWS_ACCESS_KEY), AWS_SECRET_ACCESS_KEY (or AWS_SECRET_KEY), AWS_REGION,
    /// AWS_ENDPOINT_URL, S3_BUCKET_NAME; environment variables win over it [default: .env, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
}

/// The lake to work on.
#[derive(Debug, Clone, Args)]
pub(crate) struct LakeFlag {
    /// Folder or s3://bucket/prefix of the lake; `run` and `ingest` create it if it does not exist
    #[arg(long, value_name = "DIR|s3://…", default_value = "./lake")]
    pub(crate) lake: DataLocation,
    /// Landing location of a lake on S3 [default: the landing bucket of its stack, else landing/ inside the lake]
    #[arg(long, value_name = "s3://…", help_heading = "AWS")]
    pub(crate) landing: Option<DataLocation>,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
}

/// Where silver and gold are read from.
#[derive(Debug, Clone, Args)]
pub(crate) struct TablesFlag {
    /// Read silver and gold from this folder, which another engine wrote (infra/spark/rebuild.py), not from the lake
    #[arg(long, value_name = "DIR")]
    pub(crate) tables: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// Folder to upload; each file keeps its path within the folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Target [default: the bucket that S3_BUCKET_NAME names]
    #[arg(value_name = "s3://bucket/prefix")]
    pub(crate) to: Option<DataLocation>,
    /// The server that the files come from, where several servers number their resources alike: ids become NAME:id
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<SourceName>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// Only the dead-letter queue of this stage [default: all four]
    #[arg(long, value_enum)]
    pub(crate) stage: Option<RedriveStage>,
    /// What to process again: dead letters, or what a layer has and the next one lacks
    #[arg(long, value_enum, default_value_t = RedriveSource::DeadLetters)]
    pub(crate) from: RedriveSource,
    /// Name of the deployed stack
    #[arg(long, default_value = "metriccare")]
    pub(crate) stack: String,
    /// At most this many messages a second [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=500))]
    pub(crate) per_second: Option<i32>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
}

/// A function that has its own queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedriveStage {
    /// Shards of specs, and schedules that failed
    Generator,
    /// Landed objects
    Bronze,
    /// Commits of bronze
    Silver,
    /// Commits of silver
    Gold,
}

/// What to process again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedriveSource {
    /// Messages that failed eight times and are in a dead-letter queue
    DeadLetters,
    /// Landed objects without a bronze commit, whose notification was lost
    Landing,
    /// Commits of bronze that silver has not merged
    Bronze,
    /// Buckets of silver that gold has not measured, or by older rules
    Silver,
}
