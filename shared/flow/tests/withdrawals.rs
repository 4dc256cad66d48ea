//! What was withdrawn stays out: however it is redelivered, whatever versions the buckets keep, and when it lands once more.

mod lake;

use std::{collections::BTreeSet, io::Write, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use lake::{BUCKETS, Lake};
use metriccare_flow::{
    Bronze, Outcome, PatientPlan, Upstream, Window, WithdrawalPlan, Worker, drive, event::notification_of,
    find_missing, serve, withdraw, withdraw_patient,
};
use metriccare_lake::{cells, keys, schema::TABLES};
use metriccare_ports::{
    MemoryLedger, ObjectStore, Ports, PutMode,
    faulty::{Fault, Faults, FaultyStore},
};
use serde_json::{Value, json};

const SECRET: &str = "p3-secret";

fn person(id: &str) -> String {
    format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}\n")
}

fn stay(id: &str, patient: &str) -> String {
    format!(
        "{{\"resourceType\":\"Encounter\",\"id\":\"{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\
         \"subject\":{{\"reference\":\"Patient/{patient}\"}},\"period\":{{\"start\":\"2024-01-01\",\"end\":\"2024-01-09\"}}}}\n"
    )
}

fn registry(patients: &[&str]) -> String {
    let row = |id: &&str| format!("{id}-r,{id},pr1,Hip,2024-01-02,false,,,ok,0.5,false,false,\n");
    let header = "registry_id,patient_id,provider_id,procedure_name,procedure_date,has_complication,complication_type,\
                  complication_date,outcome,risk_score,mortality_flag,readmission_flag,days_to_readmission\n";
    [header.to_owned(), patients.iter().map(row).collect()].concat()
}

async fn land(lake: &Lake, key: &str, bytes: impl Into<Vec<u8>>) {
    lake.landing.put(key, bytes.into().into(), PutMode::Overwrite).await.expect("memory");
    // On S3 every version is flattened as it comes.
    run(lake).await;
}

struct Quiet;

