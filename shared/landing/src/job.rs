//! A spec with its request: the one struct behind the command's flags, the spec file and the generator's payload.
//!
//! Written down, a job is one flat object: the fields of a spec, and beside them `view`, `day`, `shard`,
//! `fhir_version`, `format` and `gzip`, in JSON as in TOML. An unknown field is refused by name, and so is an impossible value.

use std::num::NonZeroUsize;

use metriccare_fhir::{
    read::time::{self, Moment},
    write::{Date, FhirVersion},
};
use metriccare_world::{Spec, SpecError};
use serde_json::Value;

use crate::{Fields, FileFormat, Format, Request, Shard, TableFormat, TablesRequest, View};

/// Patients of a whole year that one invocation lands.
const YEAR_SHARE: u64 = 20_000;
/// Patients of one day that one invocation lands: little happens on a day.
const DAY_SHARE: u64 = 500_000;

/// Patients whose tables one invocation lands.
const TABLES_SHARE: u64 = 100_000;

/// A spec with its request.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The world.
    pub spec: Spec,
    /// Resources or tables, where the function lands them; a command's name says it.
    pub view: View,
    /// One day of its feed instead of the whole year.
    pub day: Option<Date>,
    /// A part of its population; without one, all of it, in as many parts as it needs.
    pub shard: Option<Shard>,
    /// The FHIR version to write; without one, R5.
    pub version: Option<FhirVersion>,
    /// The form of a file; without one, the first of the view's.
    pub format: Option<FileFormat>,
    /// Whether every file is compressed; it is not where nobody says so.
    pub gzip: Option<bool>,
}

/// Why a job is refused.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It is no object.
    #[error("a job is an object with the fields of a spec, such as {{\"patients\": 1000}}")]
    NoObject,
    /// A field is not what it may be, or is none of a job's.
    #[error("{0}")]
    Field(String),
    /// The spec asks for what cannot be.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

impl Job {
    /// The whole year of a spec, in the forms that are written where nobody asks for others.
    pub fn of(spec: Spec) -> Self {
        Job { spec, view: View::Fhir, day: None, shard: None, version: None, format: None, gzip: None }
    }

    /// Makes the job that fields say.
    ///
    /// # Errors
    /// A field with a value that it cannot have, by name, value and range.
    pub fn read(fields: Fields) -> Result<Self, JobError> {
        let job = Job::unchecked(fields)?;
        job.spec.validate()?;
        match job.day {
            Some(day) if day.ymd().0 != job.spec.year => {
                let year = job.spec.year;
                Err(JobError::Field(format!("day is {day}: it must be a day of the world's year, which is {year}")))
            }
            _ => Ok(job),
        }
    }

    /// The same before other fields are laid over these: values are of their kind, and may be impossible together.
    ///
    /// # Errors
    /// A field with a value of another kind than its own.
    pub fn unchecked(mut fields: Fields) -> Result<Self, JobError> {
        let view = fields.take("view", "fhir or tables", |text| match text {
            "fhir" => Some(View::Fhir),
            "tables" => Some(View::Tables),
            _ => None,
        })?;
        let day = fields.take("day", "YYYY-MM-DD, such as 2025-03-01", |text| match time::parse(text) {
            Some(Moment::Day(days)) => Some(Date(days)),
            _ => None,
        })?;
        let shard = fields.take("shard", "k/n with k from 1 to n, such as 2/7", |text| text.parse().ok())?;
        let version = fields.take("fhir_version", "r5 or r4", |text| match text {
            "r5" => Some(FhirVersion::R5),
            "r4" => Some(FhirVersion::R4),
            _ => None,
        })?;
        let format = fields.take("format", &FileFormat::allowed(), FileFormat::named)?;
        let gzip = fields.take_flag("gzip")?;
        let year_is_set = fields.says("year");
        let mut spec = fields.spec()?;
        if let Some(day) = day.filter(|_| !year_is_set) {
            spec.year = day.ymd().0;
        }
        Ok(Job { view: view.unwrap_or_default(), day, shard, version, format, gzip, spec })
    }

