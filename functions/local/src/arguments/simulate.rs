//! The flags of `metriccare simulate`: each answers one of the simulator's questions in advance.

use clap::Args;
use serde::Serialize;

use super::{CloudFlags, SpecFlag, Version, WorkFlags, WorldTables, world::number};
use crate::lake::location::DataLocation;

#[derive(Debug, Args, Serialize)]
#[command(
    after_help = "What no flag sets is asked for on a terminal, or read from standard input, one answer a line; an \
    empty answer or the end of the input gives the defaults:\n  printf '100\\n2023\\n' | metriccare simulate"
)]
pub(crate) struct Simulate {
    /// Patients in the cohort [default: 500]
    #[arg(long, visible_alias = "count", value_name = "N")]
    pub(crate) patients: Option<u64>,
    /// Year to simulate [default: 2023]
    #[arg(long, value_name = "Y")]
    pub(crate) year: Option<i32>,
    /// Exact share of patients who die in hospital, in per cent [default: 10]
    #[arg(long, value_name = "P", value_parser = number)]
    pub(crate) mortality_pct: Option<f64>,
    /// Exact share of patients with a hospital-onset infection, in per cent [default: 20]
    #[arg(long, value_name = "P", value_parser = number)]
    pub(crate) infection_pct: Option<f64>,
    /// Exact share of patients who are readmitted within 30 days, in per cent [default: 15]
    #[arg(long, value_name = "P", value_parser = number)]
    pub(crate) readmission_pct: Option<f64>,
    /// Exact share of patients with a completed stay, in per cent; contains the three others [default: 100]
    #[arg(long, value_name = "P", value_parser = number)]
    pub(crate) alos_pct: Option<f64>,
    /// Seed: the same seed gives the same bytes on every machine [default: 42]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) tables: WorldTables,
    #[command(flatten)]
    #[serde(skip)]
    pub(super) spec: SpecFlag,
    /// Folder or s3://bucket/prefix in which fhir_data/json/{patient,encounter,condition} is made
    #[arg(long, visible_alias = "output", value_name = "DIR", default_value = ".")]
    #[serde(skip)]
    pub(crate) out: DataLocation,
    /// Upload the files to the bucket that S3_BUCKET_NAME names, as s3://…/fhir_data/json/…; needs the feature aws
    #[arg(long)]
    #[serde(skip)]
    pub(crate) upload: bool,
    /// FHIR version to write [default: r5]
    #[arg(long, value_enum)]
    pub(crate) fhir_version: Option<Version>,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) cloud: CloudFlags,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) work: WorkFlags,
}
