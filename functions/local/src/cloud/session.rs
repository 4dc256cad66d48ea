//! The way into AWS: a login, an identity, and a look at every bucket, before any work and with all faults together.

use std::sync::Arc;

use metriccare_aws::{Account, Identity, S3Store, SkipUnchanged};
use metriccare_ports::{Error, ErrorKind, ObjectStore, PrefixStore};

use super::env_file::EnvVars;
use crate::{arguments::CloudFlags, lake::location::BucketLocation, output::failure::Failure};

/// Who is in, and as whom.
pub(crate) struct AwsSession {
    pub(crate) account: Account,
    pub(crate) identity: Identity,
    variables: EnvVars,
}

impl AwsSession {
    /// Logs in and looks at the buckets of these places.
    pub(crate) async fn new(flags: &CloudFlags, places: &[&BucketLocation]) -> Result<Self, Failure> {
        let session = Self::logged_in(flags).await?;
        session.look_at(places).await?;
        Ok(session)
    }

    /// Logs in, and looks at no bucket yet.
    pub(crate) async fn logged_in(flags: &CloudFlags) -> Result<Self, Failure> {
        let variables = EnvVars::read(flags)?;
        let unusable = |faults: &[String]| Failure::usage(format!("AWS cannot be used:\n  {}", faults.join("\n  ")));
        let login = variables.login().map_err(|error| unusable(&error.faults))?;
        let account = Account::connect(&login).await.map_err(|error| unusable(&error.faults))?;
        let identity = account.identity().await.map_err(|error| refused(&[error]))?;
        Ok(AwsSession { account, identity, variables })
    }

    /// Looks at the bucket of every place; all that is wrong is said together.
    pub(crate) async fn look_at(&self, places: &[&BucketLocation]) -> Result<(), Failure> {
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

    /// Who AWS takes us for, in words.
    pub(crate) fn whom(&self) -> String {
        format!("{} of account {}, {}", self.identity.arn, self.identity.account, self.account.region())
    }

    /// The bucket of a place, which sends nothing that is there already.
    pub(crate) fn skip_unchanged(&self, place: &BucketLocation) -> SkipUnchanged {
        SkipUnchanged(S3Store::new(&self.account.clients, &place.bucket))
    }

    /// A place as a bucket of its own, to which nothing is sent that is there already.
    pub(crate) fn store(&self, place: &BucketLocation) -> Arc<dyn ObjectStore> {
        below(Arc::new(self.skip_unchanged(place)), place)
    }

    /// A place as a bucket of its own, which takes every put: a commit wakes the next stage also where it is no news.
    pub(crate) fn plain(&self, place: &BucketLocation) -> Arc<dyn ObjectStore> {
        below(Arc::new(S3Store::new(&self.account.clients, &place.bucket)), place)
    }
}

fn below(bucket: Arc<dyn ObjectStore>, place: &BucketLocation) -> Arc<dyn ObjectStore> {
    if place.prefix.is_empty() { bucket } else { Arc::new(PrefixStore::new(bucket, &place.prefix)) }
}

/// What AWS refuses is wrong usage; what is out of reach may be tried again.
fn refused(errors: &[Error]) -> Failure {
    let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let words = format!("AWS cannot be used:\n  {}", words.join("\n  "));
    if errors.iter().all(|error| error.kind() == ErrorKind::Unavailable) {
        Failure::failed(words)
    } else {
        Failure::usage(words)
    }
}
