//! `metriccare upload`: uploads a folder to S3, file by file; what is there already is not uploaded again.
//!
//! Credentials and bucket are checked first. A file is uploaded as a whole or not at all, so the command may be stopped at
//! any time and started again; files that fail are listed at the end, and the others are uploaded all the same.

#[cfg(feature = "aws")]
mod command;
#[cfg(feature = "aws")]
mod files;
#[cfg(feature = "aws")]
mod send;

#[cfg(feature = "aws")]
pub(crate) use self::command::{default_bucket, send_all, upload};

/// Names the build command that has the SDK.
#[cfg(not(feature = "aws"))]
pub(crate) async fn upload(
    _: &crate::arguments::Upload,
    _: &mut crate::output::Output,
) -> Result<(), crate::output::failure::Failure> {
    Err(crate::cloud::without_sdk::error())
}
