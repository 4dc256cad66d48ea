//! A whole lake driven through all stages by one process: the laptop's stand-in for notifications and queues.
//!
//! Every stage is given everything that exists. What the ledger has as done costs next to nothing; what a kill left undone
//! between two stages is found and done.

use std::{collections::BTreeSet, sync::Arc};

use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{Listed, ObjectStore};

use crate::{
    bronze::Bronze,
    error::FlowError,
    event::ObjectEvent,
    function::Function,
    gold::{Gold, refresh},
    process::process,
    report::{Outcome, RetryReason},
    silver::Silver,
    worker::Worker,
};

/// Hears how far a drive has come.
pub trait Progress: Send + Sync {
    /// A stage begins with so many objects.
    fn begin(&self, stage: &'static str, objects: usize);
    /// So many more objects of the stage are done.
    fn advance(&self, objects: usize);
}

/// Shows no progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _stage: &'static str, _objects: usize) {}

    fn advance(&self, _objects: usize) {}
}

/// What a drive did.
#[derive(Debug, Default)]
pub struct Driven {
    /// The commits of the landed objects that were flattened now, in the order of their keys.
    pub landed: Vec<BronzeCommit>,
    /// The commits of landed objects that had been flattened before.
    pub already: Vec<BronzeCommit>,
    /// The keys of landed objects that stay out because they were withdrawn.
    pub withdrawn: Vec<String>,
    /// What failed, with the stage's name.
    pub failed: Vec<(&'static str, RetryReason)>,
}

/// How many landed objects are processed together.
const BATCH: usize = 64;

/// Takes everything in the landing bucket through all stages, and mends what an earlier run left behind.
///
/// # Errors
/// What keeps the whole from going on; the failure of single objects is in [`Driven::failed`].
pub async fn drive(worker: &Arc<Worker>, progress: &dyn Progress) -> Result<Driven, FlowError> {
    let mut driven = Driven::default();
    take_landed(worker, progress, &mut driven).await?;
    let lake = &*worker.ports.lake;
    let commits = events(lake, lake.list(keys::BRONZE_COMMITS).await?);
    stage(&Silver, worker, commits, progress, &mut driven).await;
    let silver = lake.list(keys::SILVER_COMMITS).await?;
    let buckets: BTreeSet<u16> = silver.iter().filter_map(|listed| keys::bucket_of(&listed.key)).collect();
    let mut changes = events(lake, silver);
    changes.extend(events(lake, lake.list(keys::HOSPITALS).await?));
    stage(&Gold, worker, changes, progress, &mut driven).await;
    refresh(worker, buckets).await?;
    Ok(driven)
}

/// Takes everything in the landing bucket into bronze.
pub(crate) async fn take_landed(
    worker: &Arc<Worker>,
    progress: &dyn Progress,
    driven: &mut Driven,
) -> Result<(), FlowError> {
    let landing = &*worker.ports.landing;
    let landed = events(landing, landing.list("").await?);
    progress.begin(Bronze::NAME, landed.len());
    for batch in landed.chunks(BATCH) {
        for result in process(&Bronze, worker, batch.to_vec()).await {
            match result {
                Ok(outcomes) => outcomes.into_iter().for_each(|(key, outcome)| driven.note(key, outcome)),
                Err(reason) => driven.failed.push((Bronze::NAME, reason)),
            }
        }
        progress.advance(batch.len());
    }
    Ok(())
}

/// Gives a stage all objects at once, and notes what failed.
async fn stage<F: Function<Item = ObjectEvent>>(
    function: &F,
    worker: &Arc<Worker>,
    objects: Vec<Vec<ObjectEvent>>,
    progress: &dyn Progress,
    driven: &mut Driven,
) {
    let count = objects.len();
    progress.begin(F::NAME, count);
    let failed = process(function, worker, objects).await.into_iter().filter_map(Result::err);
    driven.failed.extend(failed.map(|reason| (F::NAME, reason)));
    progress.advance(count);
}

/// One message for each listed object.
fn events(store: &dyn ObjectStore, listed: Vec<Listed>) -> Vec<Vec<ObjectEvent>> {
    listed.into_iter().map(|object| vec![ObjectEvent::created(store.bucket(), object.key)]).collect()
}

impl Driven {
    fn note(&mut self, key: String, outcome: Outcome<BronzeCommit>) {
        match outcome {
            Outcome::Done(done) => self.landed.push(done.output),
            Outcome::AlreadyDone(done) => self.already.push(done.output),
            Outcome::Withdrawn => self.withdrawn.push(key),
            Outcome::Rejected(_) | Outcome::Gone | Outcome::Ignored(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use metriccare_ports::{Ports, PutMode, SystemClock};

    use super::*;

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
        let (stage, reason) = second.failed.first().expect("the object failed");
        let words = reason.to_string();
        assert_eq!(*stage, Bronze::NAME);
        assert!(words.starts_with(&format!("patient/a.ndjson: {commit} cannot be read: ")), "{words}");
        assert!(words.contains("delete this commit"), "{words}");
    }
}
