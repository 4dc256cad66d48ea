//! Puts the compacted files into the folders of their partitions, and takes the small ones away.
//!
//! The commits are the switch for everybody who reads by them: each moves its object's rows from small files to compacted ones
//! at once. The catalog reads the copies of the partitions meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{Begin, ObjectMeta, PutMode, WorkId, ledger::State};

use super::copy;
use crate::{
    error::FlowError,
    function::Function,
    silver::Silver,
    worker::{Worker, side_by_side},
};

/// Replaces small files by compacted ones in the folders of partitions whose copies the catalog reads.
pub(super) async fn in_folders(worker: &Arc<Worker>, folders: &[String]) -> Result<(), FlowError> {
    let mut compacted_of: BTreeMap<String, String> = BTreeMap::new();
    for folder in folders {
        for file in copy::plan(worker, folder).await?.unwrap_or_default() {
            if worker.ports.lake.head_opt(&file.key).await?.is_none() {
                copy::copy_file(worker, &keys::compaction_copy(&file.key), &file.key).await?;
            }
            compacted_of.extend(file.members.into_iter().map(|member| (member, file.key.clone())));
        }
    }
    let objects: BTreeSet<String> =
        compacted_of.keys().filter_map(|member| keys::object_of(member)).map(str::to_owned).collect();
    let compacted_of = Arc::new(compacted_of);
    let renamed = side_by_side(worker.io_width, objects.into_iter().collect(), |object| {
        let (worker, compacted_of) = (Arc::clone(worker), Arc::clone(&compacted_of));
        async move {
            let key = keys::bronze_commit(&object);
            worker.until_settled(&key, || rename_files(&worker, &key, &compacted_of)).await
        }
    });
    renamed.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let deleted = side_by_side(worker.io_width, compacted_of.keys().cloned().collect(), |key| {
        let worker = Arc::clone(worker);
        async move { worker.ports.lake.delete(&key).await }
    });
    deleted.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(())
}

/// Has a commit name compacted files where it names their members.
async fn rename_files(worker: &Worker, key: &str, compacted_of: &BTreeMap<String, String>) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    let Some((before, bytes)) = lake.read_opt(key).await? else { return Ok(()) };
    let mut commit = BronzeCommit::from_json(&bytes)
        .map_err(|error| FlowError::Document { key: key.to_owned(), reason: error.to_string() })?;
    let object = commit.object_rows();
    let mut is_changed = false;
    for file in &mut commit.files {
        if let Some(compacted) = compacted_of.get(&file.key) {
            file.key.clone_from(compacted);
            file.rows_of = Some(object.clone());
            is_changed = true;
        }
    }
    if !is_changed {
        return Ok(());
    }
    commit.files.sort();
    lake.put(key, commit.to_json().into(), PutMode::IfMatch(before.etag.clone())).await?;
    match lake.head_opt(key).await? {
        Some(after) => silver_has_it(worker, &before, &after).await,
        None => Ok(()),
    }
}

/// Has the ledger know that silver's work on a commit is done, where it was done on the commit as it was before: the rows are the
/// same. Where this is interrupted, silver merges them once more and changes nothing.
async fn silver_has_it(worker: &Worker, before: &ObjectMeta, after: &ObjectMeta) -> Result<(), FlowError> {
    let (ledger, clock) = (&worker.ports.ledger, &worker.ports.clock);
    let work = |meta: &ObjectMeta| WorkId::on(Silver::NAME, worker.ports.lake.bucket(), meta);
    let Some(State::Completed { receipt }) = ledger.look(&work(before)).await?.map(|record| record.state) else {
        return Ok(());
    };
    let now = clock.now_millis();
    if let Begin::Claimed(claim) = ledger.begin(&work(after), &worker.owner(), now, now.saturating_add(60_000)).await? {
        ledger.complete(&claim, &receipt).await?;
    }
    Ok(())
}
