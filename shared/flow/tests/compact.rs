//! Compaction: whoever reads by the catalog or by the commits has every committed row once, at every moment and after every crash.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use metriccare_flow::{
    Bronze, CompactOptions, Compactions, FileRows, PatientPlan, RebuildFrom, Unwatched, WithdrawalPlan, Worker,
    compact, drive, event::ObjectEvent, process, rebuild, withdraw, withdraw_patient,
};
use metriccare_lake::{
    bronze::BronzeCommit,
    cells::read_rows,
    keys,
    schema::{TABLES, Table},
};
use metriccare_ports::{
    Catalog, ETag, Listed, ListedVersion, ManualClock, MemoryLedger, MemoryStore, Object, ObjectMeta, ObjectStore,
    Payload, Ports, PutMode, PutOptions, Result,
    catalog::MemoryCatalog,
    faulty::{Fault, Faults, FaultyStore},
};

const BUCKETS: u16 = 2;

/// Objects of the lakes that are compacted; one more lands meanwhile.
const OBJECTS: usize = 4;

const START: i64 = 1_764_000_000_000_000;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A row with its table and partition.
type Row = String;

/// How often each row is there.
type Rows = BTreeMap<Row, u32>;

struct Lake {
    clock: Arc<ManualClock>,
    lake: Arc<MemoryStore>,
    catalog: Arc<MemoryCatalog>,
    ports: Ports,
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
fn object(number: usize) -> (String, String) {
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
    fn new() -> Self {
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

    async fn of(objects: usize) -> Self {
        let lake = Self::new();
        for number in 0..objects {
            lake.land(number).await;
        }
        lake.drive().await;
        lake
    }

    fn worker(&self, ports: Ports) -> Arc<Worker> {
        let mut worker = Worker::new(ports, BUCKETS, NonZeroUsize::MIN, "test");
        worker.lease = MINUTE;
        Arc::new(worker)
    }

    /// Lands an object; the objects of odd numbers come under the keys of even ones, as other files.
    async fn land(&self, number: usize) -> ObjectEvent {
        let (key, text) = object(number);
        let micros = START + i64::try_from(number).expect("small");
        self.ports.landing.put_stamped(&key, text.into(), PutMode::Overwrite, micros).await.expect("memory");
        let event = ObjectEvent::created("landing", key);
        let landed = process(&Bronze, &self.worker(self.ports.clone()), vec![vec![event.clone()]]).await;
        assert!(landed[0].is_ok(), "{landed:?}");
        event
    }

    async fn drive(&self) {
        let driven = drive(&self.worker(self.ports.clone()), &Unwatched).await.expect("memory");
        assert!(driven.failed.is_empty(), "{:?}", driven.failed);
    }

    /// The bronze rows that an engine reads, where the catalog says that they are.
    async fn by_catalog(&self) -> Rows {
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
    async fn by_commits(&self) -> Rows {
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
    async fn check(&self, landed: &Rows, when: &str) {
        let (catalog, commits) = (self.by_catalog().await, self.by_commits().await);
        for (row, count) in &commits {
            assert_eq!(catalog.get(row), Some(count), "{when}: {row}");
            assert!(landed.get(row).is_some_and(|landed| landed >= count), "{when}: {row}");
        }
        for (row, count) in &catalog {
            assert!(landed.get(row).is_some_and(|landed| landed >= count), "{when}: {count} of {row}");
        }
    }

    async fn objects(&self, prefixes: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        for listed in self.lake.list("").await.expect("memory") {
            if prefixes.iter().any(|prefix| listed.key.starts_with(prefix)) {
                let bytes = self.lake.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
                objects.insert(listed.key, bytes.to_vec());
            }
        }
        objects
    }

    async fn files(&self) -> usize {
        self.objects(&["bronze/"]).await.keys().filter(|key| key.ends_with(".parquet")).count()
    }

    /// Compacts until nothing is under way, a day after the other.
    async fn compact_wholly(&self) {
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

fn options() -> CompactOptions {
    CompactOptions { min_files: 2, writers_end: 20 * MINUTE, ..CompactOptions::default() }
}

/// All rows of so many objects, each as often as it landed.
async fn landed_rows(objects: usize) -> Rows {
    Lake::of(objects).await.by_commits().await
}

/// A bucket that checks what readers see after each change, and in which an object lands at one of the calls.
struct Observed {
    lake: Arc<Lake>,
    landed: Arc<Rows>,
    calls: AtomicU64,
    lands_at: u64,
    lands: Mutex<Option<usize>>,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observed")
    }
}

impl Observed {
    async fn call(&self) {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.lands_at {
            let number = self.lands.lock().expect("unpoisoned").take();
            if let Some(number) = number {
                Box::pin(self.lake.land(number)).await;
                self.lake.check(&self.landed, &format!("an object landed at call {}", self.lands_at)).await;
            }
        }
    }
}

#[async_trait]
impl ObjectStore for Observed {
    fn bucket(&self) -> &str {
        self.lake.lake.bucket()
    }
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.call().await;
        self.lake.lake.get_if(key, etag).await
    }
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.call().await;
        self.lake.lake.head(key).await
    }
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.call().await;
        let put = self.lake.lake.put_with(key, payload, options).await;
        self.lake.check(&self.landed, &format!("put {key}")).await;
        put
    }
    async fn delete(&self, key: &str) -> Result<()> {
        self.call().await;
        let deleted = self.lake.lake.delete(key).await;
        self.lake.check(&self.landed, &format!("delete {key}")).await;
        deleted
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.call().await;
        self.lake.lake.list(prefix).await
    }
    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        self.lake.lake.list_versions(prefix).await
    }
}

/// Every call takes minutes; of so many calls one is tried, by turns with a crash before and after it.
const STRIDE: usize = 9;

/// The calls of the steps of a compaction: it begins, makes the copies, replaces files, removes the copies.
const STEPS: usize = 4;

/// Takes a lake of a few objects through all steps, with a fault or a landing object at one call. Returns the calls so far.
async fn run(landed: &Arc<Rows>, fault: Option<(u64, Fault)>, lands_at: u64) -> (u64, Arc<Lake>) {
    let lake = Arc::new(Lake::of(OBJECTS).await);
    let observed = Arc::new(Observed {
        lake: lake.clone(),
        landed: landed.clone(),
        calls: AtomicU64::new(0),
        lands_at,
        lands: Mutex::new(Some(OBJECTS)),
    });
    let faults = Arc::new(fault.map_or_else(Faults::none, |(call, fault)| Faults::at(call, fault)));
    let store = Arc::new(FaultyStore::new(observed.clone(), faults.clone()));
    let worker = lake.worker(Ports { lake: store, ..lake.ports.clone() });
    for _ in 0..STEPS {
        if compact(&worker, &options()).await.is_err() {
            // The process is gone; another one goes on once the lease has lapsed.
            faults.heal();
            lake.clock.advance(2 * MINUTE);
            lake.check(landed, "after a crash").await;
            compact(&worker, &options()).await.expect("healed");
        }
        lake.check(landed, "between the steps").await;
        lake.clock.advance(DAY + MINUTE);
    }
    (faults.calls(), lake)
}

async fn check_end(lake: &Lake, undisturbed: &Lake, landed: &Rows, when: &str) {
    if lake.by_commits().await.values().sum::<u32>() < landed.values().sum() {
        lake.land(OBJECTS).await;
    }
    lake.compact_wholly().await;
    lake.drive().await;
    lake.check(landed, when).await;
    assert_eq!(lake.by_catalog().await, *landed, "{when}");
    let upper = ["silver/", "gold/"];
    let should = undisturbed.objects(&upper).await;
    assert!(lake.objects(&upper).await == should, "{when}: silver and gold are as without compaction");
    let rebuilt = rebuild(&lake.worker(lake.ports.clone()), RebuildFrom::Bronze, &Unwatched).await.expect("memory");
    assert!(rebuilt.failed.is_empty() && lake.objects(&upper).await == should, "{when}: rebuilt from compacted bronze");
}

#[tokio::test]
async fn a_compaction_that_crashed_at_any_call_is_completed_and_no_reader_noticed() {
    let landed = Arc::new(landed_rows(OBJECTS + 1).await);
    let undisturbed = Lake::of(OBJECTS + 1).await;
    let (calls, lake) = run(&landed, None, 0).await;
    assert!(calls > 50, "{calls}");
    let before = undisturbed.files().await;
    check_end(&lake, &undisturbed, &landed, "undisturbed").await;
    assert!(lake.files().await * 2 < before, "{} files of {before}", lake.files().await);
    for call in (1..=calls).step_by(STRIDE) {
        let fault = if call % 2 == 0 { Fault::Crash } else { Fault::CrashAfter };
        let (_, lake) = run(&landed, Some((call, fault)), 0).await;
        // The ends are alike, and long: some are enough.
        if call % 5 == 0 {
            check_end(&lake, &undisturbed, &landed, &format!("{fault:?} at call {call}")).await;
        }
    }
}

#[tokio::test]
async fn an_object_that_lands_at_any_call_of_a_compaction_is_read_once() {
    let landed = Arc::new(landed_rows(OBJECTS + 1).await);
    let undisturbed = Lake::of(OBJECTS + 1).await;
    let (calls, _) = run(&landed, None, 0).await;
    for call in (1..=calls).step_by(STRIDE) {
        let (_, lake) = run(&landed, None, call).await;
        if call % 5 == 0 {
            check_end(&lake, &undisturbed, &landed, &format!("an object landed at call {call}")).await;
        }
    }
}

#[tokio::test]
async fn a_redelivered_object_brings_its_rows_no_second_time() {
    let lake = Lake::of(6).await;
    lake.compact_wholly().await;
    let landed = lake.by_commits().await;
    // The ledger has forgotten what it had.
    let forgetful = Ports { ledger: Arc::new(MemoryLedger::default()), ..lake.ports.clone() };
    let driven = drive(&lake.worker(forgetful), &Unwatched).await.expect("memory");
    assert!(driven.failed.is_empty() && !driven.landed.is_empty());
    assert_eq!(lake.by_catalog().await, landed);
}

#[tokio::test]
async fn silver_is_not_merged_again_because_of_a_compaction() {
    let lake = Lake::of(6).await;
    lake.compact_wholly().await;
    let worker = lake.worker(lake.ports.clone());
    let window = metriccare_flow::Window::ALL;
    let found = metriccare_flow::find_missing(&worker, metriccare_flow::Upstream::Bronze, window).await;
    assert!(found.expect("memory").missing.is_empty());
}

#[tokio::test]
async fn an_object_is_withdrawn_at_any_stage_of_a_compaction() {
    let (key, _) = object(4);
    for days in 0..=STEPS {
        for wait in [MINUTE, DAY + MINUTE] {
            let lake = Lake::of(6).await;
            for _ in 0..days {
                compact(&lake.worker(lake.ports.clone()), &options()).await.expect("memory");
                lake.clock.advance(wait);
            }
            let worker = lake.worker(lake.ports.clone());
            let plan = WithdrawalPlan::of(&worker, &[key.clone()].into()).await.expect("memory");
            let withdrawn = withdraw(&worker, &plan, "by mistake", &Unwatched).await.expect("memory");
            assert!(withdrawn.objects > 0, "{withdrawn:?}");
            let left = lake.by_commits().await;
            assert!(left.keys().all(|row| !row.contains(&key)) && !left.is_empty());
            let catalog = lake.by_catalog().await;
            let bronze = catalog.into_iter().filter(|(row, _)| !row.starts_with("bronze/withdrawal"));
            assert_eq!(bronze.collect::<Rows>(), left, "after {days} steps");
            assert!(lake.objects(&[keys::COMPACTION_COPIES]).await.is_empty());
            lake.compact_wholly().await;
            assert_eq!(lake.by_commits().await, left);
        }
    }
}

/// Withdraws a patient, and gives the rows that are left.
async fn without_patient(lake: &Lake) -> Rows {
    let worker = lake.worker(lake.ports.clone());
    let plan = PatientPlan::of(&worker, "p0").await.expect("memory");
    assert!(plan.refused.is_empty() && plan.records > 0, "{plan:?}");
    withdraw_patient(&worker, &plan, "consent ended", [7; 32], &Unwatched).await.expect("memory");
    let left = lake.by_commits().await;
    let catalog = lake.by_catalog().await.into_iter();
    assert_eq!(catalog.filter(|(row, _)| !row.starts_with("bronze/withdrawal")).collect::<Rows>(), left);
    left
}

#[tokio::test]
async fn a_patient_is_withdrawn_from_compacted_files_as_from_others() {
    // Some objects are no longer in landing: another version has taken their place.
    let should = without_patient(&Lake::of(6).await).await;
    for steps in 0..=STEPS {
        let lake = Lake::of(6).await;
        for _ in 0..steps {
            compact(&lake.worker(lake.ports.clone()), &options()).await.expect("memory");
            lake.clock.advance(DAY + MINUTE);
        }
        assert_eq!(without_patient(&lake).await, should, "after {steps} steps");
    }
}

#[tokio::test]
async fn two_compactions_at_once_and_one_without_time_do_no_harm() {
    let lake = Lake::of(6).await;
    let landed = lake.by_commits().await;
    let worker = lake.worker(lake.ports.clone());
    let held = r#"{"holder":{"owner":"other","until_millis":99999999999999},"folders":{}}"#;
    lake.lake.put(keys::COMPACTIONS, held.into(), PutMode::Overwrite).await.expect("memory");
    assert!(compact(&worker, &options()).await.expect("memory").is_busy);
    lake.lake.delete(keys::COMPACTIONS).await.expect("memory");
    let mut late = Worker::new(lake.ports.clone(), BUCKETS, NonZeroUsize::MIN, "late");
    late.deadline_millis = 0;
    let late = Arc::new(late);
    for _ in 0..STEPS {
        let report = compact(&late, &options()).await.expect("memory");
        assert!(report.under_way > 0 && report.served == 0, "{report:?}");
        lake.clock.advance(DAY);
    }
    lake.compact_wholly().await;
    assert_eq!(lake.by_catalog().await, landed);
}

#[tokio::test]
async fn a_damaged_file_stays_as_it_is() {
    let lake = Lake::of(6).await;
    let file = lake.list_one("bronze/condition/").await;
    lake.lake.put(&file, "no Parquet".into(), PutMode::Overwrite).await.expect("memory");
    lake.compact_wholly().await;
    let bytes = lake.lake.get(&file).await.expect("still there").body.bytes().await.expect("memory");
    assert_eq!(bytes, "no Parquet");
    assert!(lake.objects(&["bronze/quarantine/"]).await.len() < 6);
}

impl Lake {
    async fn list_one(&self, prefix: &str) -> String {
        self.lake.list(prefix).await.expect("memory").remove(0).key
    }
}

#[tokio::test]
async fn the_catalog_moves_a_partition_and_adds_one_that_it_does_not_know() {
    let catalog = MemoryCatalog::default();
    catalog.move_partition("bronze_patient", &["A"], "one/").await.expect("memory");
    catalog.ensure_partition("bronze_patient", &["A"], "two/").await.expect("memory");
    assert_eq!(catalog.partitions().into_values().collect::<Vec<_>>(), ["one/"]);
    catalog.move_partition("bronze_patient", &["A"], "two/").await.expect("memory");
    assert_eq!(catalog.partitions().into_values().collect::<Vec<_>>(), ["two/"]);
}
