//! Merges that run at the same time, interleaved at every call of a store in any order, killed and redelivered: silver
//! and the index always end as if every version had been there at once.
//!
//! The store is in memory and names an object's state by its bytes, as S3's ETags do: an object that returns to former
//! bytes cannot be told from one that never changed. Which merge makes the next call is drawn by the test.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::cells::{Cell, read_rows};
use crate::keys::bucket_file;
use crate::sample::{self, ConditionRow, EncounterRow, PatientRow};
use crate::silver::{Incoming, bucket_of, merge, merge_with};
use metriccare_fhir::calendar::DAY;

const BUCKETS: u16 = 3;
const PATIENTS: [&str; 4] = ["p1", "p2", "p3", "p4"];

/// A version as it is delivered: content of a resource, or its deletion.
#[derive(Clone, Debug)]
struct Delivered {
    resource: Resource,
    id: String,
    patient: Option<String>,
    deletion: bool,
    hospital: Option<&'static str>,
    admission: i64,
    version: sample::Version,
}

fn delivered() -> impl Strategy<Value = Delivered> {
    let resources =
        prop::sample::select(vec![Resource::Encounter, Resource::Encounter, Resource::Condition, Resource::Patient]);
    let patients =
        prop::sample::select(PATIENTS.iter().map(|id| Some((*id).to_owned())).chain([None]).collect::<Vec<_>>());
    let version_ids = prop::sample::select(vec![None, Some("1"), Some("2"), Some("10")]);
    let version = (prop::option::weighted(0.9, 0..3i64), version_ids, 0..2i64, 0..2u8);
    let what = (
        resources,
        0..3u8,
        patients,
        prop::bool::weighted(0.2),
        prop::sample::select(vec![None, Some("A"), Some("B")]),
        0..4i64,
    );
    (what, version).prop_map(|((resource, id, patient, deletion, hospital, admission), version)| {
        let (last_updated, version_id, precombine_ts, content) = version;
        let id = if resource == Resource::Patient { PATIENTS[usize::from(id)].to_owned() } else { format!("r{id}") };
        let last_updated = if deletion { last_updated.or(Some(precombine_ts)) } else { last_updated };
        let version = sample::Version {
            last_updated,
            version_id: version_id.map(str::to_owned),
            precombine_ts,
            content_id: format!("c{content}"),
        };
        Delivered { resource, id, patient, deletion, hospital, admission, version }
    })
}

impl Delivered {
    fn rows(&self) -> arrow_array::RecordBatch {
        let (id, version) = (self.id.clone(), self.version.clone());
        match self.resource {
            Resource::Patient => sample::patients(&[PatientRow {
                id,
                gender: self.hospital.map(str::to_owned),
                version,
                ..PatientRow::default()
            }]),
            Resource::Encounter => sample::encounters(&[EncounterRow {
                id,
                patient: self.patient.clone(),
                status: Some("finished".to_owned()),
                class: Some("IMP".to_owned()),
                hospital: self.hospital.map(str::to_owned),
                admission: Some(self.admission * DAY),
                discharge: Some((self.admission + 1) * DAY),
                version,
                ..EncounterRow::default()
            }]),
            Resource::Condition => sample::conditions(&[ConditionRow {
                id,
                patient: self.patient.clone(),
                code: self.hospital.map(str::to_owned),
                version,
                ..ConditionRow::default()
            }]),
        }
    }

    fn add_to(&self, incoming: &mut Incoming) {
        if self.deletion {
            let deletion = Deletion {
                resource: self.resource,
                id: &self.id,
                deleted_time: self.version.last_updated,
                version_id: self.version.version_id.as_deref(),
                precombine_ts: Some(self.version.precombine_ts),
            };
            incoming.add_deletions([deletion], BUCKETS);
        } else {
            incoming.add_rows(self.resource, &self.rows(), BUCKETS).unwrap();
        }
    }

    /// The documented order, written down once more: all that decides before the columns behind the patient.
    fn order(&self) -> impl Ord + use<> {
        let number = self.version.version_id.as_ref().map(|id| id.parse::<u32>().unwrap());
        let version_id = if self.deletion && number.is_none() { Some(u32::MAX) } else { number };
        let content = (!self.deletion).then(|| self.version.content_id.clone());
        let patient = if self.deletion || self.resource == Resource::Patient { None } else { self.patient.clone() };
        (self.version.last_updated, version_id, self.deletion, self.version.precombine_ts, content, patient)
    }

