//! The flags that describe a world, and the spec that they and a file make.

use std::path::PathBuf;

use clap::Args;
use metriccare_world::{Dial, Spec};

use crate::failure::Failure;

/// Flags that describe the world to simulate.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "World")]
pub(crate) struct WorldFlags {
    /// Patients in the population [default: 1000; for tables 10000]
    #[arg(long, visible_alias = "count", value_name = "N")]
    patients: Option<u64>,
    /// Year to simulate [default: 2025]
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
    #[arg(long, value_name = "N")]
    encounters: Option<u64>,
    /// Exact number of claim lines in the tables [default: 10 a patient on average]
    #[arg(long, value_name = "N")]
    claims: Option<u64>,
    /// Share of stays that are followed by another one within 30 days, about [default: 0.15]
    #[arg(long, value_name = "R")]
    readmission_rate: Option<f64>,
    /// Share of patients whose spending the tables call high, about [default: 0.2]
    #[arg(long, value_name = "R")]
    high_cost_rate: Option<f64>,
    /// Share of claim lines in the tables that are fraudulent, about [default: 0.02]
    #[arg(long, value_name = "R")]
    fraud_rate: Option<f64>,
    /// Share of versions that the day-by-day feed delivers late [default: 0.02]
    #[arg(long, value_name = "R")]
    late_rate: Option<f64>,
    /// Share of resources that are wrong at first and corrected later [default: 0.01]
    #[arg(long, value_name = "R")]
    correction_rate: Option<f64>,
    /// Faults to put in on purpose, such as duplicates=2%,late=1%,broken=0.5%
    #[arg(
        long,
        value_name = "SPEC",
        long_help = "Faults to put into FHIR on purpose, as name=rate,…: duplicates, replays, out-of-order, late, \
        entered-in-error, overlaps, mixed-versions, offsets, bare-codes, foreign-types, truncated, wrong-types, bad-values, missing-ids, \
        and broken for a third each of truncated, wrong-types and missing-ids. The answer key says what has to become of \
        every fault"
    )]
    dirty: Option<Dial>,
    /// Exact share of patients who die in hospital, in per cent
    #[arg(long, value_name = "P")]
    mortality_pct: Option<f64>,
    /// Exact share of patients with a hospital-onset infection, in per cent
    #[arg(long, value_name = "P")]
    infection_pct: Option<f64>,
    /// Exact share of patients who are readmitted within 30 days, in per cent
    #[arg(long, value_name = "P")]
    readmission_pct: Option<f64>,
    /// Exact share of patients with a completed stay, in per cent; contains the three shares above
    #[arg(long, value_name = "P")]
    alos_pct: Option<f64>,
    /// A TOML file with any of these; flags win over it
    #[arg(long, value_name = "FILE.toml")]
    spec: Option<PathBuf>,
}

impl WorldFlags {
    /// The spec: the file's values, or the defaults, with the flags' over them.
    pub(crate) fn spec(&self) -> Result<Spec, Failure> {
        self.spec_of(Spec::default().patients)
    }

    /// The same, with another number of patients where neither the flags nor the file say one.
    pub(crate) fn spec_of(&self, patients: u64) -> Result<Spec, Failure> {
        let mut spec = match &self.spec {
            None => Spec { patients, ..Spec::default() },
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Failure::usage(format!("--spec {}: {error}", path.display())))?;
                read(&text, patients)
                    .map_err(|error| Failure::usage(format!("--spec {}: {}", path.display(), error.message())))?
            }
        };
        let set = |into: &mut u64, from: Option<u64>| *into = from.unwrap_or(*into);
        set(&mut spec.patients, self.patients);
        set(&mut spec.seed, self.seed);
        spec.year = self.year.unwrap_or(spec.year);
        spec.facilities = self.facilities.unwrap_or(spec.facilities);
        spec.providers = self.providers.unwrap_or(spec.providers);
        spec.encounters = self.encounters.or(spec.encounters);
        spec.claims = self.claims.or(spec.claims);
        spec.readmission_rate = self.readmission_rate.unwrap_or(spec.readmission_rate);
        spec.high_cost_rate = self.high_cost_rate.unwrap_or(spec.high_cost_rate);
        spec.fraud_rate = self.fraud_rate.unwrap_or(spec.fraud_rate);
        spec.late_rate = self.late_rate.unwrap_or(spec.late_rate);
        spec.correction_rate = self.correction_rate.unwrap_or(spec.correction_rate);
        spec.dirty = self.dirty.unwrap_or(spec.dirty);
        spec.mortality_pct = self.mortality_pct.or(spec.mortality_pct);
        spec.infection_pct = self.infection_pct.or(spec.infection_pct);
        spec.readmission_pct = self.readmission_pct.or(spec.readmission_pct);
        spec.alos_pct = self.alos_pct.or(spec.alos_pct);
        spec.validate()?;
        Ok(spec)
    }
}

fn read(text: &str, patients: u64) -> Result<Spec, toml::de::Error> {
    let spec: Spec = toml::from_str(text)?;
    let said = toml::from_str::<toml::Table>(text)?.contains_key("patients");
    Ok(if said { spec } else { Spec { patients, ..spec } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_patients_leaves_the_commands_own_number() {
        assert_eq!(read("year = 2024", 10_000).expect("a spec").patients, 10_000);
        assert_eq!(read("patients = 7", 10_000).expect("a spec").patients, 7);
        assert!(read("patiens = 7", 10_000).is_err());
    }
}
