//! Sending files side by side, each counted by what became of it.

use std::{collections::BTreeMap, sync::Arc};

use metriccare_aws::{Sent, SkipUnchanged};
use metriccare_ports::{Error, ErrorKind, ObjectStore, Payload, PutMode};
use serde::Serialize;
use tokio::{sync::Semaphore, task::JoinSet};

use super::files::Outgoing;
use crate::{cloud::AwsSession, output::progress::Bars};

/// Files that are on their way at once.
const SIDE_BY_SIDE: usize = 8;

/// Files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Amount {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// What became of the files.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sendings {
    /// There was none under their keys.
    pub(super) new: Amount,
    /// There was another one.
    pub(super) replaced: Amount,
    /// The same was there, or one that stays.
    pub(super) there: Amount,
    /// Not sent, because the command was stopped.
    pub(super) stopped: Amount,
    /// What failed, in words.
    pub(super) failures: Vec<String>,
}

/// Sends files, and stops where a person does.
pub(super) async fn send(session: &AwsSession, files: Vec<Outgoing>, bars: &Bars) -> Sendings {
    let mut sendings = Sendings::default();
    bars.start("upload", files.len());
    let buckets: BTreeMap<String, Arc<SkipUnchanged>> =
        files.iter().map(|file| (file.place.bucket.clone(), Arc::new(session.skip_unchanged(&file.place)))).collect();
    let room = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut tasks = JoinSet::new();
    for file in files {
        let (room, bucket) = (Arc::clone(&room), Arc::clone(&buckets[&file.place.bucket]));
        tasks.spawn(async move {
            // The room is closed where a person stopped the command.
            let Ok(_place) = room.acquire_owned().await else { return (file, None) };
            let sent = one(&bucket, &file).await;
            (file, Some(sent))
        });
    }
    let mut asked_to_stop = Box::pin(tokio::signal::ctrl_c());
    loop {
        let done = tokio::select! {
            done = tasks.join_next() => done,
            _ = &mut asked_to_stop => {
                // Asked once, what is under way comes to its end; asked twice, it does not.
                if room.is_closed() {
                    tasks.abort_all();
                }
                room.close();
                asked_to_stop = Box::pin(tokio::signal::ctrl_c());
                continue;
            }
        };
        match done {
            None => return sendings,
            Some(Ok((file, sent))) => sendings.note(&file, sent),
            Some(Err(error)) if error.is_cancelled() => sendings.stopped.files += 1,
            Some(Err(error)) => sendings.failures.push(format!("a file's sending broke off: {error}")),
        }
        bars.step(1);
    }
}

async fn one(bucket: &SkipUnchanged, file: &Outgoing) -> Result<Sent, Error> {
    let payload = Payload::File(file.path.clone());
    if !file.stays {
        return Ok(bucket.send(&file.key, payload).await?.1);
    }
    match bucket.put(&file.key, payload, PutMode::IfAbsent).await {
        Ok(_) => Ok(Sent::New),
        Err(error) if error.kind() == ErrorKind::Precondition => Ok(Sent::Unchanged),
        Err(error) => Err(error),
    }
}

impl Sendings {
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
