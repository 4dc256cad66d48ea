//! A whole lake driven through all stages by one process: the laptop's stand-in for notifications and queues.
//!
//! It tells the handlers what S3 would tell them, in S3's own words, about everything that is there. What the ledger
//! knows to be done costs next to nothing; what a kill left undone between two stages is found and done.

use std::{collections::BTreeSet, sync::Arc};

use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{ETag, ErrorKind, Listed, ObjectStore};

use crate::{
    batch::{Again, handle},
    event::notification,
    gold::refresh,
    outcome::{FlowError, Outcome},
    stage::Stage,
    worker::Worker,
};

/// Hears how far a drive has come.
pub trait Progress: Send + Sync {
    /// A stage begins with so many objects.
    fn begin(&self, stage: Stage, objects: usize);
    /// So many more objects of the stage are done.
    fn advance(&self, objects: usize);
}

/// What a drive did.
#[derive(Debug, Default)]
pub struct Driven {
    /// The commits of the landed objects that were carried into bronze now, in the order of their keys.
    pub landed: Vec<BronzeCommit>,
    /// The commits of landed objects that had been carried before.
    pub already: Vec<BronzeCommit>,
    /// What failed, with the stage, in words.
    pub failed: Vec<(Stage, Again)>,
}

/// How many landed objects are told of at once.
const BATCH: usize = 64;

/// Carries everything in the landing bucket through all stages, and mends what an earlier run left behind.
///
/// # Errors
/// What keeps the whole from going on; the failure of single objects is in [`Driven::failed`].
pub async fn drive(worker: &Arc<Worker>, progress: &dyn Progress) -> Result<Driven, FlowError> {
    let mut driven = Driven::default();
    let landed = told(&*worker.ports.landing, worker.ports.landing.list("").await?);
    progress.begin(Stage::BRONZE, landed.len());
    for batch in landed.chunks(BATCH) {
        for verdict in handle(worker, Stage::BRONZE, batch).await {
            match verdict {
                Ok(outcomes) => note_landed(worker, outcomes, &mut driven).await,
                Err(again) => driven.failed.push((Stage::BRONZE, again)),
            }
        }
        progress.advance(batch.len());
    }
    for (stage, prefix) in [(Stage::SILVER, keys::BRONZE_COMMITS), (Stage::GOLD, keys::SILVER_COMMITS)] {
        let lake = &*worker.ports.lake;
        let mut listed = lake.list(prefix).await?;
        if stage == Stage::GOLD {
            listed.extend(lake.list(keys::HOSPITALS).await?);
        }
        let commits = told(lake, listed);
        progress.begin(stage, commits.len());
        let failed = handle(worker, stage, &commits).await.into_iter().filter_map(Result::err);
        driven.failed.extend(failed.map(|again| (stage, again)));
        progress.advance(commits.len());
    }
    let silver = worker.ports.lake.list(keys::SILVER_COMMITS).await?;
    let buckets: BTreeSet<u16> = silver.iter().filter_map(|listed| keys::bucket_of(&listed.key)).collect();
    refresh(worker, buckets).await?;
    Ok(driven)
}

/// What S3 would say of objects that have been put.
fn told(store: &dyn ObjectStore, listed: Vec<Listed>) -> Vec<String> {
    let unknown = ETag::new("");
    let tell = |object: Listed| {
        let etag = object.etag.as_ref().unwrap_or(&unknown);
        notification(store.bucket(), &object.key, object.size, etag, object.last_modified_micros)
    };
    listed.into_iter().map(tell).collect()
}

/// Notes the commits of what was carried. One that cannot be read is a failure of its object alone: every other one is worth
/// going on for.
async fn note_landed(worker: &Worker, outcomes: Vec<(String, Outcome)>, driven: &mut Driven) {
    for (key, outcome) in outcomes {
        let (receipt, noted) = match outcome {
            Outcome::Done(receipt) => (receipt, &mut driven.landed),
            Outcome::AlreadyDone(receipt) => (receipt, &mut driven.already),
            Outcome::Rejected(_) | Outcome::Gone | Outcome::Ignored(_) | Outcome::Busy { .. } => continue,
        };
        match read_commit(worker, receipt.output).await {
            Ok(commit) => noted.push(commit),
            Err(error) => driven.failed.push((Stage::BRONZE, Again::Failed { key, error: Arc::new(error) })),
        }
    }
}

async fn read_commit(worker: &Worker, key: String) -> Result<BronzeCommit, FlowError> {
    let what_to_do =
        "delete this commit, if it is there, and run again: what has no commit is carried into bronze anew";
    let unusable = |key, reason: String| FlowError::Document { key, reason: format!("{reason}; {what_to_do}") };
    let bytes = match worker.ports.lake.get(&key).await {
        Ok(object) => object.body.bytes().await?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(unusable(key, "it is missing, though the ledger has its work as done".to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes).map_err(|error| unusable(key, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use metriccare_ports::{Ports, PutMode, SystemClock};

    use super::*;

    struct Unwatched;

    impl Progress for Unwatched {
        fn begin(&self, _: Stage, _: usize) {}

        fn advance(&self, _: usize) {}
    }

    async fn land(worker: &Worker, name: &str) {
        let patient = format!("{{\"resourceType\":\"Patient\",\"id\":\"{name}\"}}\n").into_bytes();
        let key = format!("patient/{name}.ndjson");
        worker.ports.landing.put(&key, patient.into(), PutMode::IfAbsent).await.expect("memory");
    }

    #[tokio::test]
    async fn an_unreadable_commit_fails_its_object_and_no_other() {
        let ports = Ports::memory(Arc::new(SystemClock));
        let worker = Arc::new(Worker::new(ports, 2, NonZeroUsize::MIN, "test"));
        land(&worker, "a").await;
        land(&worker, "b").await;
        let first = drive(&worker, &Unwatched).await.expect("memory");
        assert_eq!((first.landed.len(), first.failed.len()), (2, 0));

        let commit = keys::bronze_commit(&first.landed[0].object_id);
        worker.ports.lake.put(&commit, Vec::new().into(), PutMode::Overwrite).await.expect("memory");
        let healed = drive(&worker, &Unwatched).await.expect("memory");
        assert_eq!(
            (healed.landed.len(), healed.already.len(), healed.failed.len()),
            (1, 1, 0),
            "an empty one is made again"
        );

        worker.ports.lake.put(&commit, "{".into(), PutMode::Overwrite).await.expect("memory");
        land(&worker, "c").await;
        let second = drive(&worker, &Unwatched).await.expect("one commit stops nothing");
        assert_eq!((second.landed.len(), second.already.len()), (1, 1));
        let (stage, again) = second.failed.first().expect("the object failed");
        let words = again.to_string();
        assert_eq!(*stage, Stage::BRONZE);
        assert!(words.starts_with(&format!("patient/a.ndjson: {commit} is not what it should be: ")), "{words}");
        assert!(words.contains("delete this commit"), "{words}");
    }
}
