//! The bronze stage: a landed object becomes Parquet, a row of the ingest log, and last of all a commit.

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use metriccare_lake::{
    bronze::{BronzeCommit, CommittedFile, FlattenError, Flattened, IngestStatus, Limits, Source, flatten, ingest_log},
    keys,
    schema::TABLES,
};
use metriccare_ports::{ErrorKind, ObjectMeta, PutMode, Receipt};
use tokio::runtime::Handle;

use crate::{
    outcome::{FlowError, Outcome},
    spool::{Spool, Spooled, Spools},
    worker::{Worker, compute, unclaimed, version_of, work_on},
};

/// Carries one landed object into bronze, on up to `threads` threads.
///
/// # Errors
/// What the ports do; never what is in the object. After an error the message has to come again.
pub async fn bronze(worker: &Worker, key: &str, threads: NonZeroUsize) -> Result<Outcome, FlowError> {
    if !keys::is_data(key) {
        return Ok(Outcome::Ignored("a marker, not data"));
    }
    let landing = &worker.ports.landing;
    let meta = match landing.head(key).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::Gone),
        other => other?,
    };
    match unclaimed(worker.begin(&work_on("bronze", landing.bucket(), &meta)).await?) {
        Ok(claim) => {
            let result = worker.again(key, || carry(worker, &meta, threads)).await;
            worker.end(&claim, result).await
        }
        // Bronze may have been removed so that it is made again: the ledger's word is worth as much as the commit it names.
        Err(Outcome::AlreadyDone(receipt)) if !is_there(worker, &receipt.output).await? => {
            Ok(Outcome::Done(worker.again(key, || carry(worker, &meta, threads)).await?))
        }
        Err(outcome) => Ok(outcome),
    }
}

/// Whether a commit is there, and holds anything: a power cut may leave an empty file of it.
async fn is_there(worker: &Worker, commit: &str) -> Result<bool, FlowError> {
    match worker.ports.lake.head(commit).await {
        Ok(meta) => Ok(meta.size > 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn carry(worker: &Worker, meta: &ObjectMeta, threads: NonZeroUsize) -> Result<Receipt, FlowError> {
    let source = Source {
        key: meta.key.clone(),
        object_id: keys::object_id(&meta.key, version_of(meta), meta.last_modified_micros),
        etag: meta.etag.as_str().to_owned(),
        landed_micros: meta.last_modified_micros,
    };
    let flat = flatten_off_thread(worker, meta, &source, threads).await?;
    let first = worker.ports.ledger.first_holder(&flat.measured.content_id, &source.object_id).await?;
    let counts = &flat.counts;
    let status = if counts.records > 0 && counts.quarantined() == counts.records {
        IngestStatus::Rejected
    } else if first != source.object_id {
        IngestStatus::Duplicate
    } else {
        IngestStatus::Completed
    };
    let (log_key, log) = ingest_log(&source, &flat.measured, counts, status)
        .map_err(|error| FlowError::Flatten { key: meta.key.clone(), source: error.into() })?;

    let lake = &worker.ports.lake;
    let mut commit = BronzeCommit {
        object_id: source.object_id.clone(),
        sourcename: source.key.clone(),
        etag: source.etag.clone(),
        content_id: flat.measured.content_id.clone(),
        landed_micros: source.landed_micros,
        counts: flat.counts.clone(),
        files: vec![CommittedFile { key: log_key.clone(), table: "bronze/ingest_log".to_owned(), rows: 1 }],
    };
    lake.put(&log_key, log.into(), PutMode::Overwrite).await?;
    make_known(worker, &log_key).await?;
    for (file, spooled) in flat.files {
        lake.put(&file.key, spooled.payload.clone(), PutMode::Overwrite).await?;
        make_known(worker, &file.key).await?;
        commit.files.push(CommittedFile { key: file.key, table: file.table.to_owned(), rows: file.rows });
    }
    commit.files.sort();
    let output = keys::bronze_commit(&source.object_id);
    let body = serde_json::to_vec(&commit)
        .map_err(|error| FlowError::Document { key: output.clone(), reason: error.to_string() })?;
    let digest = lake.put(&output, body.into(), PutMode::Overwrite).await?;
    Ok(Receipt { output, digest: digest.as_str().to_owned(), rows: commit.counts.accepted() })
}

async fn flatten_off_thread(
    worker: &Worker,
    meta: &ObjectMeta,
    source: &Source,
    threads: NonZeroUsize,
) -> Result<Flattened<Spooled>, FlowError> {
    let (landing, etag) = (Arc::clone(&worker.ports.landing), meta.etag.clone());
    let (runtime, source, ended) = (Handle::current(), source.clone(), Arc::clone(&worker.ended));
    let key = source.key.clone();
    let failed = |source| FlowError::Flatten { key: meta.key.clone(), source };
    let flat = compute(&meta.key, move || {
        let open = || -> io::Result<Box<dyn io::Read + Send>> {
            let object = runtime.block_on(landing.get_if(&key, Some(&etag))).map_err(io::Error::other)?;
            Ok(Box::new(Until { reader: object.body.into_reader(&runtime), ended: Arc::clone(&ended) }))
        };
        let flat: Flattened<Spool> = flatten(&source, open, &mut Spools, threads, Limits::default())?;
        let mut files = Vec::with_capacity(flat.files.len());
        for (file, spool) in flat.files {
            files.push((file, spool.finish()?));
        }
        Ok::<_, FlattenError>(Flattened { files, counts: flat.counts, measured: flat.measured })
    });
    flat.await?.map_err(failed)
}

/// A landed object that is read until its invocation ends: no abort reaches a thread that computes, and what goes on reading
/// would go on in the next invocation.
struct Until {
    reader: Box<dyn io::Read + Send>,
    ended: Arc<AtomicBool>,
}

impl io::Read for Until {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(io::Error::other("the invocation has ended"));
        }
        self.reader.read(buffer)
    }
}

/// Makes a bronze partition known to the catalog as it first appears.
async fn make_known(worker: &Worker, key: &str) -> Result<(), FlowError> {
    let Some(table) = TABLES.iter().find(|table| key.starts_with(&format!("{}/", table.path))) else { return Ok(()) };
    let Some(column) = table.partition else { return Ok(()) };
    let value = keys::partition_value(key, column).flatten();
    let value = value.as_deref().unwrap_or(keys::NULL_PARTITION);
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    worker.ports.catalog.ensure_partition(&table.glue_name(), &[value], &format!("{folder}/")).await?;
    Ok(())
}
