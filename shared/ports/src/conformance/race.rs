//! What must hold when many do the same at once.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{
    Begin, Clock, Error, ErrorKind, Ledger, ObjectStore, PutMode, Receipt, Retry, WorkId,
    register::{Change, Current, update},
};

/// Of many who put the same key if it is absent, exactly one writes, and what it wrote stays.
pub async fn one_of_many_is_first(store: Arc<dyn ObjectStore>, scope: &str, writers: usize) {
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let (store, key) = (Arc::clone(&store), format!("{scope}/first/object"));
        tasks.spawn(async move {
            let text = format!("writer {writer}");
            loop {
                match store.put(&key, text.clone().into(), PutMode::IfAbsent).await {
                    Ok(_) => return Some(text),
                    Err(error) if error.kind() == ErrorKind::Precondition => return None,
                    // 409: two writes met and neither was judged.
                    Err(error) => assert!(error.retryable(), "{error}"),
                }
            }
        });
    }
    let winners: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let object = store.get(&format!("{scope}/first/object")).await.expect("get");
    assert_eq!(object.body.bytes().await.expect("body"), winners[0]);
}

/// Many writers add to one counter by compare-and-swap, and not one addition is lost.
pub async fn every_addition_counts(
    store: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    scope: &str,
    writers: u64,
    additions: u64,
) {
    let key = format!("{scope}/race/counter");
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let (store, clock, key) = (Arc::clone(&store), Arc::clone(&clock), key.clone());
        tasks.spawn(async move {
            for addition in 0..additions {
                let retry = Retry::seeded(writer * additions + addition).attempts(200);
                let add = |current: Option<Current>| async move {
                    let count = current.map_or(0, |current| count(&current.bytes));
                    Ok::<_, Error>(Change::Write((count + 1).to_string().into()))
                };
                let updated = update(&*store, &*clock, &key, &retry, add).await.expect("in the end it is our turn");
                assert!(updated.written);
            }
        });
    }
    tasks.join_all().await;
    let object = store.get(&key).await.expect("get");
    assert_eq!(count(&object.body.bytes().await.expect("body")), writers * additions);
}

fn count(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).expect("the counter is a number")
}

/// Of many who claim a work at once exactly one has it, and so at every attempt after a lapse.
pub async fn one_of_many_has_the_work(ledger: Arc<dyn Ledger>, scope: &str, claimants: usize) {
    let work = WorkId::new("race", scope, "object", "etag", 0);
    for attempt in 1..=3_u32 {
        let now = i64::from(attempt) * 1000;
        let mut tasks = JoinSet::new();
        for claimant in 0..claimants {
            let (ledger, work) = (Arc::clone(&ledger), work.clone());
            tasks.spawn(async move {
                let owner = format!("claimant {claimant} at {now}");
                ledger.begin(&work, &owner, now, now + 1000).await.expect("an answer")
            });
        }
        let mut claims = Vec::new();
        for answer in tasks.join_all().await {
            match answer {
                Begin::Claimed(claim) => claims.push(claim),
                busy => assert_eq!(busy, Begin::Busy { until_millis: now + 1000 }),
            }
        }
        assert_eq!(claims.len(), 1, "{claims:?}");
        assert_eq!(claims[0].attempt, attempt);
    }
}

/// Of many who end the same attempt differently, one is heard; everybody then finds what it said.
pub async fn one_end_is_heard(ledger: Arc<dyn Ledger>, scope: &str, times: u64) {
    let work = WorkId::new("end", scope, "object", "etag", 0);
    let Begin::Claimed(claim) = ledger.begin(&work, "owner", 0, 1000).await.expect("an answer") else {
        panic!("a new work is claimed")
    };
    let mut tasks = JoinSet::new();
    for rows in 0..times {
        let (ledger, claim) = (Arc::clone(&ledger), claim.clone());
        tasks.spawn(async move {
            let receipt = Receipt { output: "out".into(), digest: "digest".into(), rows };
            match ledger.complete(&claim, &receipt).await {
                Ok(()) => Some(receipt),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::LeaseLost, "{error}");
                    None
                }
            }
        });
    }
    let heard: Vec<Receipt> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let answer = ledger.begin(&work, "later", 5000, 6000).await.expect("an answer");
    assert_eq!(answer, Begin::Done(heard[0].clone()));
}

/// Of many objects that bring the same content at once, all hear the same name, and it is one of theirs.
pub async fn one_object_was_first(ledger: Arc<dyn Ledger>, scope: &str, objects: usize) {
    let content = format!("{scope}-content");
    let mut tasks = JoinSet::new();
    for object in 0..objects {
        let (ledger, content) = (Arc::clone(&ledger), content.clone());
        tasks.spawn(async move { ledger.first_holder(&content, &format!("object-{object}")).await.expect("a name") });
    }
    let names = tasks.join_all().await;
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert!(names[0].starts_with("object-"));
    assert_eq!(ledger.first_holder(&content, "too late").await.expect("a name"), names[0]);
}
