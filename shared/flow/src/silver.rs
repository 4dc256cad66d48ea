//! The silver stage: the bronze files of a batch of commits are hash-partitioned into buckets, and each bucket is merged.
//!
//! Before any bucket, the record index takes in all versions of the batch: what it then knows of their resources says
//! which other buckets they ever named, and those are merged as well.
//!
//! Every silver object is one compare-and-swap register: what is there is read with its ETag, merged with what came,
//! and written if it still is what was read. The bucket's commit is written last, and even when nothing changed.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use metriccare_lake::{
    bronze::BronzeCommit,
    keys,
    relational::RELATIONAL,
    settings::{Layer, Rules},
    silver::{Incoming, ObjectInput, Resource, SilverCommit, Tombstone, merge_with},
};
use metriccare_ports::{PutMode, Receipt, WorkId, register};

mod gather;
mod rounds;
mod shuffle;

use crate::{
    committed::FileRows,
    error::FlowError,
    event::{DecodeError, Invocation, ObjectEvent},
    function::{Function, Prepared},
    report::{Delivery, Done, Outcome},
    settings::check_settings,
    star,
    upstream::Upstream,
    worker::{Worker, compute},
};
use shuffle::{Shuffle, SilverTable};

/// The silver stage: bronze commits in, merged buckets out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silver;

/// A bronze commit that was read.
#[derive(Debug)]
pub struct CommitBytes {
    key: String,
    bytes: Bytes,
}

impl Function for Silver {
    const NAME: &'static str = "silver";
    const UPSTREAM: Option<Upstream> = Some(Upstream::Bronze);
    type Item = ObjectEvent;
    type Shared = ();
    type Input = CommitBytes;
    type Output = ();

    fn decode(&self, event: Invocation, _: &Delivery) -> Result<Vec<ObjectEvent>, DecodeError> {
        event.into_present_objects()
    }

    fn name_of(item: &ObjectEvent) -> &str {
        &item.key
    }

    async fn prepare(
        &self,
        worker: &Worker,
        (): &(),
        item: &ObjectEvent,
    ) -> Result<Prepared<CommitBytes, ()>, FlowError> {
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

    /// Silver may have been removed so that it is made again: that the ledger has a commit as merged counts only while the
    /// commit of a bucket that took its rows exists.
    async fn recall(&self, worker: &Worker, receipt: &Receipt) -> Result<Option<()>, FlowError> {
        let took_nothing = receipt.output == keys::SILVER_COMMITS;
        let is_there = took_nothing || worker.ports.lake.head_opt(&receipt.output).await?.is_some();
        Ok(is_there.then_some(()))
    }

    /// A commit fails alone where it or one of its files cannot be read, or where its rows cannot be merged into a bucket;
    /// the others go on at once. Commits are merged in rounds of as many as fit into memory, while there is time.
    async fn run(&self, worker: &Arc<Worker>, inputs: Vec<CommitBytes>) -> Vec<Result<Done<()>, Arc<FlowError>>> {
        if let Err(error) = check_settings(worker, Layer::Silver).await {
            let error = Arc::new(error);
            return inputs.iter().map(|_| Err(Arc::clone(&error))).collect();
        }
        let commits: Vec<Result<BronzeCommit, Arc<FlowError>>> = inputs.into_iter().map(read_commit).collect();
        let readable = commits.iter().enumerate().filter_map(|(at, commit)| Some((at, commit.as_ref().ok()?)));
        let mut merged = rounds::merge(worker, readable).await;
        let done = |(at, commit): (usize, Result<BronzeCommit, Arc<FlowError>>)| {
            let commit = commit?;
            let bucket = merged.remove(&at).unwrap_or(Ok(None))?;
            let output =
                bucket.map_or_else(|| keys::SILVER_COMMITS.to_owned(), |at| keys::silver_commit(at, worker.buckets));
            let receipt = Receipt { output, digest: commit.content_id, rows: commit.counts.accepted() };
            Ok(Done { receipt, output: () })
        };
        commits.into_iter().enumerate().map(done).collect()
    }
}

fn read_commit(CommitBytes { key, bytes }: CommitBytes) -> Result<BronzeCommit, Arc<FlowError>> {
    BronzeCommit::from_json(&bytes).map_err(|error| FlowError::Document { key, reason: error.to_string() }.into())
}

/// Merges bronze files into silver: the record index first, then every bucket that it names, then their commits.
pub(crate) async fn merge_files(worker: &Arc<Worker>, files: Vec<FileRows>) -> Result<(), FlowError> {
    let files = files.into_iter().filter(|file| rounds::reads(&file.key, &file.table)).collect();
    match rounds::merge_group(worker, &[(0, files)], &BTreeMap::new()).await.remove(&0) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(Arc::into_inner(error).unwrap_or(FlowError::Panicked { key: "silver/".to_owned() })),
    }
}

