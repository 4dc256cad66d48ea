//! What must hold between processes: this test starts itself again as the other process, and so has a `main` of its own.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use metriccare_ports::{
    Begin, Clock, DiskLedger, DiskStore, Error, ErrorKind, Ledger, ObjectStore, PutMode, Receipt, Retry, SystemClock,
    WorkId,
    register::{Change, Current, update},
};

const PROCESSES: usize = 3;
const LINES: usize = 40;

/// The child gives up by itself at this many works, should nobody kill it.
const MOST_WORKS: u32 = 20_000;

/// The first arguments of the other processes.
const ADD_LINES: &str = "--as-one-that-adds-lines";
const WORK: &str = "--as-one-that-works-until-killed";

#[expect(clippy::disallowed_macros, reason = "a harness talks to a person")]
#[tokio::main]
async fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(ADD_LINES) => add_lines().await,
        Some(WORK) => work_until_killed().await,
        _ => {
            processes_share_a_register_and_only_one_is_first().await;
            println!("test processes_share_a_register_and_only_one_is_first ... ok");
            a_killed_process_leaves_whole_objects_and_a_free_ledger().await;
            println!("test a_killed_process_leaves_whole_objects_and_a_free_ledger ... ok");
        }
    }
}

/// Starts this program as another process, in a folder.
fn start(role: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .arg(role)
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .expect("started")
}

async fn text(store: &DiskStore, key: &str) -> String {
    let bytes = store.get(key).await.expect("there").body.bytes().await.expect("read");
    String::from_utf8(bytes.to_vec()).expect("text")
}

async fn processes_share_a_register_and_only_one_is_first() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let children: Vec<Child> = (0..PROCESSES).map(|_| start(ADD_LINES, folder.path())).collect();
    for mut child in children {
        assert!(child.wait().expect("ended").success());
    }
    let store = DiskStore::open("lake", folder.path()).expect("opened");
    assert_eq!(text(&store, "register").await.lines().count(), PROCESSES * LINES);
    let firsts = store.list("first/").await.expect("listed");
    assert_eq!(firsts.len(), LINES);
    let mut won = 0;
    for process in store.list("won/").await.expect("listed") {
        won += text(&store, &process.key).await.parse::<usize>().expect("a number");
    }
    assert_eq!(won, LINES);
}

async fn add_lines() {
    let store = DiskStore::open("lake", ".").expect("opened");
    let name = std::process::id();
    let mut won = 0;
    for line in 0..LINES {
        let add = |current: Option<Current>| async move {
            let mut text = current.map_or_else(Vec::new, |current| current.bytes.to_vec());
            text.extend_from_slice(format!("{name} {line}\n").as_bytes());
            Ok::<_, Error>(Change::Write(text.into()))
        };
        let retry = Retry { cap: Duration::from_millis(20), ..Retry::seeded(u64::from(name)).attempts(500) };
        update(&store, &SystemClock, "register", &retry, add).await.expect("our turn comes");
        match store.put(&format!("first/{line}"), name.to_string().into(), PutMode::IfAbsent).await {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Precondition, "{error}"),
        }
    }
    store.put(&format!("won/{name}"), won.to_string().into(), PutMode::IfAbsent).await.expect("written");
}

async fn a_killed_process_leaves_whole_objects_and_a_free_ledger() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = start(WORK, folder.path());
    let store = DiskStore::open("lake", folder.path()).expect("opened");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    while store.list("done/").await.expect("listed").len() < 300 {
        assert!(child.try_wait().expect("an answer").is_none(), "the child runs until it is killed");
        clock.sleep(Duration::from_millis(5)).await;
    }
    let held = DiskLedger::open(&folder.path().join("ledger")).expect_err("the child has it");
    assert_eq!(held.kind(), ErrorKind::Held, "{held}");
    child.kill().expect("killed");
    child.wait().expect("ended");

    let listed = store.list("").await.expect("listed");
    for line in listed.iter().filter(|line| line.key.starts_with("done/")) {
        assert_eq!(text(&store, &line.key).await, line.key.repeat(1000), "whole");
    }
    let ledger = DiskLedger::open(&folder.path().join("ledger")).expect("free and readable");
    // The beginning is known, the end may be forgotten: then the work is done again.
    let first = ledger.begin(&work(0), "parent", 0, 1).await.expect("an answer");
    assert!(matches!(first, Begin::Done(_)), "{first:?}");
}

async fn work_until_killed() {
    let store = DiskStore::open("lake", ".").expect("opened");
    let ledger = DiskLedger::open(Path::new("ledger")).expect("opened");
    for number in 0..MOST_WORKS {
        let Begin::Claimed(claim) = ledger.begin(&work(number), "child", 0, 1).await.expect("an answer") else {
            panic!("a new work")
        };
        let key = format!("done/{number}");
        store.put(&key, key.repeat(1000).into(), PutMode::Overwrite).await.expect("written");
        ledger.complete(&claim, &Receipt { output: key, ..Receipt::default() }).await.expect("completed");
    }
}

fn work(number: u32) -> WorkId {
    WorkId::new("kill", "lake", &number.to_string(), "etag", 0)
}
