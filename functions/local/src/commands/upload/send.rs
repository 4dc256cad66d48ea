//! Uploads files in parallel, and counts them by outcome.

use std::{collections::BTreeMap, sync::Arc};

use metriccare_aws::{Sent, SkipUnchanged};
use metriccare_ports::{Error, ErrorKind, ObjectStore, Payload, PutMode};
use serde::Serialize;
use tokio::{sync::Semaphore, task::JoinSet};

use super::files::Outgoing;
use crate::{cloud::AwsSession, output::progress::Bars};

/// Files that are uploaded at the same time.
const CONCURRENT_UPLOADS: usize = 8;

/// Files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Amount {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// The files by outcome.
#[derive(Debug, Default, Serialize)]
pub(super) struct Uploads {
    /// There was no object with the key.
    pub(super) new: Amount,
    /// An object with other content was replaced.
    pub(super) replaced: Amount,
    /// The same object was there, or one that must not be replaced.
    pub(super) there: Amount,
    /// Not sent, because the command was stopped.
    pub(super) stopped: Amount,
    /// What failed, as text.
    pub(super) failures: Vec<String>,
}

/// Uploads files until done or interrupted.
pub(super) async fn send(session: &AwsSession, files: Vec<Outgoing>, bars: &Bars) -> Uploads {
    let mut uploads = Uploads::default();
    bars.start("upload", files.len());
    let buckets: BTreeMap<String, Arc<SkipUnchanged>> =
        files.iter().map(|file| (file.place.bucket.clone(), Arc::new(session.skip_unchanged(&file.place)))).collect();
    let permits = Arc::new(Semaphore::new(CONCURRENT_UPLOADS));
    let mut tasks = JoinSet::new();
    for file in files {
        let (permits, bucket) = (Arc::clone(&permits), Arc::clone(&buckets[&file.place.bucket]));
        tasks.spawn(async move {
            // The semaphore is closed when the command is interrupted.
            let Ok(_permit) = permits.acquire_owned().await else { return (file, None) };
            let sent = one(&bucket, &file).await;
            (file, Some(sent))
        });
    }
    let mut interrupt = Box::pin(tokio::signal::ctrl_c());
    loop {
        let done = tokio::select! {
            done = tasks.join_next() => done,
            _ = &mut interrupt => {
                // The first interrupt lets running uploads finish, the second one does not.
                if permits.is_closed() {
                    tasks.abort_all();
                }
                permits.close();
                interrupt = Box::pin(tokio::signal::ctrl_c());
                continue;
            }
        };
        match done {
            None => return uploads,
            Some(Ok((file, sent))) => uploads.note(&file, sent),
            Some(Err(error)) if error.is_cancelled() => uploads.stopped.files += 1,
            Some(Err(error)) => uploads.failures.push(format!("an upload failed: {error}")),
        }
        bars.step(1);
    }
}

async fn one(bucket: &SkipUnchanged, file: &Outgoing) -> Result<Sent, Error> {
    let payload = Payload::File(file.path.clone());
    if !file.stays {
        return Ok(bucket.send(&file.key, payload, file.landed_micros).await?.1);
    }
    match bucket.put(&file.key, payload, PutMode::IfAbsent).await {
        Ok(_) => Ok(Sent::New),
        Err(error) if error.kind() == ErrorKind::Precondition => Ok(Sent::Unchanged),
        Err(error) => Err(error),
    }
}

impl Uploads {
    fn note(&mut self, file: &Outgoing, sent: Option<Result<Sent, Error>>) {
        let amount = match sent {
            Some(Ok(Sent::New)) => &mut self.new,
            Some(Ok(Sent::Replaced)) => &mut self.replaced,
            Some(Ok(Sent::Unchanged)) => &mut self.there,
            None => &mut self.stopped,
            Some(Err(error)) => {
                self.failures.push(format!("{}: {error}", file.path.display()));
                return;
            }
        };
        amount.files += 1;
        amount.bytes += file.bytes;
    }
}
