//! The gold stage: buckets whose silver changed are measured, then all partials are folded once into the final tables.
//!
//! Each gold object names the digest of its inputs in its metadata. One that names the present inputs is right as it
//! is, so measuring again costs little; one that names others is behind, whatever the ledger says.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use metriccare_lake::{
    gold::{Fold, Hospitals, Partial, SilverBucket, inputs_digest, measure},
    keys,
    schema::{GOLD_STAY, TABLES, Table},
    silver::Resource,
    table_file::{self, FileError},
};
use metriccare_ports::{Claim, ETag, ErrorKind, PutMode, Receipt, register};

use crate::{
    outcome::{FlowError, Outcome},
    worker::{Worker, compute, side_by_side, unclaimed, work_on},
};

/// Carries the changes that these keys name (silver commits, the hospitals' file) into gold, all at once; the answers
/// stand in the keys' order.
pub async fn gold(worker: &Arc<Worker>, changes: &[String]) -> Vec<Result<Outcome, FlowError>> {
    let mut answers = Vec::with_capacity(changes.len());
    let mut claimed: Vec<(usize, Claim)> = Vec::new();
    let mut buckets = BTreeSet::new();
    for (at, key) in changes.iter().enumerate() {
        answers.push(match claim(worker, key).await {
            Ok(Ok(claim)) => {
                claimed.push((at, claim));
                buckets.extend(keys::bucket_of(key));
                Ok(Outcome::Gone)
            }
            Ok(Err(outcome)) => Ok(outcome),
            Err(error) => Err(error),
        });
    }
    if claimed.is_empty() {
        return answers;
    }
    let measured = refresh(worker, buckets).await.map_err(Arc::new);
    for (at, claim) in claimed {
        let result = match &measured {
            Ok(digest) => Ok(Receipt { output: "gold/".to_owned(), digest: digest.clone(), rows: 0 }),
            Err(error) => Err(FlowError::Batch(Arc::clone(error))),
        };
        answers[at] = worker.end(&claim, result).await;
    }
    answers
}

/// Brings gold up to date with silver: measures the buckets whose gold names other inputs, and folds where a final
/// table does. Returns the digest that the final tables name.
///
/// # Errors
/// What the ports do, and objects of the lake or a hospitals' file that cannot be read.
pub async fn refresh(worker: &Arc<Worker>, buckets: BTreeSet<u16>) -> Result<String, FlowError> {
    let buckets = buckets.into_iter().collect();
    let measured = side_by_side(worker.threads, buckets, |bucket| measure_bucket(Arc::clone(worker), bucket)).await;
    measured.into_iter().collect::<Result<(), _>>()?;
    worker.again("gold/", || fold_partials(worker)).await
}

async fn claim(worker: &Worker, key: &str) -> Result<Result<Claim, Outcome>, FlowError> {
    if key != keys::HOSPITALS && !key.starts_with(keys::SILVER_COMMITS) {
        return Ok(Err(Outcome::Ignored("gold depends on silver and the hospitals' file only")));
    }
    let lake = &worker.ports.lake;
    let meta = match lake.head(key).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Err(Outcome::Gone)),
        other => other?,
    };
    Ok(unclaimed(worker.begin(&work_on("gold", lake.bucket(), &meta)).await?))
}

