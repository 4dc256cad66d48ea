//! The flags that describe a world; they have the names of a spec's fields.

use clap::Args;
use metriccare_world::Dial;
use serde::Serialize;

use super::{SpecFlag, WorldTables};

/// Flags that describe the world to simulate.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "World")]
pub(crate) struct WorldFlags {
    /// Patients in the population [default: 1000; for tables 10000]
    #[arg(long, visible_alias = "count", value_name = "N")]
    patients: Option<u64>,
    /// Year to simulate [default: 2025, or the year of --day]
    #[arg(long, value_name = "Y")]
    year: Option<i32>,
    /// Seed: the same seed gives the same bytes on every machine [default: 42]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Hospitals [default: 50]
    #[arg(long, value_name = "N")]
    facilities: Option<u32>,
    /// Clinicians [default: 500]
    #[arg(long, value_name = "N")]
    providers: Option<u32>,
    /// Exact number of encounters [default: 5 a patient on average]
    ///
    /// There is no exact total by default: it would make the stays of each patient depend on the size of the population,
    /// and without one patient i is the same in every population. For exactly 50,000 encounters and 100,000 claims of
    /// 10,000 patients: --encounters 50000 --claims 100000
    #[arg(long, value_name = "N")]
    encounters: Option<u64>,
    /// Exact number of claim lines in the tables [default: 10 a patient on average]
    #[arg(long, value_name = "N")]
    claims: Option<u64>,
    /// Approximate share of stays that are followed by another one within 30 days [default: 0.15]
    #[arg(long, value_name = "R", value_parser = number)]
    readmission_rate: Option<f64>,
    /// Approximate share of patients with high spending in the tables [default: 0.2]
    #[arg(long, value_name = "R", value_parser = number)]
    high_cost_rate: Option<f64>,
    /// Approximate share of fraudulent claim lines in the tables [default: 0.02]
    #[arg(long, value_name = "R", value_parser = number)]
    fraud_rate: Option<f64>,
    /// Share of versions that the day-by-day feed delivers late [default: 0.02]
    #[arg(long, value_name = "R", value_parser = number)]
    late_rate: Option<f64>,
    /// Share of resources that are wrong at first and corrected later [default: 0.01]
    #[arg(long, value_name = "R", value_parser = number)]
    correction_rate: Option<f64>,
    /// Faults to inject, such as duplicates=2%,late=1%,broken=0.5%
    #[arg(
        long,
        value_name = "SPEC",
        long_help = "Faults to inject into the FHIR data, as name=rate,…: duplicates, replays, out-of-order, late, \
        entered-in-error, overlaps, mixed-versions, offsets, bare-codes, foreign-types, truncated, wrong-types, bad-values, missing-ids, moved, deleted, \
        and broken for a third each of truncated, wrong-types and missing-ids. The answer key says how each fault \
        must be handled"
    )]
    dirty: Option<Dial>,
    /// Exact share of patients who die in hospital, in per cent
    #[arg(long, value_name = "P", value_parser = number)]
    mortality_pct: Option<f64>,
    /// Exact share of patients with a hospital-onset infection, in per cent
    #[arg(long, value_name = "P", value_parser = number)]
    infection_pct: Option<f64>,
    /// Exact share of patients who are readmitted within 30 days, in per cent
    #[arg(long, value_name = "P", value_parser = number)]
    readmission_pct: Option<f64>,
    /// Exact share of patients with a completed stay, in per cent; contains the three shares above
    #[arg(long, value_name = "P", value_parser = number)]
    alos_pct: Option<f64>,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) tables: WorldTables,
    #[command(flatten)]
    #[serde(skip)]
    pub(super) spec: SpecFlag,
}

/// Parses a finite number.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("it must be a number such as 0.5".to_owned()),
    }
}
