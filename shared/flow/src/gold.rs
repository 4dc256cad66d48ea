//! The gold stage: buckets whose silver changed are measured, then all partials are folded once into the final tables.
//!
//! Each gold object names the digest of its inputs in its metadata. One that names the present inputs is right as it
//! is, so measuring again costs little; one that names others is behind, even if the ledger has it as done.
//!
//! A bucket that cannot be measured fails the messages of its own alone. The fold publishes nothing while the partial of a
//! merged bucket is missing: whoever measures the last one folds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use metriccare_lake::{
    gold::{Fold, Hospitals, Partial, RULES, SilverBucket, inputs_digest, measure},
    keys,
    schema::{GOLD_STAY, GOLD_SUMMARY, TABLES, Table},
    settings::Layer,
    silver::{Resource, SilverCommit},
    table_file::{self, FileError},
};
use metriccare_ports::{ETag, Error, ErrorKind, ObjectMeta, PutMode, Receipt, WorkId};

use crate::{
    error::FlowError,
    event::{DecodeError, Invocation, ObjectEvent},
    function::{Function, Prepared},
    memory::MemoryBudget,
    report::{Delivery, Done, Outcome},
    settings::check_settings,
    upstream::Upstream,
    worker::{Worker, compute, side_by_side},
};

/// The gold stage: silver commits and the hospitals' file in, measured stays and final tables out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gold;

/// A change that gold depends on.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// A bucket of silver, with the bytes of its objects.
    Bucket(u16, u64),
    /// The hospitals' file.
    Hospitals,
}

/// What gold did with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// The final tables are up to date with it.
    Published,
    /// Its bucket is measured; the final tables wait for buckets that are not.
    Waiting,
}

impl Function for Gold {
    const NAME: &'static str = "gold";
    const UPSTREAM: Option<Upstream> = Some(Upstream::Silver);
    const METRICS: &'static [&'static str] = &["FoldsWaiting"];
    type Item = ObjectEvent;
    type Shared = ();
    type Input = Change;
    type Output = Folded;

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
    ) -> Result<Prepared<Change, Folded>, FlowError> {
        let lake = &worker.ports.lake;
        if item.bucket != lake.bucket() {
            return Ok(Prepared::Nothing(Outcome::Ignored("another bucket's object")));
        }
        if item.key == keys::HOSPITALS {
            // Without a claim: a file that is edited back within a second has an identity that is done already.
            let present = lake.head_opt(&item.key).await?.map(|_| Prepared::Work(None, Change::Hospitals));
            return Ok(present.unwrap_or(Prepared::Nothing(Outcome::Gone)));
        }
        let Some(bucket) = keys::bucket_of(&item.key).filter(|_| item.key.starts_with(keys::SILVER_COMMITS)) else {
            return Ok(Prepared::Nothing(Outcome::Ignored("gold depends on silver and the hospitals' file only")));
        };
        let Some((meta, bytes)) = lake.read_opt(&item.key).await? else { return Ok(Prepared::Nothing(Outcome::Gone)) };
        // The commit is only a sign that its bucket changed: one that cannot be read is as good, and states no size.
        let bytes = SilverCommit::from_json(&bytes).map(|commit| commit.bytes).unwrap_or_default();
        Ok(Prepared::Work(Some(WorkId::on(Self::NAME, lake.bucket(), &meta)), Change::Bucket(bucket, bytes)))
    }

    /// Gold may have been removed, or be of older rules, so that it is made again: that the ledger has a bucket as done counts
    /// only while its partial and the final tables exist by the present rules.
    async fn recall(&self, worker: &Worker, receipt: &Receipt) -> Result<Option<Folded>, FlowError> {
        if !receipt.output.starts_with(keys::GOLD_PARTIALS) {
            return Ok(None);
        }
        let lake = &worker.ports.lake;
        let partial = lake.read_opt(&receipt.output).await?.and_then(|(_, bytes)| Partial::from_json(&bytes).ok());
        let is_current = partial.is_some_and(|partial| partial.rules == RULES)
            && lake.head_opt(&keys::gold_file(GOLD_SUMMARY.path)).await?.is_some();
        Ok(is_current.then_some(Folded::Published))
    }

    async fn run(&self, worker: &Arc<Worker>, changes: Vec<Change>) -> Vec<Result<Done<Folded>, Arc<FlowError>>> {
        if let Err(error) = check_settings(worker, Layer::Gold).await {
            let error = Arc::new(error);
            return changes.iter().map(|_| Err(Arc::clone(&error))).collect();
        }
        let buckets = changes.iter().filter_map(|change| match change {
            Change::Bucket(bucket, bytes) => Some((*bucket, *bytes)),
            Change::Hospitals => None,
        });
        let failed = measure_buckets(worker, buckets.collect()).await;
        let folded = match fold(worker).await {
            Ok(Some(digest)) => Ok((digest, Folded::Published)),
            Ok(None) => Ok((String::new(), Folded::Waiting)),
            Err(error) => Err(Arc::new(error)),
        };
        let result = |change: Change| {
            if let Change::Bucket(bucket, _) = change
                && let Some(error) = failed.get(&bucket)
            {
                return Err(Arc::clone(error));
            }
            let (digest, output) = folded.clone()?;
            let key = match change {
                Change::Bucket(bucket, _) => keys::gold_partial(bucket, worker.buckets),
                Change::Hospitals => "gold/".to_owned(),
            };
            Ok(Done { receipt: Receipt { output: key, digest, rows: 0 }, output })
        };
        changes.into_iter().map(result).collect()
    }

    fn metrics(folded: &Folded) -> Vec<(&'static str, u64)> {
        vec![("FoldsWaiting", u64::from(*folded == Folded::Waiting))]
    }
}

