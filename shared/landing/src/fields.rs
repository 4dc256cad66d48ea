//! The fields of a job that a spec file, the command's flags or a Lambda's payload set; all others keep their defaults.
//!
//! Whoever reads several of them lays one over the other before a [`Job`](crate::Job) is made of them: what is said above
//! wins, what nobody says is the default. A field that no job has is refused here, by its name.

use metriccare_world::{Spec, beginning};
use serde_json::{Map, Value};

use crate::JobError;

/// The fields of a job beside those of its spec.
pub(crate) const OWN: [&str; 6] = ["view", "day", "shard", "fhir_version", "format", "gzip"];

/// What somebody said of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Takes an object's fields; what is null is not said.
    ///
    /// # Errors
    /// Where it is no object, or has a field that no job has.
    pub fn from_value(value: Value) -> Result<Self, JobError> {
        let Value::Object(mut fields) = value else { return Err(JobError::NoObject) };
        fields.retain(|_, value| !value.is_null());
        let known = || Spec::fields().chain(OWN);
        match fields.keys().find(|name| !known().any(|known| known == *name)) {
            Some(name) => {
                let known: Vec<&str> = known().collect();
                Err(JobError::Field(format!("unknown field `{}`: a job has {}", beginning(name), known.join(", "))))
            }
            None => Ok(Fields(fields)),
        }
    }

    /// These fields, and those of `below` that they do not say.
    #[must_use]
    pub fn over(self, below: Fields) -> Fields {
        let mut all = below.0;
        all.extend(self.0);
        Fields(all)
    }

    /// Whether a field is said.
    pub fn says(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Refuses fields that mean nothing to whoever reads these, in the reader's own words.
    ///
    /// # Errors
    /// The first of the fields that is said, with its value and those words.
    pub fn refuse(&self, names: &[&str], why: &str) -> Result<(), JobError> {
        match names.iter().find_map(|name| Some((name, self.0.get(*name)?))) {
            Some((name, value)) => Err(JobError::Field(format!("{name} is {value}: {why}"))),
            None => Ok(()),
        }
    }

    /// Takes a field of text out.
    pub(crate) fn take<T>(
        &mut self,
        name: &'static str,
        allowed: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, JobError> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        value.as_str().and_then(read).map(Some).ok_or_else(|| refused(name, &value, allowed))
    }

    /// Takes a flag out.
    pub(crate) fn take_flag(&mut self, name: &'static str) -> Result<Option<bool>, JobError> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| refused(name, &value, "true or false"))
    }

    /// The spec of what is left. A value of another kind is refused with the field's name and range.
    pub(crate) fn spec(self) -> Result<Spec, JobError> {
        for (name, value) in &self.0 {
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            if let Err(error) = serde_json::from_value::<Spec>(Value::Object(alone)) {
                // The dial names its own fields, their values and ranges.
                let words = error.to_string();
                let words = if words.starts_with("dirty") { words } else { wrong(name, value) };
                return Err(JobError::Field(words));
            }
        }
        serde_json::from_value(Value::Object(self.0)).map_err(|error| JobError::Field(error.to_string()))
    }
}

fn wrong(name: &str, value: &Value) -> String {
    let value = value.to_string();
    format!("{name} is {}: it must be {}", beginning(&value), Spec::allowed(name).unwrap_or_default())
}

fn refused(name: &str, value: &Value, allowed: &str) -> JobError {
    let value = value.to_string();
    JobError::Field(format!("{name} is {}: it must be {allowed}", beginning(&value)))
}
