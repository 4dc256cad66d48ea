//! Taking a batch's versions into the record index: only the pages of the batch's records are read and written.

use std::{future::Future, num::NonZeroUsize, pin::Pin, sync::Arc};

use metriccare_lake::silver::index::{Entry, PAGE_ENTRIES, Page, Step};
use metriccare_ports::PutMode;

use crate::{
    error::FlowError,
    worker::{Worker, compute, side_by_side},
};

/// How many children of one page are worked on at a time: most of it is waiting for the store.
const WIDTH: NonZeroUsize = NonZeroUsize::new(4).expect("four is not zero");

type Joining = Pin<Box<dyn Future<Output = Result<Vec<Entry>, FlowError>> + Send>>;

/// Takes entries into the index (sorted, one for each resource), and returns what it then knows of each of them.
pub(crate) async fn take_in(worker: &Arc<Worker>, entries: Vec<Entry>) -> Result<Vec<Entry>, FlowError> {
    if entries.is_empty() {
        return Ok(entries);
    }
    take_into_page(Arc::clone(worker), Page::ROOT, entries).await
}

/// Takes entries into a page or the pages below it; starts again where another writer was first.
fn take_into_page(worker: Arc<Worker>, page: Page, entries: Vec<Entry>) -> Joining {
    Box::pin(async move {
        let (key, entries) = (page.key(), Arc::new(entries));
        worker.until_settled(&key, || try_once(&worker, page, &key, Arc::clone(&entries))).await
    })
}

async fn try_once(
    worker: &Arc<Worker>,
    page: Page,
    key: &str,
    entries: Arc<Vec<Entry>>,
) -> Result<Vec<Entry>, FlowError> {
    let lake = &worker.ports.lake;
    let (etag, current) = match lake.read_opt(key).await? {
        Some((meta, bytes)) => (Some(meta.etag), Some(bytes)),
        None => (None, None),
    };
    let asked = Arc::clone(&entries);
    let step = compute(key, move || page.take_in(current.as_deref(), &asked, PAGE_ENTRIES)).await?;
    let damaged = |error| FlowError::Document { key: key.to_owned(), reason: format!("{error}") };
    let (found, write) = match step.map_err(damaged)? {
        Step::Joined { entries, write } => (entries, write),
        Step::Children { pages, write } => {
            let children =
                side_by_side(WIDTH, pages, |(child, entries)| take_into_page(Arc::clone(worker), child, entries));
            let mut found = Vec::with_capacity(entries.len());
            for child in children.await {
                found.append(&mut child?);
            }
            // A page that was just split hands down more than was asked for.
            found.retain(|entry| entries.binary_search_by_key(&entry.key, |entry| entry.key).is_ok());
            (found, write)
        }
    };
    if let Some(bytes) = write {
        lake.put(key, bytes.into(), etag.map_or(PutMode::IfAbsent, PutMode::IfMatch)).await?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use metriccare_lake::silver::{
        Resource,
        index::{ContentId, RecordKey, Version, VersionId, joined},
    };
    use metriccare_ports::{ManualClock, Ports};

    use super::*;

    fn encounter(number: u32, version: u64, bucket: u16) -> Entry {
        let latest = Version {
            last_updated: Some(0),
            version_id: VersionId::Number(version),
            deletion: false,
            precombine_ts: Some(0),
            content_id: ContentId::Missing,
            patient_id: None,
        };
        let key = RecordKey::of(Resource::Encounter, &format!("e{number}"));
        Entry { key, resource: Resource::Encounter, latest, bucket: Some(bucket), elsewhere: Vec::new() }
    }

    #[tokio::test]
    async fn a_batch_is_answered_with_what_earlier_batches_brought_in_whatever_order() {
        // More than a page holds, so that it is split while the second batch is taken in.
        let count = PAGE_ENTRIES as u32 + 500;
        for newer_first in [false, true] {
            let worker = Arc::new(Worker::new(
                Ports::memory(Arc::new(ManualClock::at_micros(1))),
                16,
                NonZeroUsize::MIN,
                "test",
            ));
            let all = |version, bucket, from: u32, to: u32| {
                joined((from..to).map(|number| encounter(number, version, bucket)).collect())
            };
            let (older, newer) = (all(1, 3, 0, 4000), all(2, 7, 3000, count));
            let (first, second) = if newer_first { (&newer, &older) } else { (&older, &newer) };
            assert_eq!(&take_in(&worker, first.clone()).await.expect("memory"), first, "nothing was known of it");
            let found = take_in(&worker, second.clone()).await.expect("memory");
            assert_eq!(found.len(), second.len(), "one answer for each");
            assert!(found.is_sorted_by_key(|entry| entry.key));
            let moved = Entry { elsewhere: vec![3], ..encounter(3500, 2, 7) };
            assert_eq!(found.iter().find(|entry| entry.key == moved.key), Some(&moved));
            assert_eq!(found.iter().filter(|entry| entry.elsewhere == [3]).count(), 1000, "what both batches had");
            assert_eq!(take_in(&worker, second.clone()).await.expect("memory"), found, "and once more");
        }
    }

    #[tokio::test]
    async fn a_batch_without_versions_touches_nothing() {
        let worker = Worker::new(Ports::memory(Arc::new(ManualClock::at_micros(1))), 16, NonZeroUsize::MIN, "test");
        assert_eq!(take_in(&Arc::new(worker), Vec::new()).await.expect("memory"), []);
    }
}
