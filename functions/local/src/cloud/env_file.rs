//! Variables from an `.env` file; the environment's own win.

use std::{collections::BTreeMap, path::Path};

use metriccare_aws::{Login, LoginError, Variables};

use crate::{arguments::CloudFlags, output::failure::Failure};

/// The file that is read where no other is named.
const DEFAULT: &str = ".env";

/// The environment variables, and those of a file.
pub(crate) struct EnvVars {
    name: String,
    file: BTreeMap<String, String>,
}

impl EnvVars {
    /// Reads the file that the flags name, else `.env` of the working directory if there is one.
    pub(crate) fn read(flags: &CloudFlags) -> Result<Self, Failure> {
        let path = flags.env_file.as_deref().unwrap_or(Path::new(DEFAULT));
        let name = path.display().to_string();
        if flags.env_file.is_none() && !path.is_file() {
            return Ok(EnvVars { name, file: BTreeMap::new() });
        }
        let unusable = |reason: String| Failure::usage(format!("{name}: {reason}"));
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let mut file = BTreeMap::new();
        for (at, pair) in dotenvy::Iter::new(text.as_bytes()).enumerate() {
            // The error quotes the line, and a line may be a secret: it is not passed on.
            let (variable, value) = pair.map_err(|_| {
                unusable(format!("entry {} cannot be read: an entry is NAME=value, quoted where it has spaces", at + 1))
            })?;
            file.insert(variable, value);
        }
        Ok(EnvVars { name, file })
    }

    /// A variable of the environment, else of the file; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        environment(name).or_else(|| self.file.get(name).cloned()).filter(|value| !value.is_empty())
    }

    /// The AWS credentials that the variables name.
    pub(crate) fn login(&self) -> Result<Login, LoginError> {
        let file = |name: &str| self.file.get(name).cloned();
        Login::read(&[
            Variables { name: "the environment", get: &environment },
            Variables { name: &self.name, get: &file },
        ])
    }
}

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where settings are read")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
