//! Builds a job from a command's flags and its spec file.
//!
//! Flags win over the file, the file over the command's defaults. A field that a command does not support is an error, so
//! that the output is never mistaken for what was asked for.

use metriccare_landing::{Fields, Job};
use serde_json::{Value, json};

use super::{GenerateFhir, GenerateTables, Run, Simulate, SpecFlag};
use crate::{lake::location::OutputTarget, output::failure::Failure};

/// The default population of the fourth source document's generator.
const PATIENTS_OF_TABLES: u64 = 10_000;

impl Run {
    pub(crate) fn job(&self) -> Result<Job, Failure> {
        let own = json!({ "fhir_version": self.fhir_version, "day": self.day.map(|day| day.to_string()) });
        let fields = fields(&self.world, own, &self.world.spec)?;
        let why = "`metriccare run` lands the whole population as plain NDJSON; `generate fhir` takes it";
        refuse(&fields, &["shard", "format", "gzip"], why, &self.world.spec)?;
        Ok(Job::read(fields)?)
    }
}

impl GenerateFhir {
    pub(crate) fn job(&self) -> Result<Job, Failure> {
        let own = json!({
            "fhir_version": self.fhir_version,
            "format": self.format,
            "gzip": self.gzip,
            "day": self.day.map(|day| day.to_string()),
            "shard": self.shard.map(|shard| shard.to_string()),
        });
        let fields = fields(&self.world, own, &self.world.spec)?;
        if self.out == OutputTarget::Stdout {
            let why = "faults come with an answer key, which needs a folder: leave `--out -` out";
            refuse(&fields, &["dirty"], why, &self.world.spec)?;
        }
        Ok(Job::read(fields)?)
    }
}

impl GenerateTables {
    pub(crate) fn job(&self) -> Result<Job, Failure> {
        let own = json!({
            "format": self.format,
            "gzip": self.gzip,
            "shard": self.shard.map(|shard| shard.to_string()),
        });
        let fields = fields(&self.world, own, &self.world.spec)?;
        let why = "the tables are of the whole year and clean; `generate fhir` takes it";
        refuse(&fields, &["day", "fhir_version", "dirty"], why, &self.world.spec)?;
        let defaults = Fields::from_value(json!({ "patients": PATIENTS_OF_TABLES }))?;
        Ok(Job::read(fields.over(defaults))?)
    }
}

impl Simulate {
    /// The fields that the flags and the file set; the simulator asks for the others.
    pub(crate) fn fields(&self) -> Result<Fields, Failure> {
        let fields = fields(self, Value::Object(serde_json::Map::new()), &self.spec)?;
        let why =
            "`metriccare simulate` writes the whole year, clean, as one JSON array a type; `generate fhir` takes it";
        refuse(&fields, &["day", "shard", "format", "gzip", "dirty"], why, &self.spec)?;
        Ok(fields)
    }
}

/// The fields of the flags over those of the file.
fn fields(flags: &impl serde::Serialize, own: Value, file: &SpecFlag) -> Result<Fields, Failure> {
    let flags = serde_json::to_value(flags).map_err(|error| Failure::usage(error.to_string()))?;
    let fields = Fields::from_value(own)?.over(Fields::from_value(flags)?).over(file.fields()?);
    let why = "it is for the generator function; the command's name says which view is written";
    refuse(&fields, &["view"], why, file)?;
    Ok(fields)
}

fn refuse(fields: &Fields, names: &[&str], why: &str, file: &SpecFlag) -> Result<(), Failure> {
    fields.refuse(names, why).map_err(|error| match file.path() {
        Some(path) => Failure::usage(format!("{error} (--spec {})", path.display())),
        None => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use metriccare_landing::{FileFormat, Format, Shard};

    use super::*;
    use crate::arguments::{Arguments, Command, Generate};

    fn generate_fhir(flags: &[&str]) -> Job {
        let parsed = Arguments::try_parse_from([&["metriccare", "generate", "fhir"], flags].concat());
        let Ok(Arguments { command: Command::Generate(Generate::Fhir(flags)) }) = parsed else { panic!("{parsed:?}") };
        flags.job().expect("possible")
    }

    #[test]
    fn flags_set_every_field_of_a_job() {
        let job = generate_fhir(&[
            "--patients=7",
            "--year=2024",
            "--seed=18446744073709551615",
            "--facilities=3",
            "--providers=9",
            "--encounters=70",
            "--claims=99",
            "--readmission-rate=0.1",
            "--high-cost-rate=0.3",
            "--fraud-rate=0.01",
            "--late-rate=0.05",
            "--correction-rate=0.03",
            "--dirty=late=1%,broken=0.5%",
            "--mortality-pct=10",
            "--infection-pct=20",
            "--readmission-pct=15",
            "--alos-pct=90",
            "--fhir-version=r4",
            "--format=bundle",
            "--gzip",
            "--day=2024-02-29",
            "--shard=2/3",
        ]);
        let default = Job::of(metriccare_world::Spec::default()).to_value();
        let set = job.to_value();
        assert!(set.as_object().is_some_and(|fields| fields.len() == 22));
        assert!(set.as_object().into_iter().flatten().all(|(name, value)| default.get(name) != Some(value)), "{set}");
        assert_eq!((job.shard, job.gzip), (Some(Shard { part: 2, of: 3 }), Some(true)));
        assert_eq!(job.format, Some(FileFormat::Resources(Format::Bundle)));
    }

    #[test]
    fn no_flags_give_the_default_job() {
        assert_eq!(generate_fhir(&[]), Job::of(metriccare_world::Spec::default()));
        assert_eq!(generate_fhir(&["--gzip=false"]).gzip, Some(false));
    }
}
