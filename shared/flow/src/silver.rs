//! The silver stage: the bronze files of a batch of commits are dealt to buckets, and each bucket is merged.
//!
//! Every silver object is one compare-and-swap register: what is there is read with its ETag, merged with what came,
//! and written if it still is what was read. The bucket's commit is written last, and even when nothing changed.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::RecordBatch;
use metriccare_lake::{
    bronze::{BronzeCommit, CommittedFile},
    keys,
    silver::{Resource, merge, read_bronze, split},
};
use metriccare_ports::{Claim, ETag, Error, ErrorKind, PutMode, Receipt, register};
use serde::{Deserialize, Serialize};

use crate::{
    outcome::{FlowError, Outcome},
    worker::{Worker, compute, side_by_side, unclaimed, work_on},
};

/// `silver/_commits/bucket=NN.json`: what gold is woken by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilverCommit {
    /// The bucket.
    pub bucket: u16,
    /// How many buckets the lake has: whoever else works on it deals to as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u16>,
    /// The ETags of the bucket's silver objects by their keys, as the merge left them.
    pub objects: BTreeMap<String, String>,
}

/// The rows of one bucket by resource.
type BucketRows = BTreeMap<Resource, Vec<RecordBatch>>;

/// Carries the bronze commits with these keys into silver, all at once; the answers stand in the keys' order.
///
/// A commit that cannot be read fails alone; where a bucket cannot be written, all commits of the batch come again.
pub async fn silver(worker: &Arc<Worker>, commits: &[String]) -> Vec<Result<Outcome, FlowError>> {
    let mut answers = Vec::with_capacity(commits.len());
    let mut claimed: Vec<(usize, Claim, BronzeCommit)> = Vec::new();
    for (at, key) in commits.iter().enumerate() {
        answers.push(match claim(worker, key).await {
            Ok(Ok((claim, commit))) => {
                claimed.push((at, claim, commit));
                Ok(Outcome::Gone)
            }
            Ok(Err(outcome)) => Ok(outcome),
            Err(error) => Err(error),
        });
    }
    let files: Vec<_> = claimed.iter().flat_map(|(_, _, commit)| commit.files.clone()).collect();
    let merged = merge_files(worker, files).await.map_err(Arc::new);
    for (at, claim, commit) in claimed {
        let result = match &merged {
            Ok(()) => Ok(Receipt {
                output: keys::SILVER_COMMITS.to_owned(),
                digest: commit.content_id,
                rows: commit.counts.accepted(),
            }),
            Err(error) => Err(FlowError::Batch(Arc::clone(error))),
        };
        answers[at] = worker.end(&claim, result).await;
    }
    answers
}

/// Claims a commit's work and reads what it lists.
async fn claim(worker: &Worker, key: &str) -> Result<Result<(Claim, BronzeCommit), Outcome>, FlowError> {
    if !key.starts_with(keys::BRONZE_COMMITS) {
        return Ok(Err(Outcome::Ignored("silver depends on bronze commits only")));
    }
    let lake = &worker.ports.lake;
    let object = match lake.get(key).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Err(Outcome::Gone)),
        other => other?,
    };
    let claim = match unclaimed(worker.begin(&work_on("silver", lake.bucket(), &object.meta)).await?) {
        Ok(claim) => claim,
        Err(outcome) => return Ok(Err(outcome)),
    };
    let read = match object.body.bytes().await {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| FlowError::Document { key: key.to_owned(), reason: error.to_string() }),
        Err(error) => Err(error.into()),
    };
    match read {
        Ok(commit) => Ok(Ok((claim, commit))),
        Err(error) => worker.end(&claim, Err(error)).await.map(Err),
    }
}

/// Refuses to deal patients to another number of buckets than those of the lake, where they would live twice.
async fn check_buckets(worker: &Worker) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    let Some(any) = lake.list(keys::SILVER_COMMITS).await?.into_iter().next() else { return Ok(()) };
    let bytes = lake.get(&any.key).await?.body.bytes().await?;
    // A commit that cannot be read is written anew below.
    let Some(buckets) = serde_json::from_slice(&bytes).ok().and_then(|commit: SilverCommit| commit.buckets) else {
        return Ok(());
    };
    if buckets == worker.buckets {
        return Ok(());
    }
    let reason = format!(
        "the lake has {buckets} buckets and is asked for {}: the number is fixed for the life of a lake; set it back, or \
         start another lake",
        worker.buckets
    );
    Err(Error::new(ErrorKind::Invalid, "merge", any.key, reason).into())
}

