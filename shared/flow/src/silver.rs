//! The silver stage: the bronze files of a batch of commits are hash-partitioned into buckets, and each bucket is merged.
//!
//! Every silver object is one compare-and-swap register: what is there is read with its ETag, merged with what came,
//! and written if it still is what was read. The bucket's commit is written last, and even when nothing changed.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::RecordBatch;
use bytes::Bytes;
use metriccare_lake::{
    bronze::{BronzeCommit, CommittedFile},
    keys,
    silver::{Resource, SilverCommit, merge, read_bronze, split},
};
use metriccare_ports::{ETag, Error, ErrorKind, PutMode, Receipt, WorkId, register};

use crate::{
    error::FlowError,
    event::{DecodeError, Invocation, ObjectEvent},
    function::{Function, Prepared},
    report::{Delivery, Done, Outcome},
    worker::{Worker, compute, side_by_side},
};

/// The silver stage: bronze commits in, merged buckets out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silver;

/// A bronze commit that was read.
#[derive(Debug)]
pub struct CommitBytes {
    key: String,
    bytes: Bytes,
}

/// The rows of one bucket by resource.
type BucketRows = BTreeMap<Resource, Vec<RecordBatch>>;

impl Function for Silver {
    const NAME: &'static str = "silver";
    type Item = ObjectEvent;
    type Input = CommitBytes;
    type Output = ();

    fn decode(&self, event: Invocation, _: &Delivery) -> Result<Vec<ObjectEvent>, DecodeError> {
        event.into_objects()
    }

    fn name_of(item: &ObjectEvent) -> &str {
        &item.key
    }

    async fn prepare(&self, worker: &Worker, item: &ObjectEvent) -> Result<Prepared<CommitBytes, ()>, FlowError> {
        let lake = &worker.ports.lake;
        if item.bucket != lake.bucket() {
            return Ok(Prepared::Nothing(Outcome::Ignored("another bucket's object")));
        }
        if !item.key.starts_with(keys::BRONZE_COMMITS) {
            return Ok(Prepared::Nothing(Outcome::Ignored("silver depends on bronze commits only")));
        }
        let Some((meta, bytes)) = lake.read_opt(&item.key).await? else { return Ok(Prepared::Nothing(Outcome::Gone)) };
        let work = WorkId::on(Self::NAME, lake.bucket(), &meta);
        Ok(Prepared::Work(Some(work), CommitBytes { key: meta.key, bytes }))
    }

    async fn recall(&self, _: &Worker, _: &Receipt) -> Result<Option<()>, FlowError> {
        Ok(Some(()))
    }

    /// A commit that cannot be read fails alone; where a bucket cannot be written, all commits of the batch are delivered again.
    async fn run(&self, worker: &Arc<Worker>, inputs: Vec<CommitBytes>) -> Vec<Result<Done<()>, Arc<FlowError>>> {
        let commits: Vec<Result<BronzeCommit, Arc<FlowError>>> = inputs.into_iter().map(read_commit).collect();
        let files = commits.iter().flatten().flat_map(|commit| commit.files.clone()).collect();
        let merged = merge_files(worker, files).await.map_err(Arc::new);
        let done = |commit: BronzeCommit| {
            merged.clone()?;
            let output = keys::SILVER_COMMITS.to_owned();
            let receipt = Receipt { output, digest: commit.content_id, rows: commit.counts.accepted() };
            Ok(Done { receipt, output: () })
        };
        commits.into_iter().map(|commit| commit.and_then(done)).collect()
    }
}

fn read_commit(CommitBytes { key, bytes }: CommitBytes) -> Result<BronzeCommit, Arc<FlowError>> {
    BronzeCommit::from_json(&bytes).map_err(|error| FlowError::Document { key, reason: error.to_string() }.into())
}

/// Refuses to partition patients into another number of buckets than the lake's, where they would exist twice.
async fn check_buckets(worker: &Worker) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    let Some(any) = lake.list(keys::SILVER_COMMITS).await?.into_iter().next() else { return Ok(()) };
    let bytes = lake.get(&any.key).await?.body.bytes().await?;
    // A commit that cannot be read is replaced by this merge.
    let Some(buckets) = SilverCommit::from_json(&bytes).ok().and_then(|commit| commit.buckets) else {
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
    let read = side_by_side(worker.threads, files, |file| partition(Arc::clone(worker), file)).await;
    let mut buckets: BTreeMap<u16, BucketRows> = BTreeMap::new();
    for file in read {
        let (resource, parts) = match file? {
            Some(partitioned) => partitioned,
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

type Partitioned = (Resource, Vec<(u16, RecordBatch)>);

/// Reads a bronze file and partitions its rows by bucket; none for what silver does not keep.
async fn partition(worker: Arc<Worker>, file: CommittedFile) -> Result<Option<Partitioned>, FlowError> {
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
    worker.until_settled(&key, || commit_bucket(&worker, bucket)).await
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
    let commit = SilverCommit { bucket, buckets: Some(worker.buckets), objects };
    lake.put(&key, commit.to_json().into(), mode).await?;
    Ok(())
}

/// The ETag of an object of the lake, if it is there.
async fn etag_of(worker: &Worker, key: &str) -> Result<Option<ETag>, FlowError> {
    Ok(worker.ports.lake.head_opt(key).await?.map(|meta| meta.etag))
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
