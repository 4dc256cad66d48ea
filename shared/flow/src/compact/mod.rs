//! Compaction: the many small files of a bronze partition become few, while what lands goes on being written.
//!
//! A partition is read from one place at a time, and moves at once: its files are compacted into a copy, the catalog is
//! pointed to the copy, a day later the folder itself gets the compacted files, the catalog is pointed back, and a day after that
//! the copy goes. Meanwhile everything that lands is written to both places, so that each has every committed row once.
//! Each step may be interrupted anywhere and is done again by the next call.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use metriccare_lake::{
    keys,
    schema::{BRONZE_WITHDRAWAL, TABLES, Table},
    settings::{LakeSettings, Layer, Rules},
};

use crate::{error::FlowError, settings::read_settings, worker::Worker};

mod copy;
mod own_files;
mod replace;
pub(crate) mod state;

pub use own_files::own_files;
pub use state::{Compactions, Stage};
use state::{Lease, folder_of};

/// When a partition is compacted, and how long the steps are apart.
#[derive(Debug, Clone, Copy)]
pub struct CompactOptions {
    /// A partition is compacted where it has at least so many small files.
    pub min_files: usize,
    /// Files below this size are small, and compacted files grow to about this size, in bytes.
    pub target_bytes: u64,
    /// How long it takes until nobody writes who began before a partition's compaction did.
    pub writers_end: Duration,
    /// How long queries may run: files that they may still read are kept so long.
    pub queries_end: Duration,
}

impl Default for CompactOptions {
    /// A lake on AWS: functions end within fifteen minutes, queries within a day.
    fn default() -> Self {
        CompactOptions {
            min_files: 32,
            target_bytes: 64 << 20,
            writers_end: Duration::from_secs(20 * 60),
            queries_end: Duration::from_secs(24 * 3600),
        }
    }
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Partitions whose compaction began now.
    pub begun: usize,
    /// Partitions that queries read compacted from now on.
    pub served: usize,
    /// Small files of these partitions that were compacted.
    pub small_files: usize,
    /// The files that they were compacted into.
    pub compacted_files: usize,
    /// Partitions whose folders have the compacted files now, and no longer the small ones.
    pub replaced: usize,
    /// Partitions whose compaction is done.
    pub done: usize,
    /// Partitions on their way, for which a later call does the next step.
    pub under_way: usize,
    /// Whether another process is compacting: nothing was done.
    pub is_busy: bool,
}

/// Takes the compaction of every bronze partition as far as it can go now.
///
/// # Errors
/// What the ports do, and bronze of other rules.
pub async fn compact(worker: &Arc<Worker>, options: &CompactOptions) -> Result<CompactReport, FlowError> {
    let rules = read_settings(&*worker.ports.lake).await?.map_or(Rules::UNNAMED, |settings| settings.rules);
    LakeSettings { buckets: worker.buckets, rules }.check_rules(Layer::Bronze)?;
    let mut report = CompactReport::default();
    let Some((lease, state)) = Lease::take(worker).await? else {
        return Ok(CompactReport { is_busy: true, ..report });
    };
    begin(worker, &lease, options, &state, &mut report).await?;
    let state = advance(worker, &lease, options, &mut report).await?;
    report.under_way = state.folders.len();
    lease.release().await?;
    Ok(report)
}

/// Ends every compaction at once, so that bronze may be changed by hand: the catalog reads the folders, and copies are gone.
///
/// Nothing else may write to the lake meanwhile.
///
/// # Errors
/// What the ports do, and a compaction that another process is doing.
pub async fn end_compactions(worker: &Arc<Worker>) -> Result<(), FlowError> {
    let under_way = Compactions::read(&*worker.ports.lake).await?;
    if under_way.is_none_or(|state| state.folders.is_empty()) {
        return Ok(());
    }
    let Some((lease, state)) = Lease::take(worker).await? else {
        return Err(FlowError::NoTime("the lake is being compacted; try again when that is done".to_owned()));
    };
    for (folder, _) in state.folders.iter().filter(|(_, stage)| matches!(stage, Stage::Copying(_))) {
        read_from(worker, folder, folder).await?;
        copy::remove(worker, folder).await?;
        lease.set(folder, None).await?;
    }
    let at_once = CompactOptions { queries_end: Duration::ZERO, ..CompactOptions::default() };
    advance(worker, &lease, &at_once, &mut CompactReport::default()).await?;
    lease.release().await
}

