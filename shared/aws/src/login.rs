//! Who a person is on AWS: credentials, region and endpoint from the environment or an `.env` file, all faults together.
//!
//! What no variable says is left to the SDK's own chain: a profile, single sign-on, a role. Secrets are never printed.

use std::fmt;

use aws_sdk_s3::config::Credentials;

/// A place where variables are: the environment, or a file.
pub struct Variables<'a> {
    /// What it is called in words: `the environment`, `.env`.
    pub name: &'a str,
    /// The value of a variable.
    pub get: &'a dyn Fn(&str) -> Option<String>,
}

/// What the variables say of credentials, region and endpoint.
#[derive(Clone, Default)]
pub struct Login {
    pub(crate) keys: Option<Credentials>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) profile: Option<String>,
}

/// Everything that is wrong with a login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", faults.join("; "))]
pub struct LoginError {
    /// Each fault in words.
    pub faults: Vec<String>,
}

/// The names of a variable, the usual one first.
const KEY_ID: &[&str] = &["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"];
const SECRET: &[&str] = &["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"];
const TOKEN: &[&str] = &["AWS_SESSION_TOKEN"];
const REGION: &[&str] = &["AWS_REGION", "AWS_DEFAULT_REGION"];
const ENDPOINT: &[&str] = &["AWS_ENDPOINT_URL"];
const PROFILE: &[&str] = &["AWS_PROFILE"];

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = if self.keys.is_some() { "given" } else { "not given" };
        f.debug_struct("Login").field("keys", &keys).field("region", &self.region).finish_non_exhaustive()
    }
}

impl Login {
    /// Reads a login from variables, the first place before the others; an access key and its secret come from one place.
    ///
    /// # Errors
    /// Everything that is wrong, in one error.
    pub fn read(places: &[Variables<'_>]) -> Result<Self, LoginError> {
        let mut faults = Vec::new();
        let keys = places.iter().find(|place| place.any(KEY_ID).or_else(|| place.any(SECRET)).is_some());
        let login = Login {
            keys: keys.and_then(|place| place.keys(&mut faults)),
            region: first(places, REGION).map(|(_, region)| region),
            endpoint: first(places, ENDPOINT).map(|(_, endpoint)| endpoint),
            profile: first(places, PROFILE).map(|(_, profile)| profile),
        };
        if let Some(region) = &login.region
            && !region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            faults.push(format!("the region is {region}: a region is such as eu-central-1"));
        }
        if let Some(endpoint) = &login.endpoint
            && !endpoint.starts_with("http://")
            && !endpoint.starts_with("https://")
        {
            faults.push(format!("AWS_ENDPOINT_URL is {endpoint}: it must begin with http:// or https://"));
        }
        if faults.is_empty() { Ok(login) } else { Err(LoginError { faults }) }
    }
}

impl Variables<'_> {
    /// The first of some names that has a value, and the value.
    fn any(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names.iter().find_map(|name| Some((*name, (self.get)(name).filter(|value| !value.is_empty())?)))
    }

    fn keys(&self, faults: &mut Vec<String>) -> Option<Credentials> {
        let (id, secret) = (self.any(KEY_ID), self.any(SECRET));
        for (found, names) in [(&id, KEY_ID), (&secret, SECRET)] {
            match found {
                None => faults.push(format!("{} has no {}, the other half of the key", self.name, names.join(" or "))),
                Some((name, value)) if value.contains(char::is_whitespace) || value.starts_with("YOUR_") => {
                    faults.push(format!("{name} of {} is no key: a placeholder, or with a space in it", self.name));
                }
                Some(_) => {}
            }
        }
        let token = self.any(TOKEN).map(|(_, token)| token);
        Some(Credentials::new(id?.1, secret?.1, token, None, "variables"))
    }
}

fn first(places: &[Variables<'_>], names: &[&'static str]) -> Option<(&'static str, String)> {
    places.iter().find_map(|place| place.any(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)], file: &[(&str, &str)]) -> Result<Login, LoginError> {
        let value = |pairs: &[(&str, &str)], name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let (outer, inner) = (|name: &str| value(environment, name), |name: &str| value(file, name));
        Login::read(&[Variables { name: "the environment", get: &outer }, Variables { name: ".env", get: &inner }])
    }

    #[test]
    fn the_documents_names_are_understood_and_the_environment_comes_first() {
        let file = [("AWS_ACCESS_KEY", "AKIAFILE"), ("AWS_SECRET_KEY", "hidden"), ("AWS_REGION", "eu-central-1")];
        let login = read(&[], &file).expect("whole");
        assert_eq!(login.keys.as_ref().expect("given").access_key_id(), "AKIAFILE");
        assert!(!format!("{login:?}").contains("hidden"), "a secret is never printed");
        let login = read(&[("AWS_REGION", "us-east-1")], &file).expect("whole");
        assert_eq!(login.region.as_deref(), Some("us-east-1"));
        let own = [("AWS_ACCESS_KEY_ID", "AKIAOUTER"), ("AWS_SECRET_ACCESS_KEY", "other")];
        assert_eq!(read(&own, &file).expect("whole").keys.expect("given").access_key_id(), "AKIAOUTER");
        assert!(read(&[], &[]).expect("the chain says the rest").keys.is_none());
    }

    #[test]
    fn all_faults_are_said_together_and_halves_are_not_mixed() {
        let file =
            [("AWS_SECRET_KEY", "YOUR_SECRET_KEY"), ("AWS_REGION", "Frankfurt"), ("AWS_ENDPOINT_URL", "127.0.0.1")];
        let error = read(&[], &file).expect_err("four faults");
        assert_eq!(error.faults.len(), 4, "{error}");
        assert!(error.to_string().contains(".env has no AWS_ACCESS_KEY_ID or AWS_ACCESS_KEY"), "{error}");
        let whole = [("AWS_ACCESS_KEY", "AKIAFILE"), ("AWS_SECRET_KEY", "hidden")];
        let error = read(&[("AWS_ACCESS_KEY_ID", "AKIAOUTER")], &whole).expect_err("a half");
        assert!(error.to_string().contains("the environment has no AWS_SECRET_ACCESS_KEY"), "{error}");
    }
}
