//! An account as a person at a command uses it: who they are, and whether a bucket will have them, before any work.

use aws_config::{Region, SdkConfig};
use aws_sdk_s3::{config::ProvideCredentials, error::DisplayErrorContext, operation::head_bucket::HeadBucketError};
use metriccare_ports::{Error, ErrorKind, Result};

use crate::{
    clients::{self, Clients},
    failure::failed,
    login::{Login, LoginError},
};

/// An account, with the clients of its services.
#[derive(Debug, Clone)]
pub struct Account {
    /// The clients.
    pub clients: Clients,
    config: SdkConfig,
    region: String,
}

/// The caller's identity, as AWS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's number, twelve digits.
    pub account: String,
    /// The user or role.
    pub arn: String,
}

impl Account {
    /// Connects by a login and, for what it does not say, by the usual chain of settings.
    ///
    /// # Errors
    /// Missing credentials, a missing region; both in one error.
    pub async fn connect(login: &Login) -> Result<Self, LoginError> {
        let mut loader = clients::loader();
        if let Some(keys) = &login.keys {
            loader = loader.credentials_provider(keys.clone());
        }
        if let Some(region) = &login.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &login.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(profile) = &login.profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        let mut faults = Vec::new();
        let found = match config.credentials_provider() {
            Some(provider) => {
                provider.provide_credentials().await.map_err(|error| DisplayErrorContext(error).to_string())
            }
            None => Err("there is no provider".to_owned()),
        };
        if let Err(reason) = found {
            faults.push(format!(
                "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment or in .env, \
                 or AWS_PROFILE ({reason})"
            ));
        }
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        if region.is_empty() {
            faults.push("there is no region: set AWS_REGION in the environment or in .env".to_owned());
        }
        if !faults.is_empty() {
            return Err(LoginError { faults });
        }
        Ok(Self { clients: Clients::new(&config), config, region })
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Asks AWS who we are; that needs valid credentials and no permission.
    ///
    /// # Errors
    /// Credentials that AWS refuses.
    pub async fn identity(&self) -> Result<Identity> {
        let asked = aws_sdk_sts::Client::new(&self.config).get_caller_identity().send().await;
        let answer = asked.map_err(|error| {
            let error = failed("log in", "to AWS", error);
            if error.kind() != ErrorKind::Forbidden {
                return error;
            }
            let reason = "AWS refuses these credentials: the access key or its secret is wrong, or has expired";
            Error::new(ErrorKind::Forbidden, "log in", "to AWS", reason).with_source(error)
        })?;
        Ok(Identity { account: answer.account.unwrap_or_default(), arn: answer.arn.unwrap_or_default() })
    }

    /// Looks whether a bucket is there, in this region, and lets us list it.
    ///
    /// # Errors
    /// In words for a person: there is no such bucket, it is in another region, the permission is missing.
    pub async fn look_at(&self, bucket: &str) -> Result<()> {
        let Err(error) = self.clients.s3.head_bucket().bucket(bucket).send().await else { return Ok(()) };
        let response = error.raw_response();
        let (status, home) = response.map_or((0, None), |response| {
            (response.status().as_u16(), response.headers().get("x-amz-bucket-region").map(str::to_owned))
        });
        let (kind, reason) = match (&home, status) {
            (Some(home), _) if *home != self.region && status != 404 => {
                (ErrorKind::Invalid, format!("the bucket is in {home}: set AWS_REGION={home}"))
            }
            (_, 404) => (ErrorKind::Invalid, "there is no such bucket".to_owned()),
            (_, 401 | 403) => {
                let words =
                    "no permission: it takes s3:ListBucket on the bucket, s3:GetObject and s3:PutObject on its objects";
                (ErrorKind::Forbidden, words.to_owned())
            }
            _ => return Err(failed::<HeadBucketError>("look at", &format!("s3://{bucket}"), error)),
        };
        Err(Error::new(kind, "look at", format_args!("s3://{bucket}"), reason))
    }
}
