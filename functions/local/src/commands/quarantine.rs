//! `metriccare quarantine`: what could not be read, and a second try.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::Arc,
};

use async_trait::async_trait;
use metriccare_flow::{Worker, drive, end_compactions, own_files};
use metriccare_lake::{
    bronze::{BronzeCommit, Counts},
    cells::{self, Cell},
    keys,
    schema::BRONZE_QUARANTINE,
};
use metriccare_ports::{
    ETag, Listed, MemoryLedger, MemoryStore, Object, ObjectMeta, ObjectStore, Payload, Ports, PutMode, PutOptions,
    catalog::NoCatalog,
};
use serde::Serialize;

use super::{show::Printer, verify};
use crate::{
    arguments::{Quarantine, QuarantineList, QuarantineRetry, QuarantineShow},
    lake::{self, overlay::Overlay, rows::read_file},
    output::{Output, counted, failure::Failure, progress::Bars},
};

/// The columns of the list: everything but the record itself, which may be personal.
const COLUMNS: [&str; 6] = ["sourcename", "line", "resource_type", "rule", "reason", "precombine_ts"];

pub(crate) async fn quarantine(arguments: &Quarantine, output: &mut Output) -> Result<(), Failure> {
    match arguments {
        Quarantine::List(arguments) => list(arguments, output).await,
        Quarantine::Show(arguments) => show(arguments, output).await,
        Quarantine::Retry(arguments) => retry(arguments, output).await,
    }
}

/// The cell of a column.
fn cell<'a>(row: &'a [Cell], column: &str) -> &'a Cell {
    let at = BRONZE_QUARANTINE.file_columns().position(|(name, _)| name == column);
    at.and_then(|at| row.get(at)).unwrap_or(&Cell::Null)
}

/// Gives every row of the quarantine.
async fn each_row(worker: &Worker, mut take: impl FnMut(&[Cell]) -> Result<(), Failure>) -> Result<(), Failure> {
    for listed in worker.ports.lake.list(&format!("{}/", BRONZE_QUARANTINE.path)).await? {
        let Some(bytes) = read_file(worker, &listed.key).await? else { continue };
        let damaged = |error| Failure::failed(format!("{}: {error}; see `metriccare verify`", listed.key));
        for row in cells::read_rows(&BRONZE_QUARANTINE, &bytes).map_err(damaged)? {
            take(&row)?;
        }
    }
    Ok(())
}

async fn list(arguments: &QuarantineList, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_existing(&arguments.lake, NonZeroUsize::MIN).await?;
    let mut printer = Printer::new(arguments.format, &COLUMNS, output)?;
    let holds = |wanted: &Option<String>, row: &[Cell], column: &str| {
        wanted.as_ref().is_none_or(|wanted| cell(row, column).to_string() == *wanted)
    };
    each_row(&worker, |row| {
        if holds(&arguments.rule, row, "rule") && holds(&arguments.object, row, "sourcename") {
            printer.row(&COLUMNS.map(|column| cell(row, column).clone()), output)?;
        }
        Ok(())
    })
    .await?;
    printer.finish(output)
}

async fn show(arguments: &QuarantineShow, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_existing(&arguments.lake, NonZeroUsize::MIN).await?;
    let mut found = false;
    each_row(&worker, |row| {
        let of_object = cell(row, "sourcename").to_string() == arguments.object;
        if of_object && *cell(row, "line") == Cell::Int(arguments.line) {
            found = true;
            output.line(cell(row, "raw"))?;
        }
        Ok(())
    })
    .await?;
    if !found {
        let (object, line) = (&arguments.object, arguments.line);
        let words = "`metriccare quarantine list` has every object and line";
        return Err(Failure::usage(format!("no record of {object:?} is quarantined at line {line}; {words}")));
    }
    output.flush()
}

/// What a second try came to.
#[derive(Debug, Serialize)]
struct Retried {
    objects: usize,
    quarantined_before: u64,
    quarantined_now: u64,
    accepted_before: u64,
    accepted_now: u64,
}

