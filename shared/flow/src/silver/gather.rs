//! What a batch of commits brings to silver: rows by bucket, and where else the index knows their resources.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_lake::{
    keys,
    silver::{
        Incoming,
        index::{Entry, RecordKey, joined},
    },
};

use super::{
    BucketTombstones, read_file,
    shuffle::{At, Part, Shuffle, SilverTable},
};
use crate::{
    committed::FileRows,
    error::FlowError,
    record_index,
    star::{self, StarRows},
    worker::{Worker, compute, side_by_side},
};

/// What commits bring, once the index has answered.
pub(super) struct Gathered {
    pub(super) shuffle: Shuffle,
    pub(super) tombstones: BTreeMap<u16, BucketTombstones>,
    /// The buckets that each commit touches.
    pub(super) touched: BTreeMap<At, BTreeSet<u16>>,
}

/// How many rows are brought into silver's words together, at least: a batch of few rows costs more than its rows.
const ROWS_TOGETHER: u64 = 16 * 1024;

/// How many index entries are in memory together, about.
const ENTRIES_TOGETHER: usize = 16 * 1024;

/// Reads the files of commits, and asks the index where else their resources are. Commits of which a file cannot be read are
/// added to `failed`.
pub(super) async fn gather(
    worker: &Arc<Worker>,
    group: &[(At, Vec<FileRows>)],
    failed: &mut Vec<(At, FlowError)>,
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
        failed.extend(portion.failed);
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