impl metriccare_flow::Progress for Quiet {
    fn begin(&self, _: &'static str, _: usize) {}
    fn advance(&self, _: usize) {}
}

async fn run(lake: &Lake) {
    let driven = drive(&lake.worker(), &Quiet).await.expect("memory");
    assert!(driven.failed.is_empty(), "{:?}", driven.failed);
}

/// The forms in which a queue, a person or EventBridge delivers one notification.
fn deliveries(notification: &str, meta: &metriccare_ports::ObjectMeta) -> Vec<Value> {
    let bare: Value = serde_json::from_str(notification).expect("JSON");
    let bridge = json!({"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": {
        "bucket": {"name": "landing"},
        "object": {"key": meta.key, "size": meta.size, "etag": meta.etag.as_str(), "version-id": meta.version},
    }});
    let message = |body: &Value| {
        json!({"messageId": "1", "receiptHandle": "r", "body": body.to_string(), "eventSource": "aws:sqs",
               "attributes": {"ApproximateReceiveCount": "2"}})
    };
    let queued = |bodies: &[&Value]| json!({"Records": bodies.iter().map(|body| message(body)).collect::<Vec<_>>()});
    vec![queued(&[&bare]), queued(&[&bridge]), queued(&[&bare, &bare]), bare.clone(), bridge.clone()]
}

#[tokio::test]
async fn a_withdrawn_object_stays_out_in_every_form_of_delivery() {
    let mut lake = Lake::new();
    land(&lake, "patient/kept.json", person("p1")).await;
    land(&lake, "patient/withdrawn.json", person(SECRET)).await;
    let meta = lake.landing.head("patient/withdrawn.json").await.expect("it landed");

    // The withdrawal is killed right after its row: landing has the object still.
    let wanted = BTreeSet::from([meta.key.clone()]);
    let plan = WithdrawalPlan::of(&lake.worker(), &wanted).await.expect("memory");
    let mut calls = 0;
    while lake.list(keys::WITHDRAWALS).await.is_empty() {
        calls += 1;
        let faults = Arc::new(Faults::at(calls, Fault::CrashAfter));
        let store: Arc<dyn ObjectStore> = Arc::new(FaultyStore::new(lake.lake.clone(), faults));
        let worker = Arc::new(Worker::new(
            Ports { lake: store, ..lake.ports.clone() },
            BUCKETS,
            std::num::NonZeroUsize::MIN,
            "killed",
        ));
        withdraw(&worker, &plan, "sent by mistake", &Quiet).await.expect_err("killed");
    }
    for listed in lake.list("bronze/").await {
        if listed.key.contains(&meta.object_id()) && !listed.key.starts_with(keys::WITHDRAWALS) {
            assert!(lake.lake.remove(&listed.key));
        }
    }
    lake.ports.ledger = Arc::new(MemoryLedger::default());
    let before = lake.lake.snapshot();
    for payload in deliveries(&notification_of("landing", &meta), &meta) {
        let reports = serve(&Bronze, &lake.worker(), payload.clone()).await;
        assert!(!reports.is_empty());
        for report in reports {
            assert!(matches!(report.result.as_deref(), Ok([(_, Outcome::Withdrawn)])), "{payload}: {report:?}");
        }
        assert!(lake.lake.snapshot() == before, "{payload}");
    }
    let found = find_missing(&lake.worker(), Upstream::Landing, Window::ALL).await.expect("memory");
    assert!(found.missing.is_empty(), "it is not looked for either: {:?}", found.missing);

    let plan = WithdrawalPlan::of(&lake.worker(), &wanted).await.expect("memory");
    withdraw(&lake.worker(), &plan, "sent by mistake", &Quiet).await.expect("withdrawn");
    assert!(lake.landing.list_versions("patient/withdrawn").await.expect("memory").is_empty(), "all versions are gone");
    run(&lake).await;
    assert_eq!(lake.list(keys::BRONZE_COMMITS).await.len(), 1);
}

/// Whatever a person finds who reads every version of every object, and every cell of every table.
async fn found(lake: &Lake) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    let mut found = Vec::new();
    for store in [&lake.landing, &lake.lake] {
        for listed in store.list_versions("").await.expect("memory") {
            let (key, version) = (listed.meta.key, listed.meta.version);
            let bytes = store.get_version(&key, version.as_deref(), None).await.expect("listed").body.bytes().await;
            let bytes = bytes.expect("memory");
            let table = TABLES.iter().copied().find(|table| key.starts_with(&format!("{}/", table.path)));
            let cells = table.and_then(|table| cells::read_rows(table, &bytes).ok()).unwrap_or_default();
            let mut unpacked = Vec::new();
            _ = std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked);
            if holds(&bytes)
                || holds(&unpacked)
                || cells.iter().flatten().any(|cell| holds(cell.to_string().as_bytes()))
            {
                found.push(format!("{key} {version:?}"));
            }
        }
    }
    found
}

/// Two patients and, where wanted, a third: in both versions of an object, beside others in tables, and in an object that left
/// landing after it was flattened.
async fn lake_with(third: bool) -> Lake {
    let lake = Lake::new();
    let only = |text: String| if third { text } else { String::new() };
    land(&lake, "patient/all.ndjson", [person("p1"), only(person(SECRET))].concat()).await;
    land(&lake, "patient/all.ndjson", [person("p2"), only(person(SECRET))].concat()).await;
    let broken = format!("{{\"resourceType\":\"Patient\",\"id\":\"{SECRET}\",\"birthDate\":\"yesterday\"}}\n");
    land(&lake, "encounter/left.ndjson", [stay("e1", "p1"), only(stay("e3", SECRET)), only(broken)].concat()).await;
    lake.landing.delete("encounter/left.ndjson").await.expect("memory");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let patients: &[&str] = if third { &["p1", SECRET, "p2"] } else { &["p1", "p2"] };
    packed.write_all(registry(patients).as_bytes()).expect("memory");
    land(&lake, "registry/all.csv.gz", packed.finish().expect("memory")).await;
    lake
}

async fn withdraw_third(lake: &Lake) -> u64 {
    let plan = PatientPlan::of(&lake.worker(), SECRET).await.expect("memory");
    assert!(plan.refused.is_empty() && plan.mentions.is_empty(), "{plan:?}");
    withdraw_patient(&lake.worker(), &plan, "asked to", [7; 32], &Quiet).await.expect("withdrawn").records
}

