//! The bronze stage: a landed object is flattened into Parquet, a row of the ingest log, and last of all a commit.

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use metriccare_lake::{
    bronze::{
        BronzeCommit, CommittedFile, FlattenError, Flattened, IngestStatus, Limits, Source, WithdrawnPatients,
        flatten_without, ingest_log,
    },
    keys,
    schema::{BRONZE_INGEST_LOG, TABLES},
    settings::{Layer, Rules},
};
use metriccare_ports::{ETag, ObjectMeta, Payload, PutMode, PutOptions, Receipt, WorkId};
use tokio::runtime::Handle;

use crate::{
    compact::state::{Compactions, folder_of},
    error::FlowError,
    event::{DecodeError, Invocation, ObjectEvent},
    function::{Function, Prepared},
    report::{Delivery, Done, Outcome},
    settings::check_settings,
    spool::{Spool, Spooled, Spools},
    upstream::Upstream,
    withdraw::withdrawals::Withdrawals,
    worker::{Worker, compute, side_by_side},
};

/// The bronze stage: landed objects in, bronze files and commits out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bronze;

/// A landed object that is to be flattened.
#[derive(Debug)]
pub struct LandedObject {
    meta: ObjectMeta,
    /// The patients whose records stay out of bronze.
    withdrawn: Option<Arc<WithdrawnPatients>>,
}

impl Function for Bronze {
    const NAME: &'static str = "bronze";
    const UPSTREAM: Option<Upstream> = Some(Upstream::Landing);
    const METRICS: &'static [&'static str] =
        &["RecordsAccepted", "RecordsQuarantined", "RecordsSkipped", "ObjectsRejected"];
    type Item = ObjectEvent;
    type Shared = Withdrawals;
    type Input = LandedObject;
    type Output = BronzeCommit;

    fn decode(&self, event: Invocation, _: &Delivery) -> Result<Vec<ObjectEvent>, DecodeError> {
        event.into_objects()
    }

    fn name_of(item: &ObjectEvent) -> &str {
        &item.key
    }

    async fn shared(&self, worker: &Worker) -> Result<Withdrawals, FlowError> {
        Withdrawals::of(&*worker.ports.lake).await
    }

    async fn prepare(
        &self,
        worker: &Worker,
        withdrawals: &Withdrawals,
        item: &ObjectEvent,
    ) -> Result<Prepared<LandedObject, BronzeCommit>, FlowError> {
        let landing = &worker.ports.landing;
        if item.bucket != landing.bucket() {
            return Ok(Prepared::Nothing(Outcome::Ignored("another bucket's object")));
        }
        if !keys::is_data(&item.key) {
            return Ok(Prepared::Nothing(Outcome::Ignored("a marker, not data")));
        }
        let Some(meta) = landing.head_version_opt(&item.key, item.version.as_deref()).await? else {
            return Ok(Prepared::Nothing(Outcome::Gone));
        };
        if withdrawals.holds(&meta.object_id()) {
            return Ok(Prepared::Nothing(Outcome::Withdrawn));
        }
        let work = WorkId::on(Self::NAME, landing.bucket(), &meta);
        Ok(Prepared::Work(Some(work), LandedObject { meta, withdrawn: withdrawals.patients.clone() }))
    }

    /// Bronze may have been removed so that it is made again: that the ledger has it as done counts only while the commit
    /// exists, and is not empty, as a power cut may leave it.
    async fn recall(&self, worker: &Worker, receipt: &Receipt) -> Result<Option<BronzeCommit>, FlowError> {
        let Some((_, bytes)) = worker.ports.lake.read_opt(&receipt.output).await? else { return Ok(None) };
        if bytes.is_empty() {
            return Ok(None);
        }
        let commit = BronzeCommit::from_json(&bytes).map_err(|error| FlowError::Document {
            key: receipt.output.clone(),
            reason: format!("{error}; delete this commit and run again: what has no commit is flattened anew"),
        })?;
        Ok(Some(commit))
    }

    /// Many objects are flattened side by side, each on one thread; few one by one, each on all threads.
    async fn run(
        &self,
        worker: &Arc<Worker>,
        objects: Vec<LandedObject>,
    ) -> Vec<Result<Done<BronzeCommit>, Arc<FlowError>>> {
        if let Err(error) = check_settings(worker, Layer::Bronze).await {
            let error = Arc::new(error);
            return objects.iter().map(|_| Err(Arc::clone(&error))).collect();
        }
        let compactions = worker.until_settled(keys::COMPACTIONS, || Compactions::read(&*worker.ports.lake)).await;
        let compactions = match compactions {
            Ok(compactions) => Arc::new(compactions),
            Err(error) => {
                let error = Arc::new(error);
                return objects.iter().map(|_| Err(Arc::clone(&error))).collect();
            }
        };
        let many = objects.len() >= worker.threads.get();
        let (width, threads) =
            if many { (worker.threads, NonZeroUsize::MIN) } else { (NonZeroUsize::MIN, worker.threads) };
        side_by_side(width, objects, |object| {
            let (worker, compactions) = (Arc::clone(worker), Arc::clone(&compactions));
            async move { flatten_object(&worker, &object, threads, &compactions).await.map_err(Arc::new) }
        })
        .await
    }

    /// As many as there are threads: each object is work by itself.
    fn batch(&self, worker: &Worker, _: usize) -> usize {
        worker.threads.get()
    }

    fn metrics(commit: &BronzeCommit) -> Vec<(&'static str, u64)> {
        let counts = &commit.counts;
        let (accepted, quarantined) = (counts.accepted(), counts.quarantined());
        vec![
            ("RecordsAccepted", accepted),
            ("RecordsQuarantined", quarantined),
            ("RecordsSkipped", counts.records.saturating_sub(accepted + quarantined)),
            ("ObjectsRejected", u64::from(counts.records > 0 && quarantined == counts.records)),
        ]
    }
}

