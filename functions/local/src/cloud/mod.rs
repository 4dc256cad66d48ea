//! What the command does on AWS: lakes and output on S3, with credentials that are checked before any work.
//!
//! The SDK is compiled only with the feature `aws`, because it takes longer to compile than everything else together.
//! Without it the same flags are accepted, and the error names the build command with the feature.

#[cfg(all(feature = "aws", feature = "query"))]
mod copy;
#[cfg(feature = "aws")]
mod env_file;
#[cfg(feature = "aws")]
mod lake;
#[cfg(feature = "aws")]
mod out;
#[cfg(feature = "aws")]
mod session;

#[cfg(feature = "aws")]
pub(crate) use self::{
    lake::{open, open_existing},
    out::{DefaultBucket, Scratch, put, stores},
    session::AwsSession,
};

#[cfg(all(feature = "aws", feature = "query"))]
pub(crate) use self::copy::{Tables, copy};

#[cfg(all(not(feature = "aws"), feature = "query"))]
pub(crate) use self::without_sdk::{Tables, copy};

#[cfg(not(feature = "aws"))]
pub(crate) use self::without_sdk::{DefaultBucket, Scratch, open, open_existing, put, stores};

#[cfg(not(feature = "aws"))]
pub(crate) mod without_sdk;
