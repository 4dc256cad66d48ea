//! How a batch of commits is merged: in rounds of as many as fit into memory, each commit failing alone.

use std::{collections::BTreeMap, sync::Arc};

use metriccare_lake::{
    bronze::{BronzeCommit, CommittedFile},
    keys,
    relational::RELATIONAL,
    silver::{Incoming, Resource},
};

use super::{
    BucketTombstones,
    gather::{Gathered, gather},
    merge_bucket,
    shuffle::{At, Shuffle},
};
use crate::{
    committed::FileRows,
    error::FlowError,
    memory::{EXPANSION, MemoryBudget},
    star,
    worker::{Worker, side_by_side},
};

/// A commit that waits, and its files that silver reads.
type Waiting = (At, Vec<CommittedFile>);

/// The result of each commit that was merged: a bucket that took some of its rows, if any did.
type Results = BTreeMap<At, Result<Option<u16>, Arc<FlowError>>>;

/// Merges commits; the results by the commits' places.
pub(super) async fn merge<'a>(
    worker: &Arc<Worker>,
    commits: impl Iterator<Item = (At, &'a BronzeCommit)> + Send,
) -> Results {
    let mut waiting: Vec<Waiting> = Vec::new();
    for (at, commit) in commits {
        let files = commit.files.iter().filter(|file| reads(&file.key, &file.table));
        waiting.push((at, files.cloned().collect()));
    }
    let mut results = Results::new();
    if waiting.iter().all(|(_, files)| files.is_empty()) {
        return results;
    }
    let has_star = waiting.iter().any(|(_, files)| files.iter().any(|file| star::reads(&file.table)));
    let sizes = match silver_sizes(worker, has_star).await {
        Ok(sizes) => sizes,
        Err(error) => {
            fail(&mut results, waiting.into_iter().map(|(at, _)| at), &Arc::new(error));
            return results;
        }
    };
    let mut slowest = 0;
    for (number, round) in rounds(waiting, worker.memory_bytes / 2).into_iter().enumerate() {
        let started = worker.ports.clock.now_millis();
        if number > 0 && started.saturating_add(2 * slowest) > worker.deadline_millis {
            fail(&mut results, round.into_iter().map(|(at, _)| at), &Arc::new(FlowError::Postponed));
            continue;
        }
        merge_round(worker, round, &sizes, &mut results).await;
        slowest = slowest.max(worker.ports.clock.now_millis().saturating_sub(started));
    }
    results
}

/// Whether silver is made from a bronze file.
pub(super) fn reads(key: &str, table: &str) -> bool {
    Incoming::reads(key) || star::reads(table)
}

/// The commits of each round: as many as fit into so many bytes of memory, and at least one.
fn rounds(waiting: Vec<Waiting>, memory_bytes: u64) -> Vec<Vec<Waiting>> {
    let mut rounds: Vec<Vec<Waiting>> = Vec::new();
    let mut taken = 0_u64;
    for (at, files) in waiting {
        let bytes = files.iter().map(|file| file.bytes).sum::<u64>().saturating_mul(EXPANSION);
        taken = taken.saturating_add(bytes);
        match rounds.last_mut() {
            Some(round) if taken <= memory_bytes => round.push((at, files)),
            _ => {
                rounds.push(vec![(at, files)]);
                taken = bytes;
            }
        }
    }
    rounds
}

/// The sizes of all silver objects by bucket, as their listings state them; the star's only where it is touched.
async fn silver_sizes(worker: &Worker, has_star: bool) -> Result<BTreeMap<u16, u64>, FlowError> {
    let mut sizes = BTreeMap::new();
    let star = RELATIONAL.iter().filter(|_| has_star).map(|table| table.silver.path);
    for path in Resource::ALL.map(|resource| resource.silver().path).into_iter().chain(star) {
        for listed in worker.ports.lake.list(&format!("{path}/")).await? {
            if let Some(bucket) = keys::bucket_of(&listed.key) {
                // The tables of a bucket are merged one after another.
                let size: &mut u64 = sizes.entry(bucket).or_default();
                *size = (*size).max(listed.size);
            }
        }
    }
    Ok(sizes)
}

/// How often a round is divided at the most to find what panics.
const MOST_DIVISIONS: usize = 64;

/// Merges a round. Where a merge panics, the round is divided until the commit that makes it panic is alone.
async fn merge_round(worker: &Arc<Worker>, round: Vec<Waiting>, sizes: &BTreeMap<u16, u64>, results: &mut Results) {
    let mut groups = vec![round];
    let mut divisions = 0;
    while let Some(mut group) = groups.pop() {
        let files_of = |(at, files): &Waiting| (*at, files.iter().map(FileRows::from).collect());
        let inputs: Vec<(At, Vec<FileRows>)> = group.iter().map(files_of).collect();
        let merged = merge_group(worker, &inputs, sizes).await;
        let panicked = merged.values().any(|result| matches!(result, Err(error) if is_panic(error)));
        if panicked && group.len() > 1 && divisions < MOST_DIVISIONS {
            divisions += 1;
            groups.push(group.split_off(group.len() / 2));
            groups.push(group);
        } else {
            results.extend(merged);
        }
    }
}