#[tokio::test]
async fn a_withdrawn_patient_is_in_no_version_and_no_table_and_stays_out() {
    let (never, lake) = (lake_with(false).await, lake_with(true).await);
    assert!(found(&lake).await.len() > 6, "{:?}", found(&lake).await);
    assert_eq!(withdraw_third(&lake).await, 5);
    assert_eq!(found(&lake).await, [""; 0]);
    let tables = |lake: &Lake| {
        let mut tables = lake.lake.snapshot();
        tables.retain(|key, _| {
            let data = key.starts_with("silver/") && !key.starts_with(keys::SILVER_COMMITS) || key.starts_with("gold/");
            data && key.ends_with(".parquet")
        });
        tables
    };
    let (is, should) = (tables(&lake), tables(&never));
    assert_eq!(is.keys().collect::<Vec<_>>(), should.keys().collect::<Vec<_>>());
    assert!(should.keys().any(|key| key.starts_with("silver/fact_registry/")));
    for (key, bytes) in &should {
        let table = TABLES.iter().copied().find(|table| key.starts_with(&format!("{}/", table.path))).expect("a table");
        let rows = |bytes| cells::read_rows(table, bytes).expect("a file of the table");
        assert!(rows(&is[key]) == rows(bytes), "{key}");
    }
    assert_eq!(withdraw_third(&lake).await, 0, "nothing is left to withdraw");

    // The next export holds the patient once more.
    let records = [person(SECRET), person("p1"), stay("e4", SECRET), stay("e5", "p2")].concat();
    let unreadable =
        format!("{{\"resourceType\":\"Encounter\",\"id\":\"e6\",\"subject\":{{\"reference\":\"Patient/{SECRET}\n");
    lake.landing.put("patient/next.ndjson", (records + &unreadable).into(), PutMode::IfAbsent).await.expect("memory");
    lake.landing.put("registry/next.csv", registry(&[SECRET, "p2"]).into(), PutMode::IfAbsent).await.expect("memory");
    let driven = drive(&lake.worker(), &Quiet).await.expect("memory");
    let counts: Vec<_> = driven
        .landed
        .iter()
        .map(|commit| (commit.counts.records, commit.counts.accepted(), commit.counts.skipped["withdrawn patient"]))
        .collect();
    assert_eq!(counts, [(5, 2, 3), (2, 1, 1)]);
    let found = found(&lake).await;
    assert!(
        found.iter().all(|name| name.starts_with("patient/next") || name.starts_with("registry/next")),
        "{found:?}"
    );
    assert_eq!(withdraw_third(&lake).await, 4, "and may be taken out of landing too");
}

#[tokio::test]
async fn a_patients_withdrawal_from_versions_and_bronze_that_was_killed_is_completed_by_the_next() {
    let registry = lake_with(false).await.list("silver/fact_registry/").await.len();
    for crash in (1..).step_by(7) {
        let lake = lake_with(true).await;
        let faults = Arc::new(Faults::at(crash, if crash % 2 == 0 { Fault::Crash } else { Fault::CrashAfter }));
        let faulty = |store: Arc<dyn ObjectStore>| -> Arc<dyn ObjectStore> {
            Arc::new(FaultyStore::new(store, Arc::clone(&faults)))
        };
        let ports =
            Ports { landing: faulty(lake.landing.clone()), lake: faulty(lake.lake.clone()), ..lake.ports.clone() };
        let worker = Arc::new(Worker::new(ports, BUCKETS, std::num::NonZeroUsize::MIN, "killed"));
        if let Ok(plan) = PatientPlan::of(&worker, SECRET).await {
            _ = withdraw_patient(&worker, &plan, "asked to", [7; 32], &Quiet).await;
        }
        withdraw_third(&lake).await;
        assert_eq!(found(&lake).await, [""; 0], "killed at call {crash}");
        assert_eq!(lake.list("silver/fact_registry/").await.len(), registry, "killed at call {crash}");
        if faults.calls() < crash {
            assert!(crash > 60, "only {crash} calls");
            break;
        }
    }
}
