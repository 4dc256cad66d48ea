//! Finds what is in one layer and missing in the next: landed objects without a bronze commit, bronze commits that silver has
//! not merged, buckets of silver that gold has not measured.
//!
//! A notification may be lost, its message may expire, an output may be removed or be of older rules. Notifying a stage of
//! work that is done costs a look into the ledger, so that finding too much does no harm. Where nothing is wrong, a search
//! costs the listings of the layer, and for bronze one read of the ledger for each commit in the window.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_lake::{
    gold::{Partial, RULES, inputs_digest},
    keys,
    schema::GOLD_SUMMARY,
    silver::Resource,
};
use metriccare_ports::{ObjectMeta, WorkId, ledger::State};

use crate::{
    error::FlowError,
    event::notification_of,
    function::Function,
    silver::Silver,
    upstream::Upstream,
    withdraw::withdrawals::Withdrawals,
    worker::{Worker, side_by_side},
};

/// Which objects are looked at, by the time that they were written, in microseconds since 1970: what was written a moment ago
/// may still be on its way.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Objects of this time and later.
    pub from_micros: i64,
    /// Objects of before this time.
    pub until_micros: i64,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// How many objects were looked at.
    pub looked_at: u64,
    /// The objects that the next layer lacks.
    pub missing: Vec<ObjectMeta>,
}

impl Window {
    /// All objects.
    pub const ALL: Window = Window { from_micros: i64::MIN, until_micros: i64::MAX };

    fn holds(self, meta: &ObjectMeta) -> bool {
        (self.from_micros..self.until_micros).contains(&meta.last_modified_micros)
    }
}

impl Upstream {
    /// The notifications of found objects, for the queue of the layer's stage.
    pub fn notifications(self, worker: &Worker, found: &Found) -> Vec<String> {
        let bucket = self.store(worker).bucket();
        found.missing.iter().map(|meta| notification_of(bucket, meta)).collect()
    }
}

/// Finds the objects of a layer that the next one lacks.
///
/// # Errors
/// What the ports do.
pub async fn find_missing(worker: &Arc<Worker>, layer: Upstream, window: Window) -> Result<Found, FlowError> {
    match layer {
        Upstream::Landing => landed(worker, window).await,
        Upstream::Bronze => committed(worker, window).await,
        Upstream::Silver => merged(worker, window).await,
    }
}

/// Every version of a landed object has a bronze commit of its own.
async fn landed(worker: &Arc<Worker>, window: Window) -> Result<Found, FlowError> {
    let (landing, lake) = (&worker.ports.landing, &worker.ports.lake);
    let commits: BTreeSet<String> =
        lake.list(keys::BRONZE_COMMITS).await?.into_iter().map(|listed| listed.key).collect();
    let withdrawals = Withdrawals::of(&**lake).await?;
    let has_none = |meta: &ObjectMeta| {
        let id = meta.object_id();
        !commits.contains(&keys::bronze_commit(&id)) && !withdrawals.holds(&id)
    };
    let mut found = Found::default();
    let mut candidates = Vec::new();
    for listed in landing.list_versions("").await? {
        if !listed.is_deleted && keys::is_data(&listed.meta.key) && window.holds(&listed.meta) {
            found.looked_at += 1;
            if has_none(&listed.meta) {
                candidates.push(listed.meta);
            }
        }
    }
    // A listing may state another time than the object itself, by which it is known.
    found.missing = exact(worker, Upstream::Landing, candidates).await?.into_iter().filter(has_none).collect();
    Ok(found)
}

/// Silver's work on every bronze commit is completed in the ledger, and silver is there.
async fn committed(worker: &Arc<Worker>, window: Window) -> Result<Found, FlowError> {
    let lake = &worker.ports.lake;
    let silver_is_there = !lake.list(keys::SILVER_COMMITS).await?.is_empty();
    let listed = lake.list_versions(keys::BRONZE_COMMITS).await?.into_iter();
    let latest: Vec<ObjectMeta> =
        listed.filter(|listed| listed.is_latest && window.holds(&listed.meta)).map(|listed| listed.meta).collect();
    let looked_at = latest.len() as u64;
    if !silver_is_there {
        return Ok(Found { looked_at, missing: latest });
    }
    let candidates = not_completed(worker, latest).await?;
    let missing = not_completed(worker, exact(worker, Upstream::Bronze, candidates).await?).await?;
    Ok(Found { looked_at, missing })
}

