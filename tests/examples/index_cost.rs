//! What the record index costs a batch, by the size of the batch and of the lake: requests, and bytes both ways.
//!
//! `cargo run --release -p metriccare-tests --example index_cost -- [RECORDS…]`

#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "it measures, and talks to whoever runs it")]

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use clap::Parser;
use metriccare_lake::silver::{
    Resource,
    index::{ContentId, Entry, PAGE_ENTRIES, Page, RecordKey, Step, Version, VersionId, joined},
};

/// Prints what batches of 1 to 10,000 records cost the record index.
#[derive(Parser)]
struct Arguments {
    /// Records that the lake has
    #[arg(default_values_t = [100_000, 1_000_000])]
    records: Vec<u64>,
}

/// The index's pages, and what was asked of the store that holds them.
#[derive(Default)]
struct Store {
    pages: BTreeMap<String, Bytes>,
    gets: u64,
    puts: u64,
    read: u64,
    written: u64,
}

impl Store {
    fn take_in(&mut self, page: Page, incoming: &[Entry]) {
        let key = page.key();
        let current = self.pages.get(&key).cloned();
        self.gets += 1;
        self.read += current.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let step = page.take_in(current.as_deref(), incoming, PAGE_ENTRIES).expect("a page of ours");
        let write = match step {
            Step::Joined { write, .. } => write,
            Step::Children { pages, write } => {
                pages.into_iter().for_each(|(child, entries)| self.take_in(child, &entries));
                write
            }
        };
        if let Some(bytes) = write {
            self.puts += 1;
            self.written += bytes.len() as u64;
            self.pages.insert(key, bytes);
        }
    }
}

fn entry(number: u64) -> Entry {
    let id = format!("{number:08x}-0000-4000-8000-{number:012x}");
    let version = Version {
        last_updated: Some(number as i64),
        version_id: VersionId::new(Some("1")),
        deletion: false,
        precombine_ts: Some(0),
        content_id: ContentId::new(Some(&format!("{number:032x}"))),
        patient_id: Some(id.as_str().into()),
    };
    let key = RecordKey::of(Resource::Encounter, &id);
    Entry { key, resource: Resource::Encounter, latest: version, bucket: Some(3), elsewhere: Vec::new() }
}

fn main() {
    println!("{:>10} {:>8} {:>6} {:>6} {:>12} {:>12} {:>9}", "lake", "batch", "GET", "PUT", "read", "written", "ms");
    for records in Arguments::parse().records {
        let mut store = Store::default();
        for from in (0..records).step_by(100_000) {
            store.take_in(Page::ROOT, &joined((from..records.min(from + 100_000)).map(entry).collect()));
        }
        let whole: usize = store.pages.values().map(Bytes::len).sum();
        println!("{records:>10} {:>8} pages of {whole} bytes in all", store.pages.len());
        let mut next = records;
        for batch in [1, 10, 100, 1_000, 10_000] {
            let entries = joined((next..next + batch).map(entry).collect());
            next += batch;
            let mut costs = Store { pages: std::mem::take(&mut store.pages), ..Store::default() };
            let start = Instant::now();
            costs.take_in(Page::ROOT, &entries);
            let millis = start.elapsed().as_secs_f64() * 1e3;
            let Store { gets, puts, read, written, .. } = costs;
            println!("{records:>10} {batch:>8} {gets:>6} {puts:>6} {read:>12} {written:>12} {millis:>9.2}");
            store.pages = costs.pages;
        }
    }
}
