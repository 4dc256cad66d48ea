//! A whole lake driven through all stages by one process: the laptop's stand-in for notifications and queues.
//!
//! It tells the handlers what S3 would tell them, in S3's own words, about everything that is there. What the ledger
//! knows to be done costs next to nothing; what a kill left undone between two stages is found and done.

use std::{collections::BTreeSet, sync::Arc};

use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{ETag, Listed, ObjectStore};

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
                Ok(outcomes) => note_landed(worker, outcomes, &mut driven).await?,
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

async fn note_landed(worker: &Worker, outcomes: Vec<(String, Outcome)>, driven: &mut Driven) -> Result<(), FlowError> {
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Done(receipt) => driven.landed.push(read_commit(worker, receipt.output).await?),
            Outcome::AlreadyDone(receipt) => driven.already.push(read_commit(worker, receipt.output).await?),
            Outcome::Rejected(_) | Outcome::Gone | Outcome::Ignored(_) | Outcome::Busy { .. } => {}
        }
    }
    Ok(())
}

async fn read_commit(worker: &Worker, key: String) -> Result<BronzeCommit, FlowError> {
    let bytes = worker.ports.lake.get(&key).await?.body.bytes().await?;
    serde_json::from_slice(&bytes).map_err(|error| FlowError::Document { key, reason: error.to_string() })
}
