//! The settings of a client that talks to a stand-in.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;

use crate::emulators::Emulator;

/// The settings of a client that talks to this stand-in.
pub(crate) async fn config(emulator: &Emulator) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(format!("http://{}", emulator.address()))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(metriccare_aws::http_client())
        .load()
        .await
}