    fn bucket(&self) -> u16 {
        let patient = if self.resource == Resource::Patient { None } else { self.patient.as_deref() };
        bucket_of(patient, &self.id, BUCKETS)
    }
}

/// What silver's objects hold, by key, without those that hold nothing: the latest of all versions, and nothing else.
fn expected(versions: &[Delivered]) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let mut resources: BTreeMap<(Resource, &str), Vec<&Delivered>> = BTreeMap::new();
    for version in versions {
        resources.entry((version.resource, &version.id)).or_default().push(version);
    }
    let mut objects: BTreeMap<(Resource, u16), Vec<arrow_array::RecordBatch>> = BTreeMap::new();
    for ((resource, _), versions) in resources {
        let greatest = versions.iter().map(|version| version.order()).max().unwrap();
        for version in versions.into_iter().filter(|version| version.order() == greatest && !version.deletion) {
            objects.entry((resource, version.bucket())).or_default().push(version.rows());
        }
    }
    let rows = |((resource, bucket), rows): ((Resource, u16), Vec<_>)| {
        let object = merge(resource, None, &rows).unwrap().parquet;
        (bucket_file(resource.silver().path, bucket, BUCKETS), read_rows(resource.silver(), &object).unwrap())
    };
    objects.into_iter().map(rows).collect()
}

/// A store whose every call is a point at which the others may go on.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<BTreeMap<String, Bytes>>>);

impl Store {
    async fn get(&self, key: &str) -> Option<Bytes> {
        pause().await;
        self.0.lock().unwrap().get(key).cloned()
    }

    /// Puts an object if its bytes still are those that were read.
    async fn put(&self, key: &str, read: Option<&Bytes>, bytes: Bytes) -> bool {
        pause().await;
        let mut objects = self.0.lock().unwrap();
        let unchanged = objects.get(key) == read;
        if unchanged {
            objects.insert(key.to_owned(), bytes);
        }
        unchanged
    }
}

/// Ready at the second look.
fn pause() -> impl Future<Output = ()> {
    let mut looked = false;
    std::future::poll_fn(move |_| if std::mem::replace(&mut looked, true) { Poll::Ready(()) } else { Poll::Pending })
}

type Joining<'a> = Pin<Box<dyn Future<Output = Vec<Entry>> + Send + 'a>>;

/// Takes entries into the index below a page.
fn take_in<'a>(store: &'a Store, page: Page, incoming: Vec<Entry>, limit: usize) -> Joining<'a> {
    Box::pin(async move {
        loop {
            let current = store.get(&page.key()).await;
            let (found, write) = match page.take_in(current.as_deref(), &incoming, limit).unwrap() {
                Step::Joined { entries, write } => (entries, write),
                Step::Children { pages, write } => {
                    let mut found = Vec::new();
                    for (child, entries) in pages {
                        found.extend(take_in(store, child, entries, limit).await);
                    }
                    found.retain(|entry| incoming.binary_search_by_key(&entry.key, |entry| entry.key).is_ok());
                    (found, write)
                }
            };
            let Some(bytes) = write else { return found };
            if store.put(&page.key(), current.as_ref(), bytes).await {
                return found;
            }
        }
    })
}

/// One merge of a batch: index first, then every bucket that its entries name.
async fn merge_batch(store: Store, batch: Vec<Delivered>, limit: usize) {
    let mut incoming = Incoming::default();
    batch.iter().for_each(|version| version.add_to(&mut incoming));
    let entries = joined(incoming.take_entries());
    let indexed = take_in(&store, Page::ROOT, entries, limit).await;
    for (bucket, input) in incoming.by_bucket(&indexed).unwrap() {
        for (resource, input) in input {
            let key = bucket_file(resource.silver().path, bucket, BUCKETS);
            loop {
                let current = store.get(&key).await;
                let merged = merge_with(resource, current.as_ref(), &input.rows, &input.tombstones).unwrap();
                if !merged.changed || store.put(&key, current.as_ref(), merged.parquet).await {
                    break;
                }
            }
        }
    }
}