    /// Reads a job that stands alone.
    ///
    /// # Errors
    /// What [`Fields::from_value`] and [`read`](Self::read) refuse.
    pub fn from_value(value: Value) -> Result<Self, JobError> {
        Job::read(Fields::from_value(value)?)
    }

    /// Writes a job as [`from_value`](Self::from_value) reads it.
    pub fn to_value(&self) -> Value {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&self.spec) else { return Value::Null };
        let said = [
            ("view", (self.view == View::Tables).then(|| "tables".into())),
            ("day", self.day.map(|day| day.to_string().into())),
            ("shard", self.shard.map(|shard| shard.to_string().into())),
            ("fhir_version", self.version.map(|version| if version == FhirVersion::R4 { "r4" } else { "r5" }.into())),
            ("format", self.format.map(|format| format.name().into())),
            ("gzip", self.gzip.map(Value::from)),
        ];
        fields.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(fields)
    }

    /// The parts that this job is cut into: itself where one invocation can do it, or where it is a part already.
    pub fn shards(&self) -> Vec<Job> {
        let share = match (self.view, self.day) {
            (View::Tables, _) => TABLES_SHARE,
            (View::Fhir, Some(_)) => DAY_SHARE,
            (View::Fhir, None) => YEAR_SHARE,
        };
        let parts = self.spec.patients.div_ceil(share);
        if self.shard.is_some() || parts <= 1 {
            return vec![self.clone()];
        }
        (1..=parts).map(|part| Job { shard: Some(Shard { part, of: parts }), ..self.clone() }).collect()
    }

    /// What to write of the world as FHIR, on so many threads.
    ///
    /// # Errors
    /// A format that tables have.
    pub fn request(&self, threads: NonZeroUsize) -> Result<Request, JobError> {
        let format = match self.format {
            None => Format::default(),
            Some(FileFormat::Resources(format)) => format,
            Some(other) => return Err(other.refused("ndjson, bundle or json for FHIR")),
        };
        Ok(Request {
            version: self.version.unwrap_or_default(),
            format,
            gzip: self.gzip.unwrap_or_default(),
            day: self.day,
            shard: self.shard.unwrap_or(Shard::WHOLE),
            threads,
        })
    }

    /// How to land the tables of the world, on so many threads.
    ///
    /// # Errors
    /// What tables do not have.
    pub fn tables_request(&self, threads: NonZeroUsize) -> Result<TablesRequest, JobError> {
        let refused = |field: String| Err(JobError::Field(field));
        if let Some(day) = self.day {
            return refused(format!("day is {day}: tables are of a whole year; leave it out"));
        }
        if self.version.is_some() {
            return refused("fhir_version: tables have none; leave it out".to_owned());
        }
        if self.spec.dirty != Spec::default().dirty {
            return refused("dirty: tables are clean; leave it out".to_owned());
        }
        if self.tables()? == TableFormat::Parquet {
            return refused(
                "format is parquet: tables land as csv; `metriccare generate tables` writes Parquet".to_owned(),
            );
        }
        Ok(TablesRequest { gzip: self.gzip.unwrap_or_default(), shard: self.shard.unwrap_or(Shard::WHOLE), threads })
    }

    /// The form of the files of tables.
    ///
    /// # Errors
    /// A format that resources have, and Parquet in gzip.
    pub fn tables(&self) -> Result<TableFormat, JobError> {
        match (self.format, self.gzip) {
            (Some(FileFormat::Tables(TableFormat::Parquet)), Some(true)) => {
                Err(JobError::Field("gzip is true: Parquet is compressed already, only csv can be in gzip".to_owned()))
            }
            (None, _) => Ok(TableFormat::default()),
            (Some(FileFormat::Tables(format)), _) => Ok(format),
            (Some(other), _) => Err(other.refused("csv or parquet for tables")),
        }
    }
}