/// Brings gold up to date with silver: measures the buckets whose gold names other inputs, and folds where a final
/// table does.
///
/// # Errors
/// What the ports do, objects of the lake or a hospitals' file that cannot be read, and a bucket whose partial is missing.
pub async fn refresh(worker: &Arc<Worker>, buckets: BTreeSet<u16>) -> Result<(), FlowError> {
    let sized = buckets.into_iter().map(|bucket| (bucket, 0)).collect();
    if let Some((_, error)) = measure_buckets(worker, sized).await.into_iter().next() {
        return Err(Arc::into_inner(error).unwrap_or(FlowError::Panicked { key: "gold/".to_owned() }));
    }
    let missing = || Error::new(ErrorKind::Invalid, "fold", "gold/", "the partial of a merged bucket is missing");
    fold(worker).await?.map(drop).ok_or_else(|| missing().into())
}

/// Measures buckets, given with the bytes of their silver objects; which of them failed, and why.
async fn measure_buckets(worker: &Arc<Worker>, buckets: BTreeMap<u16, u64>) -> BTreeMap<u16, Arc<FlowError>> {
    let budget = MemoryBudget::new(worker.memory_bytes);
    let measured = side_by_side(worker.io_width, buckets.into_iter().collect(), |(bucket, bytes)| {
        let (worker, budget) = (Arc::clone(worker), budget.clone());
        async move { (bucket, measure_bucket(&worker, &budget, bucket, bytes).await) }
    });
    measured.await.into_iter().filter_map(|(bucket, result)| Some((bucket, Arc::new(result.err()?)))).collect()
}

/// A bucket's silver objects, and the digest of their keys and ETags.
async fn read_silver(worker: &Worker, bucket: u16) -> Result<(SilverBucket, String), FlowError> {
    let mut silver = SilverBucket::default();
    let mut inputs = Vec::new();
    for resource in Resource::ALL {
        let key = keys::bucket_file(resource.silver().path, bucket, worker.buckets);
        let Some((etag, bytes)) = read(worker, &key).await? else { continue };
        inputs.push((key, etag.as_str().to_owned()));
        match resource {
            Resource::Patient => silver.patient = Some(bytes),
            Resource::Encounter => silver.encounter = Some(bytes),
            Resource::Condition => silver.condition = Some(bytes),
        }
    }
    let digest = inputs_digest(inputs.iter().map(|(key, etag)| (key.as_str(), etag.as_str())));
    Ok((silver, digest))
}

async fn measure_bucket(worker: &Worker, budget: &MemoryBudget, bucket: u16, bytes: u64) -> Result<(), FlowError> {
    let key = keys::bucket_file(GOLD_STAY.path, bucket, worker.buckets);
    let _memory = budget.reserve(&key, bytes).await?;
    worker.until_settled(&key, || measure_once(worker, bucket, &key)).await
}

/// Writes a bucket's stays and its partial, whichever names other inputs than the present ones. Both are read before
/// silver, so that what is written is never older than what their ETags stand for.
async fn measure_once(worker: &Worker, bucket: u16, stay_key: &str) -> Result<(), FlowError> {
    let partial_key = keys::gold_partial(bucket, worker.buckets);
    let stay = read(worker, stay_key).await?;
    let partial = read(worker, &partial_key).await?;
    let (silver, digest) = read_silver(worker, bucket).await?;
    let stay_is_current = stay.as_ref().is_some_and(|(_, bytes)| is_up_to_date(&GOLD_STAY, bytes, &digest));
    let partial_is_current = partial
        .as_ref()
        .and_then(|(_, bytes)| Partial::from_json(bytes).ok())
        .is_some_and(|partial| partial.inputs == digest && partial.rules == RULES);
    if stay_is_current && partial_is_current {
        return Ok(());
    }
    let measured = compute(stay_key, move || measure(bucket, &silver, &digest)).await?;
    let measured = measured.map_err(|source| FlowError::File { key: stay_key.to_owned(), source })?;
    if !stay_is_current {
        put_over(worker, stay_key, stay, measured.stay).await?;
    }
    if !partial_is_current {
        put_over(worker, &partial_key, partial, measured.partial.to_json().into()).await?;
    }
    Ok(())
}

