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
        let file = parse(text.as_bytes()).map_err(unusable)?;
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

/// The variables of a file's text.
fn parse(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    // The error quotes the line, and a line may be a secret: it is not passed on.
    let entry = |(at, pair): (usize, Result<_, _>)| {
        pair.map_err(|_| format!("entry {} cannot be read: an entry is NAME=value, quoted where it has spaces", at + 1))
    };
    dotenvy::Iter::new(text).enumerate().map(entry).collect()
}

fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where settings are read")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use metriccare_tests::mangle::fuzzed;

    use super::*;

    #[test]
    fn mangled_files_are_read_or_refused_without_a_word_of_theirs() {
        const SEED: u64 = 2025;
        let examples: [&[u8]; 4] = [
            b"AWS_ACCESS_KEY_ID=AKIASECRET\nAWS_SECRET_ACCESS_KEY=\"sec ret\"\nAWS_REGION=eu-central-1\n",
            b"# a comment\nexport A='one # two'\r\nB=${A}-$A\nC=\n\n",
            b"\xef\xbb\xbfA=1\nA=2\nB=\"two\\nlines\"\n",
            b"A=\"never closed\nB='nor this",
        ];
        let mut refused = 0;
        for number in 0..30_000 {
            let input = fuzzed(&examples, SEED, number);
            if let Err(words) = parse(&input) {
                refused += 1;
                let rest =
                    words.strip_prefix("entry ").expect("the place").trim_start_matches(|c: char| c.is_ascii_digit());
                let fixed = " cannot be read: an entry is NAME=value, quoted where it has spaces";
                assert_eq!(rest, fixed, "input {number} of seed {SEED}: {:?}", String::from_utf8_lossy(&input));
            }
        }
        assert!((1_000..29_000).contains(&refused), "{refused}");
    }
}