/// Reads what a bronze file brings to silver.
async fn read_file(worker: Arc<Worker>, file: FileRows) -> Result<Incoming, FlowError> {
    if !Incoming::reads(&file.key) {
        return Ok(Incoming::default());
    }
    let bytes = file.read(&*worker.ports.lake).await?;
    let (key, buckets) = (file.key.clone(), worker.buckets);
    let incoming = compute(&file.key, move || Incoming::read(&key, &bytes, buckets)).await?;
    incoming.map_err(|source| FlowError::File { key: file.key, source })
}

/// The tombstones of one bucket.
type BucketTombstones = BTreeMap<Resource, Vec<Tombstone>>;

/// Merges a bucket's rows and tombstones into its objects, one after another, then commits it.
async fn merge_bucket(
    worker: Arc<Worker>,
    bucket: u16,
    shuffle: &Arc<Shuffle>,
    mut tombstones: BucketTombstones,
) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    let mut star = Vec::new();
    let tables = shuffle.tables(bucket);
    let buried = tombstones.keys().map(|resource| SilverTable::Resource(*resource)).collect();
    for table in tables.union(&buried).copied() {
        let rows = {
            let shuffle = Arc::clone(shuffle);
            compute("silver/", move || shuffle.take_rows(bucket, table)).await??
        };
        match table {
            SilverTable::Star(place) => {
                star::merge(&worker, bucket, place, rows).await?;
                star.push(RELATIONAL[place].silver.path);
            }
            SilverTable::Resource(resource) => {
                let tombstones = tombstones.remove(&resource).unwrap_or_default();
                let input = Arc::new(ObjectInput { rows, tombstones });
                let key = keys::bucket_file(resource.silver().path, bucket, worker.buckets);
                let merged = |current: Option<register::Current>| {
                    merge_object(resource, key.clone(), current, Arc::clone(&input))
                };
                register::update(&**lake, &*worker.ports.clock, &key, &worker.retry(&key), merged).await?;
            }
        }
    }
    let key = keys::silver_commit(bucket, worker.buckets);
    worker.until_settled(&key, || commit_bucket(&worker, bucket, &star)).await
}

/// Commits what a bucket's objects are now, also where that is what was committed before: the put wakes gold.
///
/// The present commit is read first and replaced only while it stands, so that of two mergers the slower one never puts
/// back an older view of the bucket, under a name that gold knows to be done.
async fn commit_bucket(worker: &Worker, bucket: u16, star: &[&'static str]) -> Result<(), FlowError> {
    let (lake, key) = (&worker.ports.lake, keys::silver_commit(bucket, worker.buckets));
    let (mode, committed) = match lake.read_opt(&key).await? {
        Some((meta, bytes)) => (PutMode::IfMatch(meta.etag), SilverCommit::from_json(&bytes).ok()),
        None => (PutMode::IfAbsent, None),
    };
    let committed = committed.map(|commit| commit.objects).unwrap_or_default();
    let (mut objects, mut bytes) = (BTreeMap::new(), 0);
    // A lake without the relational set is not asked for its tables: a look costs a request for each of them.
    let has = |path: &str, key: &str| star.contains(&path) || committed.contains_key(key);
    let resources = Resource::ALL.map(|resource| (resource.silver(), true));
    for (table, always) in resources.into_iter().chain(RELATIONAL.map(|table| (&table.silver, false))) {
        let key = keys::bucket_file(table.path, bucket, worker.buckets);
        if (always || has(table.path, &key))
            && let Some(meta) = lake.head_opt(&key).await?
        {
            objects.insert(key, meta.etag.as_str().to_owned());
            bytes += meta.size;
        }
    }
    let (buckets, rules) = (Some(worker.buckets), Rules::CURRENT.silver);
    let commit = SilverCommit { bucket, buckets, rules, objects, bytes };
    lake.put(&key, commit.to_json().into(), mode).await?;
    Ok(())
}

async fn merge_object(
    resource: Resource,
    key: String,
    current: Option<register::Current>,
    input: Arc<ObjectInput>,
) -> Result<register::Change, FlowError> {
    let existing = current.map(|current| current.bytes);
    let merged = compute(&key, move || merge_with(resource, existing.as_ref(), &input.rows, &input.tombstones)).await?;
    let merged = merged.map_err(|source| FlowError::File { key, source })?;
    Ok(if merged.changed { register::Change::Write(merged.parquet) } else { register::Change::Keep })
}