fn is_panic(error: &FlowError) -> bool {
    matches!(error, FlowError::Panicked { .. })
}

/// Merges commits together: the record index takes in what they bring, then every bucket that it names. A commit fails where a
/// file of it cannot be read, or a bucket that it touches cannot be merged.
pub(super) async fn merge_group(
    worker: &Arc<Worker>,
    group: &[(At, Vec<FileRows>)],
    sizes: &BTreeMap<u16, u64>,
) -> Results {
    let mut results = Results::new();
    let mut unreadable = Vec::new();
    let gathered = gather(worker, group, &mut unreadable).await;
    for (at, error) in unreadable {
        fail(&mut results, [at], &Arc::new(error));
    }
    let Gathered { shuffle, mut tombstones, touched } = match gathered {
        Ok(gathered) => gathered,
        Err(error) => {
            fail(&mut results, group.iter().map(|(at, _)| *at), &Arc::new(error));
            return results;
        }
    };
    let mut buckets = shuffle.buckets();
    buckets.extend(tombstones.keys());
    let shuffle = Arc::new(shuffle);
    let budget = MemoryBudget::new(worker.memory_bytes / 2);
    let work = buckets.into_iter().map(|bucket| (bucket, tombstones.remove(&bucket).unwrap_or_default())).collect();
    let merged = side_by_side(worker.io_width, work, |(bucket, tombstones)| {
        let (worker, budget, shuffle) = (Arc::clone(worker), budget.clone(), Arc::clone(&shuffle));
        let present = sizes.get(&bucket).copied().unwrap_or_default();
        async move { (bucket, merge_within(worker, &budget, present, bucket, &shuffle, tombstones).await) }
    });
    let failed: BTreeMap<u16, Arc<FlowError>> =
        merged.await.into_iter().filter_map(|(bucket, result)| Some((bucket, Arc::new(result.err()?)))).collect();
    for (at, touched) in touched {
        let result = match touched.iter().find_map(|bucket| failed.get(bucket)) {
            Some(error) => Err(Arc::clone(error)),
            None => Ok(touched.first().copied()),
        };
        results.entry(at).or_insert(result);
    }
    results
}

/// Merges a bucket's input once the memory that it takes is free.
async fn merge_within(
    worker: Arc<Worker>,
    budget: &MemoryBudget,
    present: u64,
    bucket: u16,
    shuffle: &Arc<Shuffle>,
    tombstones: BucketTombstones,
) -> Result<(), FlowError> {
    // A row in memory is about a third of what its merge takes.
    let file_bytes = present + (3 * shuffle.bytes(bucket)).div_ceil(EXPANSION);
    let _memory = budget.reserve(&keys::silver_commit(bucket, worker.buckets), file_bytes).await?;
    merge_bucket(worker, bucket, shuffle, tombstones).await
}

/// Notes that commits failed; the first reason counts.
fn fail(results: &mut Results, commits: impl IntoIterator<Item = At>, error: &Arc<FlowError>) {
    for at in commits {
        let result = results.entry(at).or_insert(Ok(None));
        if result.is_ok() {
            *result = Err(Arc::clone(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(at: At, bytes: u64) -> Waiting {
        let key = format!("bronze/patient/hospital_name=a/{at}.parquet");
        (at, vec![CommittedFile { key, table: "bronze/patient".into(), rows: 1, bytes, rows_of: None }])
    }

    #[test]
    fn a_round_takes_what_fits_and_at_least_one() {
        let places = |sizes: &[u64], memory: u64| -> Vec<Vec<At>> {
            let waiting = sizes.iter().enumerate().map(|(at, bytes)| commit(at, *bytes)).collect();
            rounds(waiting, memory).iter().map(|round| round.iter().map(|(at, _)| *at).collect()).collect()
        };
        assert_eq!(places(&[1, 1, 1], 3 * EXPANSION), [vec![0, 1, 2]]);
        assert_eq!(places(&[1, 1, 1], 2 * EXPANSION), [vec![0, 1], vec![2]]);
        assert_eq!(places(&[5, 1, 5, 1], 2 * EXPANSION), [vec![0], vec![1], vec![2], vec![3]]);
        assert_eq!(places(&[u64::MAX, u64::MAX], u64::MAX / 2), [vec![0], vec![1]]);
        assert_eq!(places(&[], 1), Vec::<Vec<At>>::new());
    }
}
