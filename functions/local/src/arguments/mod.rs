//! The command line: every command, flag and default, explained for someone who has not read the documentation.

mod cloud;
mod compact;
mod explain;
mod job;
mod quarantine;
mod query;
mod rebuild;
mod report;
mod show;
mod simulate;
mod spec;
mod stats;
mod tables;
mod withdraw;
mod world;
mod world_tables;

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use metriccare_fhir::{read::time, write::Date};
use metriccare_lake::settings::MOST_BUCKETS;
use metriccare_landing::Shard;
use serde::Serialize;

use crate::lake::{
    landing_key::SourceName,
    location::{DataLocation, OutputTarget},
};

pub(crate) use self::{
    cloud::{CloudFlags, LakeFlag, Redrive, TablesFlag, Upload},
    compact::Compact,
    explain::{Explain, ExplainObject, ExplainReadmission, ExplainStay},
    quarantine::{Quarantine, QuarantineList, QuarantineRetry, QuarantineShow},
    query::{Query, RowFormat},
    rebuild::{Rebuild, RebuildLayer},
    report::ReportFlags,
    show::{Condition, Show},
    simulate::Simulate,
    spec::SpecFlag,
    stats::Stats,
    tables::{GenerateTables, TableName},
    withdraw::Withdraw,
    world::WorldFlags,
    world_tables::WorldTables,
};
#[cfg(feature = "aws")]
pub(crate) use cloud::{RedriveSource, RedriveStage};

/// A lakehouse for hospital quality metrics: synthetic or your own FHIR in, CMS-style metrics out.
#[derive(Debug, Parser)]
#[command(name = "metriccare", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Start with `metriccare run`: it only needs a folder to write to.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Generate a population, land it as FHIR, process it through bronze, silver and gold, print the metrics
    Run(Run),
    /// Generate data and write it to a folder, to S3 or to standard output
    #[command(subcommand)]
    Generate(Generate),
    /// The CMS simulator: a cohort with exact shares of deaths, infections and readmissions; asks for what no flag sets
    Simulate(Simulate),
    /// Process your own FHIR, or tables as CSV and Parquet, with the same pipeline
    Ingest(Ingest),
    /// Check a lake: conservation, gold rebuilt from landing, the generator's answer key, keys of the tables
    Verify(Verify),
    /// Query the lake in Athena's SQL; tables have their Glue names, such as gold_readmission
    Query(Query),
    /// Print a table of the lake, without an SQL engine
    Show(Show),
    /// Explain a readmission rate, the verdicts on one stay, or what happened to one landed object
    #[command(subcommand)]
    Explain(Explain),
    /// Write one self-contained HTML page with the lake's metrics, charts and tables
    Report(Report),
    /// Show what ingest would accept, quarantine and skip, without loading anything
    Doctor(Doctor),
    /// Compute silver and gold again, after a damaged file or a new version of the rules
    Rebuild(Rebuild),
    /// Take landed objects, or a patient, out of the lake, as if they had never landed
    Withdraw(Withdraw),
    /// Make few files of the many small ones that bronze has after a while; queries go on meanwhile
    Compact(Compact),
    /// List, show or retry the records that could not be read
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Count the files, bytes and rows of the lake by table and partition
    Stats(Stats),
    /// Upload a folder to S3: checks the credentials first, uploads only what is not there yet
    Upload(Upload),
    /// Process failed messages of a deployed stack again, or landed objects whose notification was lost
    Redrive(Redrive),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Generate {
    /// FHIR resources: Patient, Encounter, Condition and their hospitals
    Fhir(GenerateFhir),
    /// Eight relational tables: patients, providers, facilities, encounters, claims, registry, measures, infections
    Tables(GenerateTables),
}

/// Flags of the commands that replace what a lake holds.
#[derive(Debug, Clone, Args)]
pub(crate) struct RepairFlags {
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    work: WorkFlags,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

impl RepairFlags {
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.work.threads()
    }
}

/// Flags about how work is done.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Work")]
pub(crate) struct WorkFlags {
    /// Threads to use [default: one a core]
    #[arg(long, value_name = "T")]
    threads: Option<NonZeroUsize>,
}

impl WorkFlags {
    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) world: WorldFlags,
    /// FHIR version to land [default: r5]
    #[arg(long, value_enum)]
    pub(crate) fhir_version: Option<Version>,
    /// Land only what the year's feed delivers on this day; all days together make the year
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) day: Option<Date>,
    /// Buckets of patients in a new lake's silver [default: a power of two with at most 25,000 patients each, at least 16]
    #[arg(long, value_name = "B", value_parser = value_parser!(u16).range(1..=i64::from(MOST_BUCKETS)))]
    pub(crate) buckets: Option<u16>,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: AnswerFlags,
}

/// Flags about how the result is printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct AnswerFlags {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with status 1 if records are quarantined
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateFhir {
    #[command(flatten)]
    pub(crate) world: WorldFlags,
    /// Folder or s3://bucket/prefix to write to, which shards may share, or - for standard output
    #[arg(long, visible_alias = "output", value_name = "DIR", default_value = "./out")]
    pub(crate) out: OutputTarget,
    /// FHIR version to write [default: r5]
    #[arg(long, value_enum)]
    pub(crate) fhir_version: Option<Version>,
    /// One resource a line, one Bundle a file, or one JSON array a file [default: ndjson]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Compress every file with gzip
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) gzip: Option<bool>,
    /// Only what became known on this day of the year
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) day: Option<Date>,
    /// Only this part of the population: the second of seven is 2/7
    #[arg(long, value_name = "k/n")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) cloud: CloudFlags,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: ReportFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// Files or folders: FHIR R4, R4B or R5 as a resource, an array, a Bundle or NDJSON, and the tables of `generate
    /// tables` as CSV or Parquet, each also as .gz; with none, what is already in the lake's landing location
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The server that the files come from, where several servers number their resources alike: ids become NAME:id
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<SourceName>,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: AnswerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) tables: TablesFlag,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// File to write; an existing one is replaced
    #[arg(long, visible_alias = "output", value_name = "FILE.html", default_value = "report.html")]
    pub(crate) out: DataLocation,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) tables: TablesFlag,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Files or folders to check
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: AnswerFlags,
}

/// A FHIR version that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Version {
    /// FHIR 5.0.0
    R5,
    /// FHIR 4.0.1
    R4,
}

/// The form of a file of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// One resource a line, one type a file
    Ndjson,
    /// One Bundle a file, with all types
    Bundle,
    /// One JSON array a file, one type a file
    Json,
}

fn day(text: &str) -> Result<Date, String> {
    match time::parse(text) {
        Some(time::Moment::Day(days)) => Ok(Date(days)),
        _ => Err("a day is YYYY-MM-DD, such as 2025-03-01".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flag_names_of_the_source_documents_are_accepted() {
        let parsed = Arguments::try_parse_from(["metriccare", "generate", "fhir", "--count", "7", "--output", "x"]);
        let Ok(Arguments { command: Command::Generate(Generate::Fhir(arguments)) }) = parsed else { panic!("refused") };
        assert_eq!(arguments.job().expect("possible").spec.patients, 7);
        assert_eq!(arguments.out, OutputTarget::Location(DataLocation::Folder("x".into())));
    }
}
