//! `metriccare redrive`: processes what a deployed stack failed to process.
//!
//! Either dead letters go back to their queues, or bronze is notified again of landed objects without a commit. Both are
//! safe at any time: for work that is done already the function only reads the ledger.

#[cfg(feature = "aws")]
mod command;
#[cfg(feature = "aws")]
mod missing;
#[cfg(feature = "aws")]
mod pace;

#[cfg(feature = "aws")]
pub(crate) use self::command::redrive;

/// Names the build command that has the SDK.
#[cfg(not(feature = "aws"))]
pub(crate) async fn redrive(
    _: &crate::arguments::Redrive,
    _: &mut crate::output::Output,
) -> Result<(), crate::output::failure::Failure> {
    Err(crate::cloud::without_sdk::error())
}
