//! `metriccare upload`: a folder goes to S3, file by file, and what is there already is not sent again.
//!
//! The login and the bucket are looked at first. A file goes up whole or not at all, so the command may be stopped at
//! any time and started again; a file that fails is named at the end and keeps none of the others.

#[cfg(feature = "aws")]
mod command;
#[cfg(feature = "aws")]
mod files;
#[cfg(feature = "aws")]
mod send;

#[cfg(feature = "aws")]
pub(crate) use self::command::{send_all, upload};

/// Says which command has the SDK.
#[cfg(not(feature = "aws"))]
pub(crate) async fn upload(
    _: &crate::arguments::Upload,
    _: &mut crate::output::Output,
) -> Result<(), crate::output::failure::Failure> {
    Err(crate::cloud::absent::refusal())
}