/// Flattens one landed object on up to `threads` threads, and writes its files, its row of the ingest log and its commit.
///
/// The object is flattened once. Every write is tried by itself, and again by itself where it fails.
async fn flatten_object(
    worker: &Arc<Worker>,
    object: &LandedObject,
    threads: NonZeroUsize,
    compactions: &Arc<Option<Compactions>>,
) -> Result<Done<BronzeCommit>, FlowError> {
    let meta = &object.meta;
    if compactions.is_some()
        && let Some(done) = worker.until_settled(&meta.key, || commit_again(worker, meta)).await?
    {
        return Ok(done);
    }
    let source = Source {
        key: meta.key.clone(),
        object_id: meta.object_id(),
        etag: meta.etag.as_str().to_owned(),
        landed_micros: meta.last_modified_micros,
    };
    let flat = flatten_off_thread(worker, object, &source, threads).await?;
    let ledger = &worker.ports.ledger;
    let first_holder = || async { Ok(ledger.first_holder(&flat.measured.content_id, &source.object_id).await?) };
    let first = worker.until_settled(&meta.key, first_holder).await?;
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

    let log_file = CommittedFile {
        key: log_key,
        table: BRONZE_INGEST_LOG.path.to_owned(),
        rows: 1,
        bytes: log.len() as u64,
        rows_of: None,
    };
    let mut files = vec![(log_file, Spooled::from(log))];
    for (file, spooled) in flat.files {
        let bytes = spooled.bytes;
        let table = file.table.to_owned();
        files.push((CommittedFile { key: file.key, table, rows: file.rows, bytes, rows_of: None }, spooled));
    }
    let written = side_by_side(worker.io_width, files, |(file, spooled)| {
        let (worker, compactions) = (Arc::clone(worker), Arc::clone(compactions));
        async move { write_file(&worker, file, spooled, &compactions).await }
    });
    let mut files = written.await.into_iter().collect::<Result<Vec<_>, FlowError>>()?;
    files.sort();
    let commit = BronzeCommit {
        object_id: source.object_id.clone(),
        rules: Rules::CURRENT.bronze,
        sourcename: source.key.clone(),
        etag: source.etag.clone(),
        content_id: flat.measured.content_id,
        landed_micros: source.landed_micros,
        counts: flat.counts,
        files,
    };
    let key = keys::bronze_commit(&source.object_id);
    let digest = put(worker, &key, commit.to_json().into(), compactions.is_none()).await?;
    Ok(done(commit, &digest))
}

/// Puts the commit of an object that was flattened before by the present rules, so that silver is notified; none where there is
/// no such commit. Its files may be compacted: files of its own would have its rows once more.
async fn commit_again(worker: &Worker, meta: &ObjectMeta) -> Result<Option<Done<BronzeCommit>>, FlowError> {
    let key = keys::bronze_commit(&meta.object_id());
    let Some((found, bytes)) = worker.ports.lake.read_opt(&key).await? else { return Ok(None) };
    let Some(commit) = BronzeCommit::from_json(&bytes).ok().filter(|it| it.rules == Rules::CURRENT.bronze) else {
        return Ok(None);
    };
    let digest = worker.ports.lake.put(&key, bytes.into(), PutMode::IfMatch(found.etag)).await?;
    Ok(Some(done(commit, &digest)))
}

