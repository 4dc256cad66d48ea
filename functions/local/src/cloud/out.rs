//! Output to S3: through the store's port, or, for what only knows files, by way of a folder that is sent at the end.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use metriccare_ports::ObjectStore;
use tempfile::TempDir;

use super::entry::Entry;
use crate::{
    arguments::CloudFlags,
    failure::Failure,
    place::{BucketPlace, Place},
    upload,
};

/// Where generated data goes, and where what others need to know of it goes: the lake, if that place is its landing.
pub(crate) async fn stores(
    place: &BucketPlace,
    flags: &CloudFlags,
) -> Result<(Arc<dyn ObjectStore>, Arc<dyn ObjectStore>), Failure> {
    let reference = place.lake().unwrap_or_else(|| place.clone());
    let entry = Entry::new(flags, &[place, &reference]).await?;
    Ok((entry.store(place), entry.store(&reference)))
}

/// Puts one file to a place, whose last segment is its name.
pub(crate) async fn put(place: &BucketPlace, flags: &CloudFlags, bytes: Bytes) -> Result<(), Failure> {
    if place.prefix.is_empty() {
        return Err(Failure::usage(format!("{place}: a bucket is no file; name one as {place}/report.html")));
    }
    let entry = Entry::new(flags, &[place]).await?;
    entry.sparing(place).send(&place.prefix, bytes.into()).await?;
    Ok(())
}

/// The folder that output is written to: the one that was asked for, or one that is sent to S3 and gone then.
pub(crate) struct Scratch {
    folder: PathBuf,
    sent: Option<(TempDir, BucketPlace, Entry)>,
}

impl Scratch {
    pub(crate) async fn new(place: &Place, flags: &CloudFlags) -> Result<Self, Failure> {
        match place {
            Place::Folder(folder) => Ok(Scratch { folder: folder.clone(), sent: None }),
            Place::Bucket(place) => {
                let entry = Entry::new(flags, &[place]).await?;
                let unusable = |error| Failure::failed(format!("no temporary folder can be made: {error}"));
                let folder = tempfile::tempdir().map_err(unusable)?;
                Ok(Scratch { folder: folder.path().to_owned(), sent: Some((folder, place.clone(), entry)) })
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
            Some((folder, place, entry)) => upload::send_all(&entry, folder.path(), &place).await,
        }
    }
}
