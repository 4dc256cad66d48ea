//! The command line: every command, flag and default, in words for a person who has not read the documentation.

mod cloud;
mod explain;
mod job;
mod query;
mod report;
mod simulate;
mod spec;
mod tables;
mod world;

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use metriccare_fhir::{read::time, write::Date};
use metriccare_landing::Shard;
use serde::Serialize;

use crate::lake::location::DataLocation;

pub(crate) use self::{
    cloud::{CloudFlags, LakeFlag, Redrive, Upload},
    explain::{Explain, ExplainReadmission, ExplainStay},
    query::Query,
    report::ReportFlags,
    simulate::Simulate,
    spec::SpecFlag,
    tables::GenerateTables,
    world::WorldFlags,
};
#[cfg(feature = "aws")]
pub(crate) use cloud::{Lost, RedriveStage};
#[cfg(feature = "query")]
pub(crate) use query::Shape;

/// A lakehouse for hospital quality metrics: synthetic or your own FHIR in, CMS-style metrics out.
#[derive(Debug, Parser)]
#[command(name = "metriccare", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Begin with `metriccare run`: it needs nothing but a folder to write to.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a population, land it as FHIR, carry it through bronze, silver and gold, print the metrics
    Run(Run),
    /// Make data and write it to a folder
    #[command(subcommand)]
    Generate(Generate),
    /// The CMS simulator: a cohort with exact shares of deaths, infections and readmissions; asks what no flag says
    Simulate(Simulate),
    /// Take foreign FHIR files or folders through the same pipeline
    Ingest(Ingest),
    /// Check a lake: conservation, gold rebuilt from landing, the generator's answer key
    Verify(Verify),
    /// Ask the lake in Athena's SQL; tables go by their Glue names, such as gold_readmission
    Query(Query),
    /// Say how a number came about: a readmission rate, or the verdicts on one stay
    #[command(subcommand)]
    Explain(Explain),
    /// Write one self-contained page with the lake's metrics, charts and tables
    Report(Report),
    /// Say what ingest would accept, quarantine and skip, without loading anything
    Doctor(Doctor),
    /// Send a folder to S3: checks the credentials first, sends only what is not there yet
    Upload(Upload),
    /// Give failed messages of a deployed stack back to their stages, or tell of objects that nobody heard of
    Redrive(Redrive),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Generate {
    /// FHIR resources: Patient, Encounter, Condition and their hospitals
    Fhir(GenerateFhir),
    /// Eight relational tables: patients, providers, facilities, encounters, claims, registry, measures, infections
    Tables(GenerateTables),
}

/// Flags that say how work is done.
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
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
    #[command(flatten)]
    pub(crate) work: WorkFlags,
    #[command(flatten)]
    pub(crate) answer: AnswerFlags,
}

/// Flags that say how the answer is given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct AnswerFlags {
    /// Print one machine-readable object instead of words
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with status 1 where records are quarantined
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateFhir {
    #[command(flatten)]
    pub(crate) world: WorldFlags,
    /// Folder or s3://bucket/prefix to write to; shards may share it
    #[arg(long, visible_alias = "output", value_name = "DIR", default_value = "./out")]
    pub(crate) out: DataLocation,
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
    /// Files or folders: a resource, an array, a Bundle or NDJSON each, also as .gz, FHIR R4, R4B or R5; with none,
    /// what lies in the lake's landing place already is carried through
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
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
    pub(crate) work: WorkFlags,
    /// Print one machine-readable object instead of words
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// File to write; a page that was there is replaced
    #[arg(long, visible_alias = "output", value_name = "FILE.html", default_value = "report.html")]
    pub(crate) out: DataLocation,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Files or folders to look at
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
    fn source_documents_names_are_accepted() {
        let parsed = Arguments::try_parse_from(["metriccare", "generate", "fhir", "--count", "7", "--output", "x"]);
        let Ok(Arguments { command: Command::Generate(Generate::Fhir(arguments)) }) = parsed else { panic!("refused") };
        assert_eq!(arguments.job().expect("possible").spec.patients, 7);
        assert_eq!(arguments.out, DataLocation::Folder("x".into()));
    }
}