/// Begins with the partitions that have many small files.
async fn begin(
    worker: &Worker,
    lease: &Lease<'_>,
    options: &CompactOptions,
    state: &Compactions,
    report: &mut CompactReport,
) -> Result<(), FlowError> {
    let mut small: BTreeMap<String, usize> = BTreeMap::new();
    for table in bronze_tables() {
        for listed in worker.ports.lake.list(&format!("{}/", table.path)).await? {
            if keys::object_of(&listed.key).is_some() && listed.size < options.target_bytes {
                *small.entry(folder_of(&listed.key).to_owned()).or_default() += 1;
            }
        }
    }
    small.retain(|folder, files| *files >= options.min_files.max(2) && !state.folders.contains_key(folder));
    report.begun = small.len();
    if !small.is_empty() {
        let now = worker.ports.clock.now_micros();
        let begun = |state: &mut Compactions| {
            state.folders.extend(small.keys().map(|folder| (folder.clone(), Stage::Copying(now))));
        };
        lease.change(begun).await?;
    }
    Ok(())
}

/// Does every step that is due, while there is time.
async fn advance(
    worker: &Arc<Worker>,
    lease: &Lease<'_>,
    options: &CompactOptions,
    report: &mut CompactReport,
) -> Result<Compactions, FlowError> {
    let mut state = lease.change(|_| ()).await?;
    let is_due = |since: i64, wait: Duration| {
        let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        worker.ports.clock.now_micros() >= since.saturating_add(wait)
    };
    for (folder, stage) in state.folders.clone() {
        if matches!(stage, Stage::Copying(since) if is_due(since, options.writers_end)) && has_time(worker) {
            let small = copy::make(worker, &folder, options.target_bytes).await?;
            if let Some((files, compacted)) = small {
                read_from(worker, &folder, &keys::compaction_copy(&folder)).await?;
                let now = worker.ports.clock.now_micros();
                state = lease.set(&folder, Some(Stage::Serving(now))).await?;
                report.served += 1;
                report.small_files += files;
                report.compacted_files += compacted;
            } else {
                // Who read before that it is copied may still be writing to the copy: it goes when they have ended.
                let now = worker.ports.clock.now_micros();
                state = lease.set(&folder, Some(Stage::Returned(now))).await?;
            }
        }
    }
    let due = |stage: &Stage| matches!(stage, Stage::Serving(since) if is_due(*since, options.queries_end));
    let served: Vec<String> =
        state.folders.iter().filter(|(_, stage)| due(stage)).map(|(folder, _)| folder.clone()).collect();
    if !served.is_empty() && has_time(worker) {
        replace::in_folders(worker, &served).await?;
        for folder in &served {
            read_from(worker, folder, folder).await?;
            let now = worker.ports.clock.now_micros();
            state = lease.set(folder, Some(Stage::Returned(now))).await?;
            report.replaced += 1;
        }
    }
    for (folder, stage) in state.folders.clone() {
        if matches!(stage, Stage::Returned(since) if is_due(since, options.queries_end)) && has_time(worker) {
            copy::remove(worker, &folder).await?;
            state = lease.set(&folder, None).await?;
            report.done += 1;
        }
    }
    Ok(state)
}

/// Whether the invocation has time for another step.
fn has_time(worker: &Worker) -> bool {
    const STEP_MILLIS: i64 = 120_000;
    worker.deadline_millis.saturating_sub(worker.ports.clock.now_millis()) > STEP_MILLIS
}

/// Has the catalog read a partition from this prefix.
async fn read_from(worker: &Worker, folder: &str, location: &str) -> Result<(), FlowError> {
    let Some((table, column)) = table_of_folder(folder).and_then(|table| Some((table, table.partition?))) else {
        return Ok(());
    };
    let value = keys::partition_value(folder, column).flatten();
    let value = value.as_deref().unwrap_or(keys::NULL_PARTITION);
    Ok(worker.ports.catalog.move_partition(&table.glue_name(), &[value], location).await?)
}

/// The tables that are compacted.
fn bronze_tables() -> impl Iterator<Item = &'static Table> {
    let is_compacted = |table: &&'static Table| {
        table.path.starts_with(keys::BRONZE) && table.path != BRONZE_WITHDRAWAL.path && table.partition.is_some()
    };
    TABLES.iter().copied().filter(is_compacted)
}

fn table_of_folder(folder: &str) -> Option<&'static Table> {
    bronze_tables().find(|table| folder.strip_prefix(table.path).is_some_and(|rest| rest.starts_with('/')))
}
