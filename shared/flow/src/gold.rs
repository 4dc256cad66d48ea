//! The gold stage: buckets whose silver changed are measured, then all partials are folded once into the final tables.
//!
//! Each gold object names the digest of its inputs in its metadata. One that names the present inputs is right as it
//! is, so measuring again costs little; one that names others is behind, even if the ledger has it as done.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use metriccare_lake::{
    gold::{Fold, Hospitals, Partial, RULES, SilverBucket, inputs_digest, measure},
    keys,
    schema::{GOLD_STAY, TABLES, Table},
    settings::Layer,
    silver::Resource,
    table_file::{self, FileError},
};
use metriccare_ports::{ETag, Error, ErrorKind, PutMode, Receipt, WorkId};

use crate::{
    error::FlowError,
    event::{DecodeError, Invocation, ObjectEvent},
    function::{Function, Prepared},
    report::{Delivery, Done, Outcome},
    settings::check_settings,
    worker::{Worker, compute, side_by_side},
};

/// The gold stage: silver commits and the hospitals' file in, measured stays and final tables out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gold;

impl Function for Gold {
    const NAME: &'static str = "gold";
    type Item = ObjectEvent;
    /// The bucket that changed; none for the hospitals' file.
    type Input = Option<u16>;
    type Output = ();

    fn decode(&self, event: Invocation, _: &Delivery) -> Result<Vec<ObjectEvent>, DecodeError> {
        event.into_objects()
    }

    fn name_of(item: &ObjectEvent) -> &str {
        &item.key
    }

    async fn prepare(&self, worker: &Worker, item: &ObjectEvent) -> Result<Prepared<Option<u16>, ()>, FlowError> {
        let lake = &worker.ports.lake;
        if item.bucket != lake.bucket() {
            return Ok(Prepared::Nothing(Outcome::Ignored("another bucket's object")));
        }
        if item.key != keys::HOSPITALS && !item.key.starts_with(keys::SILVER_COMMITS) {
            return Ok(Prepared::Nothing(Outcome::Ignored("gold depends on silver and the hospitals' file only")));
        }
        let Some(meta) = lake.head_opt(&item.key).await? else { return Ok(Prepared::Nothing(Outcome::Gone)) };
        Ok(Prepared::Work(Some(WorkId::on(Self::NAME, lake.bucket(), &meta)), keys::bucket_of(&item.key)))
    }

    async fn recall(&self, _: &Worker, _: &Receipt) -> Result<Option<()>, FlowError> {
        Ok(Some(()))
    }

    async fn run(&self, worker: &Arc<Worker>, buckets: Vec<Option<u16>>) -> Vec<Result<Done<()>, Arc<FlowError>>> {
        let changed = buckets.iter().copied().flatten().collect();
        let refreshed = match check_settings(worker, Layer::Gold).await {
            Ok(()) => refresh(worker, changed).await,
            Err(error) => Err(error),
        };
        let done = match refreshed {
            Ok(digest) => Ok(Done { receipt: Receipt { output: "gold/".to_owned(), digest, rows: 0 }, output: () }),
            Err(error) => Err(Arc::new(error)),
        };
        vec![done; buckets.len()]
    }
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
    worker.until_settled("gold/", || fold_partials(worker)).await
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

async fn measure_bucket(worker: Arc<Worker>, bucket: u16) -> Result<(), FlowError> {
    let key = keys::bucket_file(GOLD_STAY.path, bucket, worker.buckets);
    worker.until_settled(&key, || measure_once(&worker, bucket, &key)).await
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
        .is_some_and(|partial| partial.inputs == digest);
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

/// Reads the final tables' ETags, then all partials and the hospitals' file, and writes the tables that are behind.
async fn fold_partials(worker: &Arc<Worker>) -> Result<String, FlowError> {
    let lake = &worker.ports.lake;
    let mut present = Vec::new();
    for table in final_tables() {
        present.push((table, read(worker, &keys::gold_file(table.path)).await?));
    }
    let mut sums = Fold::default();
    let mut inputs = Vec::new();
    for listed in lake.list(keys::GOLD_PARTIALS).await? {
        let Some((etag, bytes)) = read(worker, &listed.key).await? else { continue };
        let partial = Partial::from_json(&bytes)
            .map_err(|error| FlowError::Document { key: listed.key.clone(), reason: error.to_string() })?;
        if partial.rules != RULES {
            let reason = format!(
                "it was measured by rules {}, this program's are {RULES}: `metriccare rebuild` measures it again",
                partial.rules
            );
            return Err(FlowError::Document { key: listed.key, reason });
        }
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
        object.as_ref().is_none_or(|(_, bytes)| !is_up_to_date(table, bytes, &digest))
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
fn is_up_to_date(table: &'static Table, bytes: &Bytes, digest: &str) -> bool {
    table_file::metadata(table, bytes, table_file::INPUTS).ok().flatten().as_deref() == Some(digest)
}

async fn read(worker: &Worker, key: &str) -> Result<Option<(ETag, Bytes)>, FlowError> {
    Ok(worker.ports.lake.read_opt(key).await?.map(|(meta, bytes)| (meta.etag, bytes)))
}