async fn merge_files(worker: &Arc<Worker>, files: Vec<CommittedFile>) -> Result<(), FlowError> {
    if files.is_empty() {
        return Ok(());
    }
    check_buckets(worker).await?;
    let read = side_by_side(worker.threads, files, |file| deal(Arc::clone(worker), file)).await;
    let mut buckets: BTreeMap<u16, BucketRows> = BTreeMap::new();
    for file in read {
        let (resource, parts) = match file? {
            Some(dealt) => dealt,
            None => continue,
        };
        for (bucket, rows) in parts {
            buckets.entry(bucket).or_default().entry(resource).or_default().push(rows);
        }
    }
    let work = buckets.into_iter().collect();
    let merged = side_by_side(worker.threads, work, |(bucket, rows)| merge_bucket(Arc::clone(worker), bucket, rows));
    merged.await.into_iter().collect()
}

type Dealt = (Resource, Vec<(u16, RecordBatch)>);

/// Reads a bronze file and deals its rows to buckets; none for what silver does not keep.
async fn deal(worker: Arc<Worker>, file: CommittedFile) -> Result<Option<Dealt>, FlowError> {
    let Some(resource) = Resource::of_bronze_key(&file.key) else { return Ok(None) };
    let bytes = worker.ports.lake.get(&file.key).await?.body.bytes().await?;
    let (key, buckets) = (file.key.clone(), worker.buckets);
    let parts = compute(&file.key, move || split(resource, &read_bronze(resource, &key, &bytes)?, buckets)).await?;
    Ok(Some((resource, parts.map_err(|source| FlowError::File { key: file.key, source })?)))
}

/// Merges rows into a bucket's objects, then commits it.
async fn merge_bucket(worker: Arc<Worker>, bucket: u16, mut rows: BucketRows) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    for resource in Resource::ALL {
        let Some(incoming) = rows.remove(&resource).map(Arc::new) else { continue };
        let key = keys::bucket_file(resource.silver().path, bucket);
        let merged =
            |current: Option<register::Current>| merge_object(resource, key.clone(), current, Arc::clone(&incoming));
        register::update(&**lake, &*worker.ports.clock, &key, &worker.retry(&key), merged).await?;
    }
    let key = keys::silver_commit(bucket);
    worker.again(&key, || commit_bucket(&worker, bucket)).await
}

/// Commits what a bucket's objects are now, also where that is what was committed before: the put wakes gold.
///
/// The present commit is read first and replaced only while it stands, so that of two mergers the slower one never puts
/// back an older view of the bucket, under a name that gold knows to be done.
async fn commit_bucket(worker: &Worker, bucket: u16) -> Result<(), FlowError> {
    let (lake, key) = (&worker.ports.lake, keys::silver_commit(bucket));
    let mode = etag_of(worker, &key).await?.map_or(PutMode::IfAbsent, PutMode::IfMatch);
    let mut objects = BTreeMap::new();
    for resource in Resource::ALL {
        let key = keys::bucket_file(resource.silver().path, bucket);
        if let Some(etag) = etag_of(worker, &key).await? {
            objects.insert(key, etag.as_str().to_owned());
        }
    }
    let commit = serde_json::to_vec(&SilverCommit { bucket, buckets: Some(worker.buckets), objects })
        .map_err(|error| FlowError::Document { key: key.clone(), reason: error.to_string() })?;
    lake.put(&key, commit.into(), mode).await?;
    Ok(())
}

/// The ETag of an object of the lake, if it is there.
async fn etag_of(worker: &Worker, key: &str) -> Result<Option<ETag>, FlowError> {
    match worker.ports.lake.head(key).await {
        Ok(meta) => Ok(Some(meta.etag)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn merge_object(
    resource: Resource,
    key: String,
    current: Option<register::Current>,
    incoming: Arc<Vec<RecordBatch>>,
) -> Result<register::Change, FlowError> {
    let existing = current.map(|current| current.bytes);
    let merged = compute(&key, move || merge(resource, existing.as_ref(), &incoming)).await?;
    let merged = merged.map_err(|source| FlowError::File { key, source })?;
    Ok(if merged.changed { register::Change::Write(merged.parquet) } else { register::Change::Keep })
}