/// A bucket's silver objects, and the digest of their keys and ETags.
async fn read_silver(worker: &Worker, bucket: u16) -> Result<(SilverBucket, String), FlowError> {
    let mut silver = SilverBucket::default();
    let mut inputs = Vec::new();
    for resource in Resource::ALL {
        let key = keys::bucket_file(resource.silver().path, bucket);
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

/// The partial that was measured last, kept so that it need not be measured again for its own object.
type Kept = Mutex<Option<Partial>>;

async fn measure_bucket(worker: Arc<Worker>, bucket: u16) -> Result<(), FlowError> {
    let (lake, clock) = (&*worker.ports.lake, &*worker.ports.clock);
    let kept = Kept::default();
    let key = keys::bucket_file(GOLD_STAY.path, bucket);
    let stay = |current: Option<register::Current>| {
        let (worker, kept, key) = (&worker, &kept, key.clone());
        async move {
            let (silver, digest) = read_silver(worker, bucket).await?;
            if current.is_some_and(|current| names(&GOLD_STAY, &current.bytes, &digest)) {
                return Ok(register::Change::Keep);
            }
            let (stay, partial) = measured(key, bucket, silver, digest).await?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(partial);
            Ok::<_, FlowError>(register::Change::Write(stay))
        }
    };
    register::update(lake, clock, &key, &worker.retry(&key), stay).await?;

    let key = keys::gold_partial(bucket);
    let partial = |current: Option<register::Current>| {
        let (worker, kept, key) = (&worker, &kept, key.clone());
        async move {
            let (silver, digest) = read_silver(worker, bucket).await?;
            let present = current.and_then(|current| Partial::from_json(&current.bytes).ok());
            if present.is_some_and(|partial| partial.inputs == digest) {
                return Ok(register::Change::Keep);
            }
            let known = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            let partial = match known.filter(|partial| partial.inputs == digest) {
                Some(partial) => partial,
                None => measured(key, bucket, silver, digest).await?.1,
            };
            Ok::<_, FlowError>(register::Change::Write(partial.to_json().into()))
        }
    };
    register::update(lake, clock, &key, &worker.retry(&key), partial).await?;
    Ok(())
}

async fn measured(
    key: String,
    bucket: u16,
    silver: SilverBucket,
    digest: String,
) -> Result<(Bytes, Partial), FlowError> {
    let measured = compute(&key, move || measure(bucket, &silver, &digest)).await?;
    let measured = measured.map_err(|source| FlowError::File { key, source })?;
    Ok((measured.stay, measured.partial))
}

/// Reads the final tables' ETags, then all partials and the hospitals' file, and writes the tables that are behind.
async fn fold_partials(worker: &Arc<Worker>) -> Result<String, FlowError> {
    let lake = &worker.ports.lake;
    let mut present = Vec::new();
    for table in final_tables() {
        present.push((table, read(worker, &keys::gold_file(table.path)).await?));
    }
    let mut sums = Fold::default();
    let mut inputs = Vec::new();
    for listed in lake.list("gold/_partials/").await? {
        let Some((etag, bytes)) = read(worker, &listed.key).await? else { continue };
        let partial = Partial::from_json(&bytes)
            .map_err(|error| FlowError::Document { key: listed.key.clone(), reason: error.to_string() })?;
        sums.add(&partial);
        inputs.push((listed.key, etag.as_str().to_owned()));
    }
    let mut hospitals = Hospitals::default();
    if let Some((etag, bytes)) = read(worker, keys::HOSPITALS).await? {
        hospitals = Hospitals::parse_csv(&bytes)
            .map_err(|error| FlowError::Document { key: keys::HOSPITALS.to_owned(), reason: error.to_string() })?;
        inputs.push((keys::HOSPITALS.to_owned(), etag.as_str().to_owned()));
    }
    let digest = inputs_digest(inputs.iter().map(|(key, etag)| (key.as_str(), etag.as_str())));
    let behind = |object: &Option<(ETag, Bytes)>, table: &'static Table| {
        object.as_ref().is_none_or(|(_, bytes)| !names(table, bytes, &digest))
    };
    if !present.iter().any(|(table, object)| behind(object, table)) {
        return Ok(digest);
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
    Ok(digest)
}

/// The tables that the fold writes: all of gold but the ledger of stays.
fn final_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().filter(|table| table.path.starts_with("gold/") && table.path != GOLD_STAY.path)
}

/// Whether a gold object names these inputs; one that cannot be read names none.
fn names(table: &'static Table, bytes: &Bytes, digest: &str) -> bool {
    table_file::metadata(table, bytes, table_file::INPUTS).ok().flatten().as_deref() == Some(digest)
}

async fn read(worker: &Worker, key: &str) -> Result<Option<(ETag, Bytes)>, FlowError> {
    match worker.ports.lake.get(key).await {
        Ok(object) => {
            let etag = object.meta.etag.clone();
            Ok(Some((etag, object.body.bytes().await?)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