fn done(commit: BronzeCommit, digest: &ETag) -> Done<BronzeCommit> {
    let output = keys::bronze_commit(&commit.object_id);
    let receipt = Receipt { output, digest: digest.as_str().to_owned(), rows: commit.counts.accepted() };
    Done { receipt, output: commit }
}

/// Writes a file, and adds its partition to the catalog. Where the partition is being compacted, its copy gets the file too.
async fn write_file(
    worker: &Worker,
    file: CommittedFile,
    spooled: Spooled,
    compactions: &Option<Compactions>,
) -> Result<CommittedFile, FlowError> {
    put(worker, &file.key, spooled.payload.clone(), compactions.is_none()).await?;
    if compactions.as_ref().is_some_and(|compactions| compactions.is_copied(folder_of(&file.key))) {
        put(worker, &keys::compaction_copy(&file.key), spooled.payload.clone(), false).await?;
    }
    worker.until_settled(&file.key, || ensure_partition(worker, &file.key)).await?;
    Ok(file)
}

/// Puts an object whose key follows from its content, so that putting it once more does no harm. In a lake without compactions
/// an object that the ledger forgot is flattened and put again, so that a disk need not force it at once; in one with
/// compactions its commit counts as it is.
async fn put(worker: &Worker, key: &str, payload: Payload, is_repeatable: bool) -> Result<ETag, FlowError> {
    let lake = &worker.ports.lake;
    let options = PutOptions { is_repeatable, ..PutOptions::default() };
    let put = || async { Ok(lake.put_with(key, payload.clone(), options.clone()).await?) };
    worker.until_settled(key, put).await
}

async fn flatten_off_thread(
    worker: &Worker,
    LandedObject { meta, withdrawn }: &LandedObject,
    source: &Source,
    threads: NonZeroUsize,
) -> Result<Flattened<Spooled>, FlowError> {
    let withdrawn = withdrawn.clone();
    let (landing, etag, version) = (Arc::clone(&worker.ports.landing), meta.etag.clone(), meta.version.clone());
    let (runtime, source, ended) = (Handle::current(), source.clone(), Arc::clone(&worker.ended));
    let key = source.key.clone();
    let failed = |source| FlowError::Flatten { key: meta.key.clone(), source };
    let flat = compute(&meta.key, move || {
        let open = || -> io::Result<Box<dyn io::Read + Send>> {
            let object = runtime
                .block_on(landing.get_version(&key, version.as_deref(), Some(&etag)))
                .map_err(io::Error::other)?;
            Ok(Box::new(UntilEnded { reader: object.body.into_reader(&runtime), ended: Arc::clone(&ended) }))
        };
        let flat: Flattened<Spool> =
            flatten_without(&source, withdrawn.as_deref(), open, &mut Spools::default(), threads, Limits::default())?;
        let mut files = Vec::with_capacity(flat.files.len());
        for (file, spool) in flat.files {
            files.push((file, spool.finish()?));
        }
        Ok::<_, FlattenError>(Flattened { files, counts: flat.counts, measured: flat.measured })
    });
    flat.await?.map_err(failed)
}

/// Reads a landed object until its invocation ends: no abort reaches a thread that computes, and one that goes on reading
/// would go on in the next invocation.
struct UntilEnded {
    reader: Box<dyn io::Read + Send>,
    ended: Arc<AtomicBool>,
}

impl io::Read for UntilEnded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(io::Error::other("the invocation has ended"));
        }
        self.reader.read(buffer)
    }
}

/// Adds a bronze partition to the catalog when it first appears.
async fn ensure_partition(worker: &Worker, key: &str) -> Result<(), FlowError> {
    let Some(table) = TABLES.iter().find(|table| key.starts_with(&format!("{}/", table.path))) else { return Ok(()) };
    let Some(column) = table.partition else { return Ok(()) };
    let value = keys::partition_value(key, column).flatten();
    let value = value.as_deref().unwrap_or(keys::NULL_PARTITION);
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    worker.ports.catalog.ensure_partition(&table.glue_name(), &[value], &format!("{folder}/")).await?;
    Ok(())
}
