//! How a batch of commits is merged: in rounds of as many as fit into memory, each commit failing alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_lake::{
    bronze::{BronzeCommit, CommittedFile},
    keys,
    relational::RELATIONAL,
    silver::{
        Incoming, Resource,
        index::{Entry, RecordKey, joined},
    },
};

use super::{
    BucketTombstones, merge_bucket, read_file,
    shuffle::{At, Part, Shuffle, SilverTable},
};
use crate::{
    committed::FileRows,
    error::FlowError,
    memory::{EXPANSION, MemoryBudget},
    record_index,
    star::{self, StarRows},
    worker::{Worker, compute, side_by_side},
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
    let gathered = match gather(worker, group, &mut results).await {
        Ok(gathered) => gathered,
        Err(error) => {
            fail(&mut results, group.iter().map(|(at, _)| *at), &Arc::new(error));
            return results;
        }
    };
    let Gathered { shuffle, mut tombstones, touched } = gathered;
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

/// What commits bring, once the index has answered.
struct Gathered {
    shuffle: Shuffle,
    tombstones: BTreeMap<u16, BucketTombstones>,
    /// The buckets that each commit touches.
    touched: BTreeMap<At, BTreeSet<u16>>,
}

/// How many rows are brought into silver's words together, at least: a batch of few rows costs more than its rows.
const ROWS_TOGETHER: u64 = 16 * 1024;

/// How many index entries are in memory together, about.
const ENTRIES_TOGETHER: usize = 16 * 1024;

/// Reads the files of commits, and asks the index where else their resources are. Of a commit of which a file cannot be read,
/// the result says so.
async fn gather(
    worker: &Arc<Worker>,
    group: &[(At, Vec<FileRows>)],
    results: &mut Results,
) -> Result<Gathered, FlowError> {
    let shuffle = Arc::new(Shuffle::new(worker.spill_bytes));
    let read = side_by_side(worker.threads, portions(group), |files| {
        let (worker, shuffle) = (Arc::clone(worker), Arc::clone(&shuffle));
        async move { read_portion(&worker, files, &shuffle).await }
    });
    let mut touched: BTreeMap<At, BTreeSet<u16>> = group.iter().map(|(at, _)| (*at, BTreeSet::new())).collect();
    let mut tombstones: BTreeMap<u16, BucketTombstones> = BTreeMap::new();
    let mut bury = |entry: &Entry| {
        for (bucket, tombstone) in entry.tombstones() {
            tombstones.entry(bucket).or_default().entry(entry.resource).or_default().push(tombstone);
        }
    };
    for portion in read.await {
        let portion = portion?;
        portion.deleted_patients.iter().for_each(&mut bury);
        for (at, buckets) in portion.touched {
            touched.entry(at).or_default().extend(buckets);
        }
        for (at, error) in portion.failed {
            fail(results, [at], &Arc::new(error));
        }
    }
    loop {
        let found = shuffle.next_entries(ENTRIES_TOGETHER)?;
        if found.is_empty() {
            break;
        }
        let of_commit: Vec<(RecordKey, At)> = found.iter().map(|(at, entry)| (entry.key, *at)).collect();
        let entries = joined(found.into_iter().map(|(_, entry)| entry).collect());
        let indexed = record_index::take_in(worker, entries).await?;
        let moved: BTreeMap<RecordKey, &Entry> =
            indexed.iter().filter(|entry| !entry.elsewhere.is_empty()).map(|entry| (entry.key, entry)).collect();
        moved.values().for_each(|entry| bury(entry));
        if !moved.is_empty() {
            for (key, at) in of_commit {
                let elsewhere = moved.get(&key).into_iter().flat_map(|entry| entry.elsewhere.iter().copied());
                touched.entry(at).or_default().extend(elsewhere);
            }
        }
    }
    let shuffle =
        Arc::into_inner(shuffle).ok_or_else(|| FlowError::Panicked { key: keys::SILVER_COMMITS.to_owned() })?;
    Ok(Gathered { shuffle, tombstones, touched })
}

/// Files of consecutive commits, in portions of enough rows.
fn portions(group: &[(At, Vec<FileRows>)]) -> Vec<Vec<(At, FileRows)>> {
    let mut portions: Vec<Vec<(At, FileRows)>> = Vec::new();
    let mut rows = u64::MAX;
    for (at, file) in group.iter().flat_map(|(at, files)| files.iter().map(move |file| (*at, file))) {
        if rows >= ROWS_TOGETHER {
            portions.push(Vec::new());
            rows = 0;
        }
        rows += file.rows;
        portions.last_mut().expect("one was just made").push((at, file.clone()));
    }
    portions
}

/// What reading a portion of the files came to, apart from their rows and entries.
#[derive(Default)]
struct Portion {
    touched: Vec<(At, BTreeSet<u16>)>,
    deleted_patients: Vec<Entry>,
    failed: Vec<(At, FlowError)>,
}

/// Reads files into the shuffle.
async fn read_portion(
    worker: &Arc<Worker>,
    files: Vec<(At, FileRows)>,
    shuffle: &Arc<Shuffle>,
) -> Result<Portion, FlowError> {
    let first = files.first().map(|(_, file)| file.key.clone()).unwrap_or_default();
    let read = side_by_side(worker.io_width, files, |(at, file)| {
        let worker = Arc::clone(worker);
        async move { (at, read_rows(&worker, file).await) }
    });
    let mut portion = Portion::default();
    let mut read_files = Vec::new();
    for (at, read) in read.await {
        match read {
            Ok(rows) => read_files.push((at, rows)),
            Err(error) => portion.failed.push((at, error)),
        }
    }
    let failed: BTreeSet<At> = portion.failed.iter().map(|(at, _)| *at).collect();
    // Of a commit of which a file cannot be read, nothing more than necessary is merged.
    read_files.retain(|(at, _)| !failed.contains(at));
    let shuffle = Arc::clone(shuffle);
    let added = move || {
        let (mut incoming, mut part) = (Incoming::default(), Part::default());
        for (at, mut rows) in read_files {
            let mut touched = rows.resources.touched();
            for entry in rows.resources.take_entries() {
                part.entries.push((at, entry));
            }
            portion.deleted_patients.append(&mut rows.resources.take_deleted_patients());
            incoming.append(rows.resources);
            for (bucket, tables) in rows.star {
                touched.insert(bucket);
                part.rows.extend(tables.into_iter().map(|(place, rows)| (bucket, SilverTable::Star(place), rows)));
            }
            portion.touched.push((at, touched));
        }
        let split =
            incoming.split().map_err(|source| FlowError::File { key: keys::BRONZE_COMMITS.to_owned(), source })?;
        let split =
            split.into_iter().map(|(bucket, resource, rows)| (bucket, SilverTable::Resource(resource), vec![rows]));
        part.rows.extend(split);
        shuffle.add(part)?;
        Ok(portion)
    };
    compute(&first, added).await?
}

/// What a bronze file brings to silver.
#[derive(Debug, Default)]
struct Rows {
    resources: Incoming,
    star: StarRows,
}

async fn read_rows(worker: &Arc<Worker>, file: FileRows) -> Result<Rows, FlowError> {
    let star = star::read(worker, std::slice::from_ref(&file)).await?;
    Ok(Rows { resources: read_file(Arc::clone(worker), file).await?, star })
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
