//! A spec file: the fields of a job in TOML, which flags override.

use std::path::{Path, PathBuf};

use clap::Args;
use metriccare_landing::{Fields, Job};
use serde_json::{Number, Value};

use crate::output::failure::Failure;

/// The spec file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "World")]
pub(crate) struct SpecFlag {
    /// TOML file with any of these fields; flags win over it
    #[arg(long, value_name = "FILE.toml")]
    spec: Option<PathBuf>,
}

impl SpecFlag {
    /// The file's fields; none without a file.
    pub(crate) fn fields(&self) -> Result<Fields, Failure> {
        let Some(path) = &self.spec else { return Ok(Fields::default()) };
        let refused = |why: String| Failure::usage(format!("--spec {}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let fields = read(&text).map_err(refused)?;
        Job::unchecked(fields.clone()).map_err(|error| refused(error.to_string()))?;
        Ok(fields)
    }

    /// The file's path, for messages.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.spec.as_deref()
    }
}

fn read(text: &str) -> Result<Fields, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        }
        None => error.message().to_owned(),
    })?;
    Fields::from_value(json(toml::Value::Table(table))).map_err(|error| error.to_string())
}

/// TOML values as JSON. Dates become text; so do numbers that JSON cannot hold, which every field then refuses.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use metriccare_fhir::write::Date;
    use metriccare_tests::mangle::fuzzed;

    use super::*;

    #[test]
    fn mangled_spec_files_are_read_or_refused_in_few_words() {
        const SEED: u64 = 2025;
        let examples: [&[u8]; 4] = [
            b"patients = 7\nday = 2025-03-01\nshard = \"2/7\"\nfhir_version = \"r4\"\ngzip = true\nlate_rate = 0.5\n[dirty]\nlate = \"1%\"\n",
            b"patients = 1_000\nyear = 2024\nseed = 18446744073709551615\nreadmission_rate = nan\ndirty = \"broken=1%,late=2%\"\n",
            b"[shares]\nx = [1, {a = 'b'}, 2025-01-01T00:00:00Z]\n[[list]]\n\"quoted key\" = inf\n",
            b"facilities = 3\nproviders = 0x1F\nencounters = 500\nclaims = -1\nmortality_pct = 10\n",
        ];
        let mut accepted = 0;
        for number in 0..30_000 {
            let input = fuzzed(&examples, SEED, number);
            let Ok(text) = std::str::from_utf8(&input) else { continue };
            let job = read(text).and_then(|fields| Job::read(fields).map_err(|error| error.to_string()));
            match job {
                Ok(job) => {
                    accepted += 1;
                    let written = Job::from_value(job.to_value()).expect("it reads what it writes");
                    assert_eq!(written, job, "input {number} of seed {SEED}: {text:?}");
                }
                Err(words) => {
                    let is_short = !words.is_empty() && words.len() < 2_000;
                    assert!(is_short, "input {number} of seed {SEED}: {text:?}: {words}");
                }
            }
        }
        assert!(accepted > 100, "{accepted}");
    }

    #[test]
    fn a_spec_file_can_set_every_field_of_a_job() {
        let text = "patients = 7\nday = 2025-03-01\nshard = \"2/7\"\nfhir_version = \"r4\"\nformat = \"bundle\"\ngzip = true\n\
                    late_rate = 0.5\n[dirty]\nlate = \"1%\"\noffsets = 0.1\n";
        let job = Job::read(read(text).expect("fields")).expect("possible");
        assert_eq!((job.spec.patients, job.day), (7, Some(Date::from_ymd(2025, 3, 1))));
        assert_eq!(job.to_value()["dirty"], serde_json::json!({"late": 0.01, "offsets": 0.1}));
        assert_eq!(Job::from_value(job.to_value()).expect("possible"), job);
    }

    #[test]
    fn invalid_toml_and_unknown_fields_are_refused_with_their_line_or_name() {
        assert!(read("patients = 7\nyear 2025").is_err_and(|words| words.starts_with("line 2: ")));
        assert!(read("patiens = 7").is_err_and(|words| words.starts_with("unknown field `patiens`")));
        let number = Job::read(read("late_rate = nan").expect("fields")).expect_err("refused").to_string();
        assert_eq!(number, "late_rate is \"NaN\": it must be a number from 0 to 1");
    }
}