impl FileFormat {
    fn refused(self, allowed: &str) -> JobError {
        JobError::Field(format!("format is {}: it must be {allowed}", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A job with every field, none of which has its default.
    fn full() -> Value {
        json!({
            "patients": 70, "year": 2024, "seed": u64::MAX, "facilities": 7, "providers": 77, "encounters": 777,
            "claims": 1_777, "readmission_rate": 0.123_456_789_012_345_67, "high_cost_rate": 0.1 + 0.2,
            "fraud_rate": 0.01 / 3.0, "late_rate": 1.0 / 3.0, "correction_rate": 2.0 / 3.0,
            "dirty": "broken=0.5%,late=0.1%,offsets=30%", "mortality_pct": 3.1, "infection_pct": 10.0 / 3.0,
            "readmission_pct": 5.7, "alos_pct": 77.7, "day": "2024-02-29", "shard": "2/3", "fhir_version": "r4",
            "format": "bundle", "gzip": true, "view": "tables",
        })
    }

    #[test]
    fn every_field_survives_its_json() {
        let job = Job::from_value(full()).expect("possible");
        let (plain, none) = (Job::of(Spec::default()).to_value(), Value::Null);
        let written = job.to_value();
        for name in Spec::fields().chain(crate::fields::OWN) {
            assert_ne!(written.get(name).unwrap_or(&none), plain.get(name).unwrap_or(&none), "{name}");
        }
        // As text, as a queue carries it: not the last bit of a rate may be lost, or a shard would be of another world.
        let sent: Value = serde_json::from_str(&written.to_string()).expect("JSON");
        assert_eq!(Job::from_value(sent).expect("possible"), job);
        for part in 0..5_000 {
            let spec = Spec { late_rate: f64::from(part) / 4_999.0, ..Spec::default() };
            let sent: Value = serde_json::from_str(&Job::of(spec.clone()).to_value().to_string()).expect("JSON");
            assert_eq!(Job::from_value(sent).expect("possible").spec, spec);
        }
        assert_eq!(Job::from_value(json!({"patients": null})).expect("the defaults"), Job::of(Spec::default()));
    }

    #[test]
    fn the_sample_events_have_true_fields() {
        let sample = |name: &str| -> Value {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
            serde_json::from_slice(&std::fs::read(path).expect("a sample")).expect("JSON")
        };
        let spec = Job::from_value(sample("spec.json")).expect("a job");
        assert!(spec.shards().len() > 1, "it shows how a large job is cut");
        let message = sample("shard-message.json");
        let body = message["Records"][0]["body"].as_str().expect("text");
        let sent: Value = serde_json::from_str(body).expect("JSON");
        let job = Job::from_value(sent.clone()).expect("a job");
        assert_eq!((job.shard, job.to_value()), (Some(Shard { part: 3, of: 16 }), sent));
    }

    #[test]
    fn what_is_refused_is_named() {
        for (job, expected) in [
            (json!({"patiens": 7}), "unknown field `patiens`: a job has patients, year, seed, "),
            (json!({"patients": 0}), "patients is 0: it must be from 1 to 100000000"),
            (json!({"patients": "many"}), "patients is \"many\": it must be a whole number from 1 to 100000000"),
            (json!({"patients": -5}), "patients is -5: it must be a whole number from 1 to 100000000"),
            (json!({"late_rate": "2%"}), "late_rate is \"2%\": it must be a number from 0 to 1"),
            (json!({"dirty": {"late": 2}}), "dirty.late is 200%: it must be from 0% to 100%"),
            (json!({"dirty": {"late": "much"}}), "dirty.late is \"much\": it must be a rate such as 0.02 or \"2%\""),
            (json!({"dirty": 7}), "dirty is 7: it must be faults such as \"duplicates=2%,late=1%\""),
            (json!({"shard": "8/7"}), "shard is \"8/7\": it must be k/n with k from 1 to n, such as 2/7"),
            (json!({"day": "2025"}), "day is \"2025\": it must be YYYY-MM-DD, such as 2025-03-01"),
            (
                json!({"year": 2025, "day": "2024-03-01"}),
                "day is 2024-03-01: it must be a day of the world's year, which is 2025",
            ),
            (json!({"view": "csv"}), "view is \"csv\": it must be fhir or tables"),
            (json!({"fhir_version": "r6"}), "fhir_version is \"r6\": it must be r5 or r4"),
            (json!({"format": "xml"}), "format is \"xml\": it must be ndjson, bundle, json, csv or parquet"),
            (json!({"gzip": 1}), "gzip is 1: it must be true or false"),
            (json!([]), "a job is an object with the fields of a spec, such as {\"patients\": 1000}"),
        ] {
            let error = Job::from_value(job).expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_view_refuses_the_other_ones_formats() {
        let job = |value: Value| Job::from_value(value).expect("a job");
        let fhir = |value| job(value).request(NonZeroUsize::MIN).map(|request| (request.format, request.gzip));
        let refused = |error: JobError| error.to_string();
        assert_eq!(fhir(json!({"format": "json", "gzip": true})).ok(), Some((Format::Json, true)));
        let words = fhir(json!({"format": "csv"})).map_err(refused);
        assert_eq!(words, Err("format is csv: it must be ndjson, bundle or json for FHIR".into()));
        let tables = |value| job(value).tables().map_err(refused);
        assert_eq!(tables(json!({"gzip": true})), Ok(TableFormat::Csv));
        assert!(
            tables(json!({"format": "parquet", "gzip": true})).is_err_and(|words| words.starts_with("gzip is true"))
        );
        assert!(tables(json!({"format": "ndjson"})).is_err_and(|words| words.ends_with("csv or parquet for tables")));
    }

    #[test]
    fn tables_land_as_csv_of_a_whole_year() {
        let request = |mut fields: Value| {
            fields["view"] = "tables".into();
            Job::from_value(fields).expect("a job").tables_request(NonZeroUsize::MIN).map_err(|error| error.to_string())
        };
        assert_eq!(request(json!({"gzip": true})).map(|request| request.gzip), Ok(true));
        for (fields, expected) in [
            (json!({"day": "2025-03-01"}), "day is 2025-03-01: tables are of a whole year"),
            (json!({"fhir_version": "r4"}), "fhir_version: tables have none"),
            (json!({"dirty": "late=1%"}), "dirty: tables are clean"),
            (json!({"format": "parquet"}), "format is parquet: tables land as csv"),
            (json!({"format": "ndjson"}), "format is ndjson: it must be csv or parquet for tables"),
        ] {
            let error = request(fields).expect_err(expected);
            assert!(error.starts_with(expected), "{error}");
        }
        let large = Job { view: View::Tables, ..Job::of(Spec { patients: TABLES_SHARE, ..Spec::default() }) };
        assert_eq!(large.shards(), std::slice::from_ref(&large));
        let larger = Job { spec: Spec { patients: TABLES_SHARE + 1, ..Spec::default() }, ..large };
        let shards: Vec<_> = larger
            .shards()
            .iter()
            .map(|job| job.tables_request(NonZeroUsize::MIN).map(|request| request.shard).map_err(|e| e.to_string()))
            .collect();
        assert_eq!(shards, [Ok(Shard { part: 1, of: 2 }), Ok(Shard { part: 2, of: 2 })]);
    }

    #[test]
    fn what_is_said_above_wins() {
        let fields = |value| Fields::from_value(value).expect("fields");
        let file = fields(json!({"patients": 7, "seed": 1, "shard": "1/2"}));
        let job = Job::read(fields(json!({"seed": 2, "year": null})).over(file)).expect("possible");
        assert_eq!((job.spec.patients, job.spec.seed, job.spec.year), (7, 2, 2025));
        let error =
            fields(json!({"shard": "1/2"})).refuse(&["day", "shard"], "it lands all of it").expect_err("refused");
        assert_eq!(error.to_string(), "shard is \"1/2\": it lands all of it");
    }

    #[test]
    fn a_large_job_is_cut_and_a_part_is_not_cut_again() {
        let small = Job::of(Spec { patients: YEAR_SHARE, ..Spec::default() });
        assert_eq!(small.shards(), std::slice::from_ref(&small));
        let large = Job::of(Spec { patients: 3 * YEAR_SHARE + 1, ..Spec::default() });
        let parts = large.shards();
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[3].shard, Some(Shard { part: 4, of: 4 }));
        assert_eq!(parts[3].shards(), std::slice::from_ref(&parts[3]));
        let day = Job { day: Some(Date::from_ymd(2025, 3, 1)), ..large };
        assert_eq!(day.shards().len(), 1);
    }
}
