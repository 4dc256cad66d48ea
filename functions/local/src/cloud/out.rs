//! Output to S3: through the store's port, or, for what only knows files, by way of a folder that is sent at the end.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use metriccare_ports::ObjectStore;
use tempfile::TempDir;

use super::session::AwsSession;
use crate::{
    arguments::CloudFlags,
    commands::upload,
    lake::location::{BucketLocation, DataLocation},
    output::failure::Failure,
};

/// Where generated data goes, and where what others need to know of it goes: the lake, if that place is its landing.
pub(crate) async fn stores(
    place: &BucketLocation,
    flags: &CloudFlags,
) -> Result<(Arc<dyn ObjectStore>, Arc<dyn ObjectStore>), Failure> {
    let reference = place.lake().unwrap_or_else(|| place.clone());
    let session = AwsSession::new(flags, &[place, &reference]).await?;
    Ok((session.store(place), session.store(&reference)))
}

/// Puts one file to a place, whose last segment is its name.
pub(crate) async fn put(place: &BucketLocation, flags: &CloudFlags, bytes: Bytes) -> Result<(), Failure> {
    if place.prefix.is_empty() {
        return Err(Failure::usage(format!("{place}: a bucket is no file; name one as {place}/report.html")));
    }
    let session = AwsSession::new(flags, &[place]).await?;
    session.skip_unchanged(place).send(&place.prefix, bytes.into()).await?;
    Ok(())
}

/// The folder that output is written to: the one that was asked for, or one that is sent to S3 and gone then.
pub(crate) struct Scratch {
    folder: PathBuf,
    sent: Option<(TempDir, BucketLocation, AwsSession)>,
}

impl Scratch {
    pub(crate) async fn new(place: &DataLocation, flags: &CloudFlags) -> Result<Self, Failure> {
        match place {
            DataLocation::Folder(folder) => Ok(Scratch { folder: folder.clone(), sent: None }),
            DataLocation::Bucket(place) => {
                let session = AwsSession::new(flags, &[place]).await?;
                let unusable = |error| Failure::failed(format!("no temporary folder can be made: {error}"));
                let folder = tempfile::tempdir().map_err(unusable)?;
                Ok(Scratch { folder: folder.path().to_owned(), sent: Some((folder, place.clone(), session)) })
            }
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends what was written, where it goes to S3.
    pub(crate) async fn send(self) -> Result<(), Failure> {
        match self.sent {
            None => Ok(()),
            Some((folder, place, session)) => upload::send_all(&session, folder.path(), &place).await,
        }
    }
}
