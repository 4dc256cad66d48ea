//! A spec with its request, as JSON says them: what somebody sends the generator, and what it sends itself.
//!
//! A job is one flat object: the fields of a spec, and beside them `day`, `shard`, `fhir_version`, `format`, `gzip` and
//! `order`. An unknown field is refused by name, and so is an impossible value.

use metriccare_fhir::{
    read::time::{self, Moment},
    write::{Date, FhirVersion},
};
use metriccare_world::{Spec, SpecError};
use serde_json::{Map, Value};

use crate::{Format, Request, Shard};

/// Patients of a whole year that one invocation lands.
const YEAR_SHARE: u64 = 20_000;
/// Patients of one day that one invocation lands: little happens on a day.
const DAY_SHARE: u64 = 500_000;

/// A spec with its request.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The world.
    pub spec: Spec,
    /// One day of its feed instead of the whole year.
    pub day: Option<Date>,
    /// A part of its population; without one, all of it, in as many parts as it needs.
    pub shard: Option<Shard>,
    /// The FHIR version to write.
    pub version: FhirVersion,
    /// The form of a file.
    pub format: Format,
    /// Whether every file is compressed.
    pub gzip: bool,
    /// Names the request that this job is a part of: a part that comes twice is done once, the same request made anew is not
    /// the same.
    pub order: Option<String>,
}

/// Why a job is refused.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It is no JSON object.
    #[error("a job is a JSON object with the fields of a spec, such as {{\"patients\": 1000}}")]
    NoObject,
    /// A field is not what it may be, or is none of a job's.
    #[error("{0}")]
    Field(String),
    /// The spec asks for what cannot be.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

impl Job {
    /// The whole year of a spec, in R5 and NDJSON.
    pub fn of(spec: Spec) -> Self {
        Job {
            spec,
            day: None,
            shard: None,
            version: FhirVersion::R5,
            format: Format::default(),
            gzip: false,
            order: None,
        }
    }

    /// Reads a job.
    pub fn from_value(value: Value) -> Result<Self, JobError> {
        let Value::Object(mut fields) = value else { return Err(JobError::NoObject) };
        let day = take(&mut fields, "day", "YYYY-MM-DD, such as 2025-03-01", |text| match time::parse(text) {
            Some(Moment::Day(days)) => Some(Date(days)),
            _ => None,
        })?;
        let shard = take(&mut fields, "shard", "k/n with k from 1 to n, such as 2/7", |text| text.parse().ok())?;
        let version = take(&mut fields, "fhir_version", "r5 or r4", |text| match text {
            "r5" => Some(FhirVersion::R5),
            "r4" => Some(FhirVersion::R4),
            _ => None,
        })?;
        let format = take(&mut fields, "format", "ndjson, bundle or json", |text| {
            serde_json::from_value(Value::from(text)).ok()
        })?;
        let order = take(&mut fields, "order", "text", |text| Some(text.to_owned()))?;
        let gzip = match fields.remove("gzip") {
            None => false,
            Some(Value::Bool(gzip)) => gzip,
            Some(other) => return Err(refused("gzip", &other, "true or false")),
        };
        let spec: Spec =
            serde_json::from_value(Value::Object(fields)).map_err(|error| JobError::Field(error.to_string()))?;
        spec.validate()?;
        let version = version.unwrap_or(FhirVersion::R5);
        Ok(Job { spec, day, shard, version, format: format.unwrap_or_default(), gzip, order })
    }

    /// Writes a job as [`from_value`](Self::from_value) reads it.
    pub fn to_value(&self) -> Value {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&self.spec) else { return Value::Null };
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        if let Some(day) = self.day {
            put("day", day.to_string().into());
        }
        if let Some(shard) = self.shard {
            put("shard", shard.to_string().into());
        }
        put("fhir_version", if self.version == FhirVersion::R4 { "r4" } else { "r5" }.into());
        put("format", serde_json::to_value(self.format).unwrap_or_default());
        put("gzip", self.gzip.into());
        if let Some(order) = &self.order {
            put("order", order.as_str().into());
        }
        Value::Object(fields)
    }

    /// The parts that this job is cut into: itself where one invocation can do it, or where it is a part already.
    pub fn shards(&self) -> Vec<Job> {
        let share = if self.day.is_some() { DAY_SHARE } else { YEAR_SHARE };
        let parts = self.spec.patients.div_ceil(share);
        if self.shard.is_some() || parts <= 1 {
            return vec![self.clone()];
        }
        (1..=parts).map(|part| Job { shard: Some(Shard { part, of: parts }), ..self.clone() }).collect()
    }

    /// What to write of the world, on so many threads.
    pub fn request(&self, threads: std::num::NonZeroUsize) -> Request {
        Request {
            version: self.version,
            format: self.format,
            gzip: self.gzip,
            day: self.day,
            shard: self.shard.unwrap_or(Shard::WHOLE),
            threads,
        }
    }
}

/// Takes a field of text out of a job.
fn take<T>(
    fields: &mut Map<String, Value>,
    name: &'static str,
    allowed: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, JobError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_str().and_then(read) {
            Some(read) => Ok(Some(read)),
            None => Err(refused(name, &value, allowed)),
        },
    }
}

fn refused(name: &str, value: &Value, allowed: &str) -> JobError {
    JobError::Field(format!("{name} is {value}: it must be {allowed}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_comes_back_from_its_json() {
        let written = json!({"patients": 70, "seed": 7, "day": "2025-01-31", "shard": "2/3", "fhir_version": "r4",
            "format": "bundle", "gzip": true, "order": "request 1"});
        let job = Job::from_value(written).expect("possible");
        assert_eq!((job.spec.patients, job.shard), (70, Some(Shard { part: 2, of: 3 })));
        assert_eq!(Job::from_value(job.to_value()).expect("possible"), job);
        assert_eq!(Job::from_value(json!({})).expect("the defaults"), Job::of(Spec::default()));
    }

    #[test]
    fn what_is_refused_is_named() {
        for (job, expected) in [
            (json!({"patiens": 7}), "unknown field `patiens`"),
            (json!({"patients": 0}), "patients is 0: it must be from 1 to 100000000"),
            (json!({"shard": "8/7"}), "shard is \"8/7\": it must be k/n with k from 1 to n, such as 2/7"),
            (json!({"day": "2025"}), "day is \"2025\": it must be YYYY-MM-DD, such as 2025-03-01"),
            (json!({"gzip": 1}), "gzip is 1: it must be true or false"),
            (json!([]), "a job is a JSON object with the fields of a spec, such as {\"patients\": 1000}"),
        ] {
            let error = Job::from_value(job).expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
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
