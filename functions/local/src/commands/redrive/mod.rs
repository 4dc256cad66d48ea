//! `metriccare redrive`: what was lost on the way through a deployed stack is brought back.
//!
//! Either messages that were given up go back to their queues, or landed objects that nobody heard of are told of
//! again. Both are safe at any time: what is done already costs a look into the ledger.

#[cfg(feature = "aws")]
mod command;
#[cfg(feature = "aws")]
mod landing;

#[cfg(feature = "aws")]
pub(crate) use self::command::redrive;

/// Says which command has the SDK.
#[cfg(not(feature = "aws"))]
pub(crate) async fn redrive(
    _: &crate::arguments::Redrive,
    _: &mut crate::output::Output,
) -> Result<(), crate::output::failure::Failure> {
    Err(crate::cloud::absent::refusal())
}
