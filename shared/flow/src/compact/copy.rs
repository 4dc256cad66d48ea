//! The copy of a partition that the catalog reads while the partition is compacted: small files compacted, others as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_lake::{
    bronze::{BronzeCommit, Compacted, Member, ObjectRows, compact},
    keys,
    schema::Table,
};
use metriccare_ports::PutMode;
use serde::{Deserialize, Serialize};

use super::table_of_folder;
use crate::{
    error::FlowError,
    worker::{Worker, compute, side_by_side},
};

/// A compacted file and the files whose rows it has, by their keys in the partition's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CompactedFile {
    pub(super) key: String,
    pub(super) members: Vec<String>,
}

/// A small file that may be compacted.
#[derive(Debug, Clone)]
struct Small {
    key: String,
    object: ObjectRows,
    rows: u64,
    bytes: u64,
}

/// Reads the compacted files of a partition whose copy is made.
pub(super) async fn plan(worker: &Worker, folder: &str) -> Result<Option<Vec<CompactedFile>>, FlowError> {
    let key = keys::compaction_plan(folder);
    let Some((_, bytes)) = worker.ports.lake.read_opt(&key).await? else { return Ok(None) };
    let plan = serde_json::from_slice(&bytes);
    plan.map(Some).map_err(|error| FlowError::Document { key, reason: error.to_string() })
}

/// Makes the copy of a partition, once nobody writes to the folder alone. Returns how many small files went into how many
/// compacted ones; none where nothing could be compacted.
///
/// The order of the reads matters. A commit that is there says that its files were written to both places, if they were
/// written to both at all; so what the copy has not got after that was there before, and is compacted.
pub(super) async fn make(
    worker: &Arc<Worker>,
    folder: &str,
    target_bytes: u64,
) -> Result<Option<(usize, usize)>, FlowError> {
    let counts = |plan: &[CompactedFile]| (plan.iter().map(|file| file.members.len()).sum(), plan.len());
    if let Some(plan) = plan(worker, folder).await? {
        return Ok(Some(counts(&plan)));
    }
    let Some(table) = table_of_folder(folder) else { return Ok(None) };
    let lake = &worker.ports.lake;
    let listed = lake.list(folder).await?;
    let small = small_files(worker, &listed, target_bytes).await?;
    let copy = keys::compaction_copy(folder);
    let copied: BTreeSet<String> = lake.list(&copy).await?.into_iter().map(|listed| listed.key).collect();
    let is_copied = |key: &str| copied.contains(&keys::compaction_copy(key));

    let mut plan = Vec::new();
    for group in groups(small.into_iter().filter(|file| !is_copied(&file.key)).collect(), target_bytes) {
        plan.extend(compact_group(worker, table, folder, group, &copied).await?);
    }
    if plan.is_empty() {
        return Ok(None);
    }
    let members: BTreeSet<&str> = plan.iter().flat_map(|file| &file.members).map(String::as_str).collect();
    let unchanged: Vec<String> = listed
        .iter()
        .map(|listed| &listed.key)
        .filter(|key| key.ends_with(".parquet") && !members.contains(key.as_str()) && !is_copied(key))
        .cloned()
        .collect();
    let copying = side_by_side(worker.io_width, unchanged, |key| {
        let worker = Arc::clone(worker);
        async move { copy_file(&worker, &key, &keys::compaction_copy(&key)).await }
    });
    copying.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    // An interrupted call may have compacted other files together.
    let own: BTreeSet<String> = plan
        .iter()
        .map(|file| &file.key)
        .chain(listed.iter().map(|listed| &listed.key))
        .map(|key| keys::compaction_copy(key))
        .collect();
    for key in copied.iter().filter(|key| key.starts_with(&format!("{copy}{}", keys::COMPACTED)) && !own.contains(*key))
    {
        lake.delete(key).await?;
    }
    let bytes = serde_json::to_vec(&plan).expect("text is JSON");
    lake.put(&keys::compaction_plan(folder), bytes.into(), PutMode::Overwrite).await?;
    Ok(Some(counts(&plan)))
}

