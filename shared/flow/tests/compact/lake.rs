//! A lake in memory as its readers see it: bronze's rows where the catalog says that they are, and where the commits do.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use metriccare_flow::{
    Bronze, CompactOptions, Compactions, FileRows, Unwatched, Worker, compact, drive, event::ObjectEvent, process,
};
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::read_rows,
    keys,
    schema::{TABLES, Table},
};
use metriccare_ports::{ManualClock, MemoryLedger, MemoryStore, ObjectStore, Ports, PutMode, catalog::MemoryCatalog};

pub(crate) const BUCKETS: u16 = 2;

const START: i64 = 1_764_000_000_000_000;
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// A row with its table and partition.
type Row = String;

/// How often each row is there.
pub(crate) type Rows = BTreeMap<Row, u32>;

pub(crate) struct Lake {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lake: Arc<MemoryStore>,
    pub(crate) catalog: Arc<MemoryCatalog>,
    pub(crate) ports: Ports,
}

/// The rows of files that were decoded, by table and content.
type DecodedRows = BTreeMap<(&'static str, String), Arc<Vec<String>>>;

/// The rows of a file. The same files are read after every call, so that each content is decoded once.
fn cached_rows(table: &'static Table, bytes: &bytes::Bytes) -> Arc<Vec<String>> {
    static CACHE: Mutex<DecodedRows> = Mutex::new(BTreeMap::new());
    let name = (table.path, keys::content_id(bytes));
    let mut cache = CACHE.lock().expect("unpoisoned");
    let decode = || {
        let rows = read_rows(table, bytes).expect("a file of the table");
        Arc::new(rows.iter().map(|row| format!("{row:?}")).collect())
    };
    Arc::clone(cache.entry(name).or_insert_with(decode))
}

/// Objects of all kinds of rows, in two hospitals.
pub(crate) fn object(number: usize) -> (String, String) {
    let key = format!("mixed/{}.ndjson", number / 2);
    let hospital = ["A", "B & C"][number % 2];
    let lines = [
        format!(r#"{{"resourceType":"Patient","id":"p{}","gender":"female"}}"#, number % 3),
        format!(
            r#"{{"resourceType":"Encounter","id":"e{number}","status":"finished","class":{{"code":"IMP"}},"subject":{{"reference":"Patient/p{}"}},"serviceProvider":{{"display":"{hospital}"}},"period":{{"start":"2025-01-0{}","end":"2025-01-09"}}}}"#,
            number % 3,
            number % 8 + 1
        ),
        format!(
            r#"{{"resourceType":"Condition","id":"c{number}","subject":{{"reference":"Patient/p1"}},"recordedDate":"202{}-02-01"}}"#,
            number % 3
        ),
        "no JSON".to_owned(),
    ];
    (key, lines.join("\n") + "\n")
}

impl Lake {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at_micros(START));
        let landing = Arc::new(MemoryStore::new("landing", clock.clone()));
        let lake = Arc::new(MemoryStore::new("lake", clock.clone()));
        let catalog = Arc::new(MemoryCatalog::default());
        let ports = Ports {
            landing,
            lake: lake.clone(),
            ledger: Arc::new(MemoryLedger::default()),
            catalog: catalog.clone(),
            clock: clock.clone(),
        };
        Lake { clock, lake, catalog, ports }
    }

    pub(crate) async fn of(objects: usize) -> Self {
        let lake = Self::new();
        for number in 0..objects {
            lake.land(number).await;
        }
        lake.drive().await;
        lake
    }

    pub(crate) fn worker(&self, ports: Ports) -> Arc<Worker> {
        let mut worker = Worker::new(ports, BUCKETS, NonZeroUsize::MIN, "test");
        worker.lease = MINUTE;
        Arc::new(worker)
    }

    /// Lands an object; the objects of odd numbers come under the keys of even ones, as other files.
    pub(crate) async fn land(&self, number: usize) -> ObjectEvent {
        let (key, text) = object(number);
        let micros = START + i64::try_from(number).expect("small");
        self.ports.landing.put_stamped(&key, text.into(), PutMode::Overwrite, micros).await.expect("memory");
        let event = ObjectEvent::created("landing", key);
        let landed = process(&Bronze, &self.worker(self.ports.clone()), vec![vec![event.clone()]]).await;
        assert!(landed[0].is_ok(), "{landed:?}");
        event
    }

    pub(crate) async fn drive(&self) {
        let driven = drive(&self.worker(self.ports.clone()), &Unwatched).await.expect("memory");
        assert!(driven.failed.is_empty(), "{:?}", driven.failed);
    }

    /// The bronze rows that an engine reads, where the catalog says that they are.
    pub(crate) async fn by_catalog(&self) -> Rows {
        let mut rows = Rows::new();
        for ((table, values), location) in self.catalog.partitions() {
            let table = TABLES.iter().copied().find(|it| it.glue_name() == table).expect("a table");
            for listed in self.lake.list(&location).await.expect("memory") {
                let name = listed.key.rsplit('/').next().unwrap_or_default();
                if name.starts_with(['_', '.']) {
                    continue;
                }
                let bytes = self.lake.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
                for row in cached_rows(table, &bytes).iter() {
                    *rows.entry(format!("{} {values:?} {row}", table.path)).or_default() += 1;
                }
            }
        }
        rows
    }

    /// The bronze rows that commits name.
    pub(crate) async fn by_commits(&self) -> Rows {
        let mut rows = Rows::new();
        for listed in self.lake.list(keys::BRONZE_COMMITS).await.expect("memory") {
            let bytes = self.lake.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
            for file in BronzeCommit::from_json(&bytes).expect("a commit").files {
                let table = TABLES.iter().copied().find(|it| it.path == file.table).expect("a table");
                let value = keys::partition_value(&file.key, table.partition.expect("partitioned")).flatten();
                let values = vec![value.unwrap_or_else(|| keys::NULL_PARTITION.to_owned())];
                let bytes = FileRows::from(&file).read(&*self.lake).await.expect("a file that a commit names is there");
                let own = cached_rows(table, &bytes);
                assert_eq!(own.len() as u64, file.rows, "{file:?}");
                for row in own.iter() {
                    *rows.entry(format!("{} {values:?} {row}", table.path)).or_default() += 1;
                }
            }
        }
        rows
    }

    /// Committed rows are read once by the catalog; of what is not committed yet, no row is read twice.
    pub(crate) async fn check(&self, landed: &Rows, when: &str) {
        let (catalog, commits) = (self.by_catalog().await, self.by_commits().await);
        for (row, count) in &commits {
            assert_eq!(catalog.get(row), Some(count), "{when}: {row}");
            assert!(landed.get(row).is_some_and(|landed| landed >= count), "{when}: {row}");
        }
        for (row, count) in &catalog {
            assert!(landed.get(row).is_some_and(|landed| landed >= count), "{when}: {count} of {row}");
        }
    }

    pub(crate) async fn objects(&self, prefixes: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        for listed in self.lake.list("").await.expect("memory") {
            if prefixes.iter().any(|prefix| listed.key.starts_with(prefix)) {
                let bytes = self.lake.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
                objects.insert(listed.key, bytes.to_vec());
            }
        }
        objects
    }

    pub(crate) async fn list_one(&self, prefix: &str) -> String {
        self.lake.list(prefix).await.expect("memory").remove(0).key
    }

    pub(crate) async fn files(&self) -> usize {
        self.objects(&["bronze/"]).await.keys().filter(|key| key.ends_with(".parquet")).count()
    }

    /// Compacts until nothing is under way, a day after the other.
    pub(crate) async fn compact_wholly(&self) {
        for turn in 0.. {
            let report = compact(&self.worker(self.ports.clone()), &options()).await.expect("memory");
            assert!(!report.is_busy && turn < 10, "{report:?}");
            if report.under_way == 0 {
                break;
            }
            self.clock.advance(DAY + MINUTE);
        }
        assert!(self.objects(&[keys::COMPACTION_COPIES]).await.is_empty());
        let state = Compactions::read(&*self.lake).await.expect("readable").expect("there");
        assert!(state.folders.is_empty());
        for ((table, _), location) in self.catalog.partitions() {
            assert!(location.starts_with("bronze/"), "{table}: {location}");
        }
    }
}

pub(crate) fn options() -> CompactOptions {
    CompactOptions { min_files: 2, writers_end: 20 * MINUTE, ..CompactOptions::default() }
}

/// All rows of so many objects, each as often as it landed.
pub(crate) async fn landed_rows(objects: usize) -> Rows {
    Lake::of(objects).await.by_commits().await
}
