//! Output to S3: directly, or by way of a temporary folder that is uploaded at the end.

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

/// The store of generated data, and the store of its reference files: the lake, if the location is a lake's landing.
pub(crate) async fn stores(
    place: &BucketLocation,
    flags: &CloudFlags,
) -> Result<(Arc<dyn ObjectStore>, Arc<dyn ObjectStore>), Failure> {
    let reference = place.lake().unwrap_or_else(|| place.clone());
    let session = AwsSession::new(flags, &[place, &reference]).await?;
    Ok((session.store(place), session.store(&reference)))
}

/// Puts one file to a location, whose last segment is its name.
pub(crate) async fn put(place: &BucketLocation, flags: &CloudFlags, bytes: Bytes) -> Result<(), Failure> {
    if place.prefix.is_empty() {
        return Err(Failure::usage(format!("{place}: a bucket is no file; name one as {place}/report.html")));
    }
    let session = AwsSession::new(flags, &[place]).await?;
    session.skip_unchanged(place).send(&place.prefix, bytes.into(), None).await?;
    Ok(())
}

/// The bucket that `S3_BUCKET_NAME` names, checked.
pub(crate) struct DefaultBucket {
    session: AwsSession,
    bucket: BucketLocation,
}

impl DefaultBucket {
    pub(crate) async fn open(flags: &CloudFlags) -> Result<Self, Failure> {
        let session = AwsSession::logged_in(flags).await?;
        let bucket = upload::default_bucket(&session)?;
        session.check_buckets(&[&bucket]).await?;
        Ok(DefaultBucket { session, bucket })
    }

    /// Uploads the files of a folder below a prefix, and gives their location.
    pub(crate) async fn upload(&self, folder: &Path, prefix: &str) -> Result<BucketLocation, Failure> {
        let target = self.bucket.join(prefix);
        upload::send_all(&self.session, folder, &target).await?;
        Ok(target)
    }
}

/// The folder that output is written to: the one of the flags, or a temporary one that is uploaded to S3.
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

    /// Uploads what was written, if it goes to S3.
    pub(crate) async fn send(self) -> Result<(), Failure> {
        match self.sent {
            None => Ok(()),
            Some((folder, place, session)) => upload::send_all(&session, folder.path(), &place).await,
        }
    }
}
