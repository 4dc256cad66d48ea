//! What the command does on AWS: lakes and output on S3, with a login that is checked before any work.
//!
//! The SDK is compiled with the feature `aws` alone, because it takes longer than everything else together. Without it
//! the same words are understood, and answered with the one command that has it.

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
    out::{Scratch, put, stores},
    session::AwsSession,
};

#[cfg(all(feature = "aws", feature = "query"))]
pub(crate) use self::copy::{Tables, copy};

#[cfg(all(not(feature = "aws"), feature = "query"))]
pub(crate) use self::absent::{Tables, copy};

#[cfg(not(feature = "aws"))]
pub(crate) use self::absent::{Scratch, open, open_existing, put, stores};

#[cfg(not(feature = "aws"))]
pub(crate) mod absent;