/// Writes an object if it still is what was read.
async fn put_over(worker: &Worker, key: &str, read: Option<(ETag, Bytes)>, bytes: Bytes) -> Result<(), FlowError> {
    let mode = match read {
        Some((_, present)) if present == bytes => return Ok(()),
        Some((etag, _)) => PutMode::IfMatch(etag),
        None => PutMode::IfAbsent,
    };
    match worker.ports.lake.put(key, bytes.into(), mode).await {
        // A condition on an object that was removed meanwhile: to be read again, as one that was replaced.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::Precondition, "put", error.subject(), "the object has gone")
                .with_source(error)
                .into())
        }
        other => Ok(other.map(drop)?),
    }
}

/// Folds all partials into the final tables, from the reads on again where another writer came first. Returns the digest that
/// the final tables name; none where a merged bucket is not measured by the present rules, and nothing was written.
async fn fold(worker: &Arc<Worker>) -> Result<Option<String>, FlowError> {
    worker.until_settled("gold/", || fold_once(worker)).await
}

/// Reads the final tables' ETags, then all partials and the hospitals' file, and writes the tables that are behind.
async fn fold_once(worker: &Arc<Worker>) -> Result<Option<String>, FlowError> {
    let lake = &worker.ports.lake;
    let mut present = Vec::new();
    for table in final_tables() {
        present.push((table, read(worker, &keys::gold_file(table.path)).await?));
    }
    let merged = lake.list(keys::SILVER_COMMITS).await?;
    let mut missing: BTreeSet<u16> = merged.iter().filter_map(|listed| keys::bucket_of(&listed.key)).collect();
    let mut sums = Fold::default();
    let mut inputs = Vec::new();
    // A few partials are in memory at a time, however many there are.
    for listed in lake.list(keys::GOLD_PARTIALS).await?.chunks(worker.io_width.get()) {
        let keys = listed.iter().map(|listed| listed.key.clone()).collect();
        let read = side_by_side(worker.io_width, keys, |key: String| {
            let worker = Arc::clone(worker);
            async move {
                let object = read(&worker, &key).await;
                (key, object)
            }
        });
        for (key, object) in read.await {
            let Some((etag, bytes)) = object? else { continue };
            let partial = Partial::from_json(&bytes)
                .map_err(|error| FlowError::Document { key: key.clone(), reason: error.to_string() })?;
            if partial.rules != RULES {
                let reason = format!(
                    "it was measured by rules {}, this program's are {RULES}: `metriccare rebuild` measures it again",
                    partial.rules
                );
                return Err(FlowError::Document { key, reason });
            }
            missing.remove(&partial.bucket);
            sums.add(&partial);
            inputs.push((key, etag.as_str().to_owned()));
        }
    }
    if !missing.is_empty() {
        return Ok(None);
    }
    let mut hospitals = Hospitals::default();
    if let Some((meta, bytes)) = lake.read_opt(keys::HOSPITALS).await? {
        hospitals = Hospitals::parse_csv(&bytes)
            .map_err(|error| FlowError::Document { key: keys::HOSPITALS.to_owned(), reason: error.to_string() })?;
        inputs.push((keys::HOSPITALS.to_owned(), identity(&meta)));
    }
    let digest = inputs_digest(inputs.iter().map(|(key, etag)| (key.as_str(), etag.as_str())));
    let behind = |object: &Option<(ETag, Bytes)>, table: &'static Table| {
        object.as_ref().is_none_or(|(_, bytes)| !is_up_to_date(table, bytes, &digest))
    };
    if !present.iter().any(|(table, object)| behind(object, table)) {
        return Ok(Some(digest));
    }
    let named = digest.clone();
    let tables = compute("gold/", move || sums.finish(&hospitals, &named)).await?;
    let tables = tables.map_err(|source: FileError| FlowError::File { key: "gold/".to_owned(), source })?;
    for (table, bytes) in tables {
        let object = present.iter().find(|(other, _)| other.path == table.path).and_then(|(_, object)| object.clone());
        if behind(&object, table) {
            let mode = object.map_or(PutMode::IfAbsent, |(etag, _)| PutMode::IfMatch(etag));
            lake.put(&keys::gold_file(table.path), bytes.into(), mode).await?;
        }
    }
    Ok(Some(digest))
}

/// Names one version of the hospitals' file. With the ETag alone, a file that is edited there and back would give tables that
/// are byte for byte those of before, and a slow writer would take them for the ones that it read.
fn identity(meta: &ObjectMeta) -> String {
    match &meta.version {
        Some(version) => format!("{} {version}", meta.etag),
        None => meta.etag.as_str().to_owned(),
    }
}

/// The tables that the fold writes: all of gold but the ledger of stays.
fn final_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().filter(|table| table.path.starts_with("gold/") && table.path != GOLD_STAY.path)
}

/// Whether a gold object names these inputs; one that cannot be read names none.
fn is_up_to_date(table: &'static Table, bytes: &Bytes, digest: &str) -> bool {
    table_file::metadata(table, bytes, table_file::INPUTS).ok().flatten().as_deref() == Some(digest)
}

async fn read(worker: &Worker, key: &str) -> Result<Option<(ETag, Bytes)>, FlowError> {
    Ok(worker.ports.lake.read_opt(key).await?.map(|(meta, bytes)| (meta.etag, bytes)))
}