/// The small files of landed objects that are committed.
async fn small_files(
    worker: &Arc<Worker>,
    listed: &[metriccare_ports::Listed],
    target_bytes: u64,
) -> Result<Vec<Small>, FlowError> {
    let candidates = listed.iter().filter(|listed| listed.size < target_bytes);
    let candidates: Vec<(String, String)> = candidates
        .filter_map(|listed| Some((listed.key.clone(), keys::bronze_commit(keys::object_of(&listed.key)?))))
        .collect();
    let read = side_by_side(worker.io_width, candidates, |(key, commit)| {
        let worker = Arc::clone(worker);
        async move {
            let Some((_, bytes)) = worker.ports.lake.read_opt(&commit).await? else { return Ok(None) };
            let commit = BronzeCommit::from_json(&bytes)
                .map_err(|error| FlowError::Document { key: commit, reason: error.to_string() })?;
            let object = commit.object_rows();
            let own = commit.files.into_iter().find(|file| file.key == key && file.rows_of.is_none());
            Ok(own.map(|file| Small { key, object, rows: file.rows, bytes: file.bytes }))
        }
    });
    let read: Result<Vec<Option<Small>>, FlowError> = read.await.into_iter().collect();
    Ok(read?.into_iter().flatten().collect())
}

/// Files that are compacted together: in the order of their objects, up to the size that is aimed at, and no two of objects
/// that their rows could not tell apart.
fn groups(mut small: Vec<Small>, target_bytes: u64) -> Vec<Vec<Small>> {
    small.sort_by(|one, other| (&one.object, &one.key).cmp(&(&other.object, &other.key)));
    let mut groups: Vec<Vec<Small>> = Vec::new();
    let mut same: Vec<Small> = Vec::new();
    let mut bytes = 0;
    for file in small {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| last.object == file.object) => same.push(file),
            Some(group) if bytes + file.bytes <= target_bytes => {
                bytes += file.bytes;
                group.push(file);
            }
            _ => {
                bytes = file.bytes;
                groups.push(vec![file]);
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Compacts files into the copy, where that is not done yet. A file that cannot be read, or has other rows than its commit says,
/// is left out, so that `verify` finds it as it is.
async fn compact_group(
    worker: &Arc<Worker>,
    table: &'static Table,
    folder: &str,
    mut group: Vec<Small>,
    copied: &BTreeSet<String>,
) -> Result<Option<CompactedFile>, FlowError> {
    let named = |group: &[Small]| {
        let members: Vec<String> = group.iter().map(|file| file.key.clone()).collect();
        CompactedFile { key: format!("{folder}{}", keys::compacted_name(members.iter().map(String::as_str))), members }
    };
    let file = named(&group);
    if copied.contains(&keys::compaction_copy(&file.key)) {
        return Ok(Some(file));
    }
    let read = side_by_side(worker.io_width, group.clone(), |file| {
        let worker = Arc::clone(worker);
        async move {
            let bytes = worker.ports.lake.get(&file.key).await?.body.bytes().await?;
            Ok((file.key, Member { bytes, object: file.object, rows: file.rows }))
        }
    });
    let members: Result<BTreeMap<String, Member>, FlowError> = read.await.into_iter().collect();
    let members = members?;
    let in_order: Vec<Member> = group.iter().filter_map(|file| members.get(&file.key).cloned()).collect();
    let compacted = match compute(&file.key, move || compact(table, in_order)).await? {
        Ok(compacted) => compacted,
        Err(_) => {
            let good = compute(&file.key, move || {
                let is_good = |member: &Member| compact(table, [member.clone()]).is_ok();
                members.into_iter().filter(|(_, member)| is_good(member)).collect::<BTreeMap<String, Member>>()
            });
            let good = good.await?;
            group.retain(|file| good.contains_key(&file.key));
            if group.len() < 2 {
                return Ok(None);
            }
            let in_order: Vec<Member> = group.iter().filter_map(|file| good.get(&file.key).cloned()).collect();
            compute(&file.key, move || compact(table, in_order))
                .await?
                .map_err(|source| FlowError::File { key: file.key.clone(), source })?
        }
    };
    let file = named(&group);
    let Compacted { bytes, .. } = compacted;
    worker.ports.lake.put(&keys::compaction_copy(&file.key), bytes.into(), PutMode::Overwrite).await?;
    Ok(Some(file))
}

/// Copies a file of the lake.
pub(super) async fn copy_file(worker: &Worker, from: &str, to: &str) -> Result<(), FlowError> {
    let bytes = worker.ports.lake.get(from).await?.body.bytes().await?;
    worker.ports.lake.put(to, bytes.into(), PutMode::Overwrite).await?;
    Ok(())
}

/// Deletes the copy of a partition, what says how it was made first.
pub(super) async fn remove(worker: &Worker, folder: &str) -> Result<(), FlowError> {
    worker.ports.lake.delete(&keys::compaction_plan(folder)).await?;
    for listed in worker.ports.lake.list(&keys::compaction_copy(folder)).await? {
        worker.ports.lake.delete(&listed.key).await?;
    }
    Ok(())
}