/// Every bucket of silver has a partial of the present rules that was measured from its present objects.
async fn merged(worker: &Arc<Worker>, window: Window) -> Result<Found, FlowError> {
    let lake = &worker.ports.lake;
    let mut inputs: BTreeMap<u16, Vec<(String, String)>> = BTreeMap::new();
    for resource in Resource::ALL {
        for listed in lake.list_versions(&format!("{}/", resource.silver().path)).await? {
            if let (true, Some(bucket)) = (listed.is_latest, keys::bucket_of(&listed.meta.key)) {
                let etag = listed.meta.etag.as_str().to_owned();
                inputs.entry(bucket).or_default().push((listed.meta.key, etag));
            }
        }
    }
    let mut commits = Vec::new();
    for listed in lake.list_versions(keys::SILVER_COMMITS).await? {
        if let (true, Some(bucket)) =
            (listed.is_latest && window.holds(&listed.meta), keys::bucket_of(&listed.meta.key))
        {
            let inputs = inputs.remove(&bucket).unwrap_or_default();
            let digest = inputs_digest(inputs.iter().map(|(key, etag)| (key.as_str(), etag.as_str())));
            commits.push((listed.meta, bucket, digest));
        }
    }
    let looked_at = commits.len() as u64;
    let first = commits.first().map(|(meta, ..)| meta.clone());
    let measured = side_by_side(worker.io_width, commits, |(meta, bucket, digest)| {
        let worker = Arc::clone(worker);
        async move {
            let partial = worker.ports.lake.read_opt(&keys::gold_partial(bucket, worker.buckets)).await?;
            let partial = partial.and_then(|(_, bytes)| Partial::from_json(&bytes).ok());
            let is_current = partial.is_some_and(|partial| partial.rules == RULES && partial.inputs == digest);
            Ok((!is_current).then_some(meta))
        }
    });
    let measured: Result<Vec<Option<ObjectMeta>>, FlowError> = measured.await.into_iter().collect();
    let mut missing: Vec<ObjectMeta> = measured?.into_iter().flatten().collect();
    // Where everything is measured, one bucket is enough to have the final tables folded.
    if missing.is_empty() && lake.head_opt(&keys::gold_file(GOLD_SUMMARY.path)).await?.is_none() {
        missing.extend(first);
    }
    Ok(Found { looked_at, missing })
}

/// The objects as they describe themselves; those that have gone are left out.
async fn exact(worker: &Arc<Worker>, layer: Upstream, objects: Vec<ObjectMeta>) -> Result<Vec<ObjectMeta>, FlowError> {
    let described = side_by_side(worker.io_width, objects, |meta| {
        let worker = Arc::clone(worker);
        async move { layer.store(&worker).head_version_opt(&meta.key, meta.version.as_deref()).await }
    });
    let described: Result<Vec<Option<ObjectMeta>>, _> = described.await.into_iter().collect();
    Ok(described?.into_iter().flatten().collect())
}

/// The bronze commits on which silver's work is not completed.
async fn not_completed(worker: &Arc<Worker>, commits: Vec<ObjectMeta>) -> Result<Vec<ObjectMeta>, FlowError> {
    let looked = side_by_side(worker.io_width, commits, |meta| {
        let worker = Arc::clone(worker);
        async move {
            let work = WorkId::on(Silver::NAME, worker.ports.lake.bucket(), &meta);
            let record = worker.ports.ledger.look(&work).await?;
            let is_completed = record.is_some_and(|record| matches!(record.state, State::Completed { .. }));
            Ok((!is_completed).then_some(meta))
        }
    });
    let looked: Result<Vec<Option<ObjectMeta>>, FlowError> = looked.await.into_iter().collect();
    Ok(looked?.into_iter().flatten().collect())
}
