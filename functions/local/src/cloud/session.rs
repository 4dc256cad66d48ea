//! An AWS session: credentials, identity and access to every bucket are checked before any work, and all problems are
//! reported together.

use std::sync::Arc;

use metriccare_aws::{Account, Identity, S3Store, SkipUnchanged};
use metriccare_ports::{Error, ErrorKind, ObjectStore, PrefixStore};

use super::env_file::EnvVars;
use crate::{arguments::CloudFlags, lake::location::BucketLocation, output::failure::Failure};

/// A session with its account and identity.
pub(crate) struct AwsSession {
    pub(crate) account: Account,
    pub(crate) identity: Identity,
    variables: EnvVars,
}

impl AwsSession {
    /// Logs in and checks the access to the buckets of these locations.
    pub(crate) async fn new(flags: &CloudFlags, places: &[&BucketLocation]) -> Result<Self, Failure> {
        let session = Self::logged_in(flags).await?;
        session.check_buckets(places).await?;
        Ok(session)
    }

    /// Logs in, without a check of any bucket.
    pub(crate) async fn logged_in(flags: &CloudFlags) -> Result<Self, Failure> {
        let variables = EnvVars::read(flags)?;
        let unusable = |faults: &[String]| Failure::usage(format!("AWS cannot be used:\n  {}", faults.join("\n  ")));
        let login = variables.login().map_err(|error| unusable(&error.faults))?;
        let account = Account::connect(&login).await.map_err(|error| unusable(&error.faults))?;
        let identity = account.identity().await.map_err(|error| refused(&[error]))?;
        Ok(AwsSession { account, identity, variables })
    }

    /// Checks the access to the bucket of every location; reports all problems together.
    pub(crate) async fn check_buckets(&self, places: &[&BucketLocation]) -> Result<(), Failure> {
        let mut faults = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for place in places {
            if !seen.contains(&place.bucket.as_str()) {
                seen.push(&place.bucket);
                faults.extend(self.account.look_at(&place.bucket).await.err());
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(refused(&faults)) }
    }

    /// A variable of the environment, else of the `.env` file.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name)
    }

    /// The identity that AWS sees, as text.
    pub(crate) fn describe_identity(&self) -> String {
        format!("{} of account {}, {}", self.identity.arn, self.identity.account, self.account.region())
    }

    /// The bucket of a location; puts skip what is there already.
    pub(crate) fn skip_unchanged(&self, place: &BucketLocation) -> SkipUnchanged {
        SkipUnchanged(S3Store::new(&self.account.clients, &place.bucket))
    }

    /// A location as a store; puts skip what is there already.
    pub(crate) fn store(&self, place: &BucketLocation) -> Arc<dyn ObjectStore> {
        with_prefix(Arc::new(self.skip_unchanged(place)), place)
    }

    /// A location as a store that performs every put: a commit has to notify the next stage even if it is unchanged.
    pub(crate) fn plain(&self, place: &BucketLocation) -> Arc<dyn ObjectStore> {
        with_prefix(Arc::new(S3Store::new(&self.account.clients, &place.bucket)), place)
    }
}

fn with_prefix(bucket: Arc<dyn ObjectStore>, place: &BucketLocation) -> Arc<dyn ObjectStore> {
    if place.prefix.is_empty() { bucket } else { Arc::new(PrefixStore::new(bucket, &place.prefix)) }
}

/// A refusal by AWS is wrong usage; an unreachable service is a failure that may be tried again.
fn refused(errors: &[Error]) -> Failure {
    let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let words = format!("AWS cannot be used:\n  {}", words.join("\n  "));
    if errors.iter().all(|error| error.kind() == ErrorKind::Unavailable) {
        Failure::failed(words)
    } else {
        Failure::usage(words)
    }
}
