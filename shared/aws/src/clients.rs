//! The clients of all services, each with timeouts.
//!
//! The SDK waits without end by default, and a function that waits is paid for until it is killed. Bodies are
//! guarded by the SDK's own protection against streams that stall.

use std::{sync::OnceLock, time::Duration};

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_s3::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, http_client_fn};

use crate::{RequestCounter, Settings};

/// The clients of all services. All buckets share one; each of the others is made where it is asked for, because making
/// one takes a share of a function's start.
#[derive(Debug, Clone)]
pub struct Clients {
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) request_counter: RequestCounter,
    config: SdkConfig,
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long the first byte of an answer may take, from when the request begins: a put is given the time of its body on top.
const READ: Duration = Duration::from_secs(20);
/// How long one try of a call may take; a put of a large file is given more.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// How long a call may take with all its tries.
const OPERATION: Duration = Duration::from_secs(100);

impl Clients {
    /// Clients for a function, which Lambda gives its role's credentials in the environment. The SDK's chain, which would
    /// look for profiles, containers and machines first, is code to load and files to read at every start.
    pub fn of_function(settings: &Settings) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(behavior())
            .region(Region::new(settings.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
            .http_client(http_client())
            .timeout_config(timeouts())
            .retry_config(retries());
        let config = match &settings.endpoint {
            Some(endpoint) => config.endpoint_url(endpoint),
            None => config,
        };
        Self::new(&config.build())
    }

    /// Clients with these settings.
    pub fn new(config: &SdkConfig) -> Self {
        // A stand-in on this machine has no name of its own for every bucket.
        let stand_in = config.endpoint_url().is_some();
        let request_counter = RequestCounter::default();
        let s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(stand_in).interceptor(request_counter.clone());
        Self { s3: aws_sdk_s3::Client::from_conf(s3.build()), request_counter, config: config.clone() }
    }

    pub(crate) fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config).interceptor(self.request_counter.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub(crate) fn glue(&self) -> aws_sdk_glue::Client {
        let config = aws_sdk_glue::config::Builder::from(&self.config).interceptor(self.request_counter.clone());
        aws_sdk_glue::Client::from_conf(config.build())
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.config).interceptor(self.request_counter.clone());
        aws_sdk_sqs::Client::from_conf(config.build())
    }
}

/// The usual chain of settings, with the timeouts and retries of all clients.
pub(crate) fn loader() -> ConfigLoader {
    aws_config::defaults(behavior()).http_client(http_client()).timeout_config(timeouts()).retry_config(retries())
}

fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(4)
}

/// The HTTP client of all services: TLS by rustls on ring. It is made with the first request, because it reads all
/// certificates that this machine trusts.
pub fn http_client() -> SharedHttpClient {
    let client = OnceLock::new();
    http_client_fn(move |settings, components| {
        let make = || {
            let tls = Provider::Rustls(CryptoMode::Ring);
            aws_smithy_http_client::Builder::new().tls_provider(tls).build_https()
        };
        client.get_or_init(make).http_connector(settings, components)
    })
}
