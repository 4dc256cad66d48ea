//! The flags of places on S3, and of the commands that are about AWS alone.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::lake::location::DataLocation;

/// Where the login for AWS comes from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct CloudFlags {
    /// File with AWS_ACCESS_KEY_ID (or AWS_ACCESS_KEY), AWS_SECRET_ACCESS_KEY (or AWS_SECRET_KEY), AWS_REGION,
    /// AWS_ENDPOINT_URL, S3_BUCKET_NAME; the environment comes first [default: .env, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
}

/// The lake to work on.
#[derive(Debug, Clone, Args)]
pub(crate) struct LakeFlag {
    /// Folder or s3://bucket/prefix of the lake; made where there is none
    #[arg(long, value_name = "PLACE", default_value = "./lake")]
    pub(crate) lake: DataLocation,
    /// Where the data of a lake on S3 lands [default: the landing bucket of its stack, else landing/ inside the lake]
    #[arg(long, value_name = "s3://…", help_heading = "AWS")]
    pub(crate) landing: Option<DataLocation>,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// Folder to send; each file goes below the target under its path in the folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Where to [default: the bucket that S3_BUCKET_NAME names]
    #[arg(value_name = "s3://bucket/prefix")]
    pub(crate) to: Option<DataLocation>,
    /// Print one machine-readable object instead of words
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// Only the dead letters of this stage [default: of all four]
    #[arg(long, value_enum)]
    pub(crate) stage: Option<RedriveStage>,
    /// What to bring back: messages that failed five times, or landed objects that nobody heard of
    #[arg(long, value_enum, default_value_t = Lost::DeadLetters)]
    pub(crate) from: Lost,
    /// Name of the deployed stack
    #[arg(long, default_value = "metriccare")]
    pub(crate) stack: String,
    /// Messages a second, where a stage should not be flooded [default: as fast as the queue goes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=500))]
    pub(crate) per_second: Option<i32>,
    /// Say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
}

/// A function with a queue of its own.
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

/// What was lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lost {
    /// Messages that were given up after five deliveries
    DeadLetters,
    /// Landed objects without a commit of bronze, whose notification was lost
    Landing,
}