/// A schedule: which merge goes on at each step, and where one is killed.
#[derive(Clone, Debug)]
struct Schedule {
    workers: usize,
    turns: Vec<u8>,
    kills: Vec<u8>,
    limit: usize,
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let turns = prop::collection::vec(any::<u8>(), 1..60);
    let parts = (1..5usize, turns, prop::collection::vec(1..30u8, 0..6), 1..6usize);
    parts.prop_map(|(workers, turns, kills, limit)| Schedule { workers, turns, kills, limit })
}

/// Delivers batches as scheduled; a batch whose merge was killed comes again.
fn run(batches: &[Vec<Delivered>], schedule: &Schedule) -> BTreeMap<String, Bytes> {
    type Merge = Pin<Box<dyn Future<Output = ()> + Send>>;
    let store = Store::default();
    let mut waiting: VecDeque<Vec<Delivered>> = batches.iter().cloned().collect();
    let mut running: Vec<(Vec<Delivered>, Merge)> = Vec::new();
    let mut turns = schedule.turns.iter().cycle();
    let mut kills = schedule.kills.iter();
    let mut next_kill = kills.next().copied();
    loop {
        while running.len() < schedule.workers
            && let Some(batch) = waiting.pop_front()
        {
            let merge = merge_batch(store.clone(), batch.clone(), schedule.limit);
            running.push((batch, Box::pin(merge)));
        }
        if running.is_empty() {
            return store.0.lock().unwrap().clone();
        }
        let at = usize::from(*turns.next().unwrap()) % running.len();
        next_kill = next_kill.map(|steps| steps - 1);
        if next_kill == Some(0) {
            next_kill = kills.next().copied();
            waiting.push_back(running.swap_remove(at).0);
            continue;
        }
        if running[at].1.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(running.swap_remove(at));
        }
    }
}

fn silver_rows(objects: &BTreeMap<String, Bytes>) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let table = |key: &str| Resource::ALL.map(Resource::silver).into_iter().find(|table| key.starts_with(table.path));
    let rows = |(key, bytes): (&String, &Bytes)| Some((key.clone(), read_rows(table(key)?, bytes).unwrap()));
    objects.iter().filter_map(rows).filter(|(_, rows)| !rows.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_ends_in_the_latest_versions(
        versions in prop::collection::vec(delivered(), 1..14),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        size in 1..5usize,
        first in schedule(),
        mut second in schedule(),
    ) {
        second.limit = first.limit;
        let batches: Vec<_> = versions.chunks(size).map(<[_]>::to_vec).collect();
        let one = run(&batches, &first);
        prop_assert_eq!(silver_rows(&one), expected(&versions));
        // Backwards, one by one, and some of them more than once.
        let again = order.iter().map(|index| vec![index.get(&versions).clone()]);
        let other: Vec<_> = again.chain(versions.iter().rev().map(|version| vec![version.clone()])).collect();
        prop_assert_eq!(run(&other, &second), one, "the same bytes, the index's too");
    }
}

#[test]
fn a_correction_that_comes_first_leaves_no_second_stay() {
    let version = |patient: &str, number: i64| Delivered {
        resource: Resource::Encounter,
        id: "e".to_owned(),
        patient: Some(patient.to_owned()),
        deletion: false,
        hospital: None,
        admission: 0,
        version: sample::Version {
            last_updated: Some(number),
            version_id: Some(number.to_string()),
            ..Default::default()
        },
    };
    let [wrong, right] = [version("p1", 1), version("p2", 2)];
    assert_ne!(wrong.bucket(), right.bucket(), "the correction moves the stay to another bucket");
    let everywhere = Schedule { workers: 1, turns: vec![0], kills: Vec::new(), limit: 8 };
    for order in [[wrong.clone(), right.clone()], [right.clone(), wrong.clone()]] {
        let lake = run(&order.clone().map(|version| vec![version]), &everywhere);
        assert_eq!(silver_rows(&lake), expected(std::slice::from_ref(&right)));
    }
    let gone = Delivered { deletion: true, ..version("p1", 3) };
    for order in [[wrong.clone(), right.clone(), gone.clone()], [gone, right, wrong]] {
        assert_eq!(silver_rows(&run(&order.map(|version| vec![version]), &everywhere)), BTreeMap::new());
    }
}
