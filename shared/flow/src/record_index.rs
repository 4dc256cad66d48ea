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