async fn retry(arguments: &QuarantineRetry, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_to_write(&arguments.flags.lake, arguments.flags.threads()).await?;
    end_compactions(&worker).await?;
    let mut before = candidates(&worker, &arguments.objects).await?;
    for commit in before.values_mut() {
        if let Some(own) = own_files(&worker, &commit.object_id).await? {
            *commit = own;
        }
    }
    let bars = Bars::new(arguments.flags.json);
    let own: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new("lake", Arc::clone(&worker.ports.clock)));
    let now = flatten_again(&worker, before.keys().cloned().collect(), Arc::clone(&own), &bars).await?;
    // Files first: a commit says that they are there.
    let mut keys: Vec<String> = own.list("bronze/").await?.into_iter().map(|listed| listed.key).collect();
    keys.sort_by_key(|key| key.starts_with(keys::BRONZE_COMMITS));
    for key in keys {
        let bytes = own.get(&key).await?.body.bytes().await?;
        worker.ports.lake.put(&key, bytes.into(), PutMode::Overwrite).await?;
    }
    let kept: BTreeSet<&str> = now.iter().flat_map(|commit| &commit.files).map(|file| file.key.as_str()).collect();
    for file in before.values().flat_map(|commit| &commit.files).filter(|file| !kept.contains(file.key.as_str())) {
        worker.ports.lake.delete(&file.key).await?;
    }
    let driven = drive(&worker, &bars).await?;
    bars.finish();
    if let Some((stage, reason)) = driven.failed.first() {
        return Err(Failure::failed(format!("{stage}: {reason}; the next run tries it again")));
    }
    let retried = Retried {
        objects: before.len(),
        quarantined_before: sum(before.values(), Counts::quarantined),
        quarantined_now: sum(now.iter(), Counts::quarantined),
        accepted_before: sum(before.values(), Counts::accepted),
        accepted_now: sum(now.iter(), Counts::accepted),
    };
    if arguments.flags.json {
        output.json(&retried)?;
    } else {
        output.line(format!(
            "{} read again: {} still quarantined of {}, {} more accepted",
            counted(retried.objects as u64, "object"),
            retried.quarantined_now,
            retried.quarantined_before,
            retried.accepted_now.saturating_sub(retried.accepted_before)
        ))?;
    }
    output.flush()
}

fn sum<'a>(commits: impl Iterator<Item = &'a BronzeCommit>, of: fn(&Counts) -> u64) -> u64 {
    commits.map(|commit| of(&commit.counts)).sum()
}

/// The commits of objects with quarantined records that are still in landing, by key.
async fn candidates(worker: &Worker, wanted: &[String]) -> Result<BTreeMap<String, BronzeCommit>, Failure> {
    let mut found = BTreeMap::new();
    for commit in verify::commits(worker).await? {
        let named = wanted.is_empty() || wanted.contains(&commit.sourcename);
        if !named || commit.counts.quarantined() == 0 {
            continue;
        }
        let Ok(meta) = worker.ports.landing.head(&commit.sourcename).await else { continue };
        if meta.object_id() == commit.object_id {
            found.insert(commit.sourcename.clone(), commit);
        }
    }
    match wanted.iter().find(|key| !found.contains_key(*key)) {
        Some(key) => {
            let words = "has no quarantined record, or is no longer in landing";
            Err(Failure::usage(format!("{key} {words}; `metriccare quarantine list` has every object")))
        }
        None => Ok(found),
    }
}

/// Runs bronze on some landed objects into a store of its own, and gives their new commits.
async fn flatten_again(
    worker: &Worker,
    objects: BTreeSet<String>,
    own: Arc<dyn ObjectStore>,
    bars: &Bars,
) -> Result<Vec<BronzeCommit>, Failure> {
    let ports = Ports {
        landing: Arc::new(Only { store: Arc::clone(&worker.ports.landing), objects }),
        lake: Arc::new(Overlay {
            base: Arc::clone(&worker.ports.lake),
            own,
            from_base: &["reference/", keys::WITHDRAWALS, keys::WITHDRAWAL_KEY],
        }),
        ledger: Arc::new(MemoryLedger::default()),
        catalog: Arc::new(NoCatalog),
        clock: Arc::clone(&worker.ports.clock),
    };
    let builder = Arc::new(Worker::new(ports, worker.buckets, worker.threads, "retry"));
    let driven = drive(&builder, bars).await?;
    match driven.failed.first() {
        Some((stage, reason)) => Err(Failure::failed(format!("the lake is unchanged: {stage}: {reason}"))),
        None => Ok(driven.landed),
    }
}

/// A store of which only some objects are listed.
#[derive(Debug)]
struct Only {
    store: Arc<dyn ObjectStore>,
    objects: BTreeSet<String>,
}

#[async_trait]
impl ObjectStore for Only {
    fn bucket(&self) -> &str {
        self.store.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> metriccare_ports::Result<Object> {
        self.store.get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> metriccare_ports::Result<ObjectMeta> {
        self.store.head(key).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> metriccare_ports::Result<ETag> {
        self.store.put_with(key, payload, options).await
    }

    async fn list(&self, prefix: &str) -> metriccare_ports::Result<Vec<Listed>> {
        let mut listed = self.store.list(prefix).await?;
        listed.retain(|listed| self.objects.contains(&listed.key));
        Ok(listed)
    }
}
