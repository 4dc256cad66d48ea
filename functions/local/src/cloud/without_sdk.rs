//! A build without the AWS SDK: every use of AWS is an error that names the build command with the SDK.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use metriccare_flow::Worker;
use metriccare_ports::ObjectStore;

use crate::{
    arguments::{CloudFlags, LakeFlag},
    lake::location::{BucketLocation, DataLocation},
    output::failure::Failure,
};

/// The error that names the command to build and run instead: the present one with the feature `aws`.
pub(crate) fn error() -> Failure {
    let quoted = |argument: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    };
    let arguments: Vec<_> =
        std::env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into_owned())).collect();
    Failure::usage(format!(
        "this build has no AWS SDK, which takes some minutes to compile; build and use it with\n  \
         cargo run --release --features {} -- {}",
        if cfg!(feature = "query") { "aws,query" } else { "aws" },
        arguments.join(" ")
    ))
}

pub(crate) async fn open(_: &BucketLocation, _: &LakeFlag, _: NonZeroUsize, _: u16) -> Result<Arc<Worker>, Failure> {
    Err(error())
}

pub(crate) async fn open_existing(_: &BucketLocation, _: &LakeFlag, _: NonZeroUsize) -> Result<Arc<Worker>, Failure> {
    Err(error())
}

pub(crate) async fn stores(
    _: &BucketLocation,
    _: &CloudFlags,
) -> Result<(Arc<dyn ObjectStore>, Arc<dyn ObjectStore>), Failure> {
    Err(error())
}

pub(crate) async fn put(_: &BucketLocation, _: &CloudFlags, _: Bytes) -> Result<(), Failure> {
    Err(error())
}

#[cfg(feature = "query")]
pub(crate) async fn copy(_: &BucketLocation, _: &LakeFlag, _: &str) -> Result<Tables, Failure> {
    Err(error())
}

/// Tables in a folder.
#[cfg(feature = "query")]
pub(crate) struct Tables {
    folder: PathBuf,
}

#[cfg(feature = "query")]
impl Tables {
    pub(crate) fn there(folder: &Path) -> Self {
        Tables { folder: folder.to_owned() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The bucket that `S3_BUCKET_NAME` names, which this build cannot use.
pub(crate) enum DefaultBucket {}

impl DefaultBucket {
    pub(crate) async fn open(_: &CloudFlags) -> Result<Self, Failure> {
        Err(error())
    }

    #[expect(clippy::unused_async, reason = "with the SDK it uploads the files")]
    pub(crate) async fn upload(&self, _: &Path, _: &str) -> Result<BucketLocation, Failure> {
        match *self {}
    }
}

/// The folder that output is written to.
pub(crate) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    pub(crate) async fn new(place: &DataLocation, _: &CloudFlags) -> Result<Self, Failure> {
        match place {
            DataLocation::Folder(folder) => Ok(Scratch { folder: folder.clone() }),
            DataLocation::Bucket(_) => Err(error()),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    #[expect(clippy::unused_async, reason = "with the SDK it sends what was written")]
    pub(crate) async fn send(self) -> Result<(), Failure> {
        Ok(())
    }
}
