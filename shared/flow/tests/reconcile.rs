//! Whatever was lost between two layers is found, and notified of once more it is done; where nothing is lost, nothing is found.

mod lake;

use std::{sync::Arc, time::Duration};

use lake::{Lake, is_done};
use metriccare_flow::{
    Bronze, Function, Gold, Outcome, Silver, Upstream, Window,
    event::{ObjectEvent, decode},
    find_missing,
};
use metriccare_lake::keys;
use metriccare_ports::MemoryLedger;

/// Finds what is missing, notifies the layer's stage, and returns how many objects that were.
async fn redrive(lake: &Lake, layer: Upstream) -> usize {
    let worker = lake.worker();
    let found = find_missing(&worker, layer, Window::ALL).await.expect("memory");
    let events: Vec<ObjectEvent> = layer
        .notifications(&worker, &found)
        .iter()
        .flat_map(|body| decode(body.as_bytes()).expect("a notification"))
        .collect();
    assert_eq!(events.len(), found.missing.len());
    match layer {
        Upstream::Landing => assert!(lake.process(Bronze, events).await.iter().all(is_done)),
        Upstream::Bronze => assert!(lake.process(Silver, events).await.iter().all(is_done)),
        Upstream::Silver => assert!(lake.process(Gold, events).await.iter().all(is_done)),
    }
    found.missing.len()
}

async fn redrive_all(lake: &Lake) -> [usize; 3] {
    [
        redrive(lake, Upstream::Landing).await,
        redrive(lake, Upstream::Bronze).await,
        redrive(lake, Upstream::Silver).await,
    ]
}

#[tokio::test]
async fn what_is_lost_at_any_layer_is_found_and_done() {
    let lake = Lake::new();
    for number in 0..12 {
        lake.land(&format!("p{number}"), "female").await;
    }
    // Nobody was ever notified of anything.
    assert_eq!(redrive_all(&lake).await, [12, 12, 4]);
    let gold = lake.list("gold/").await;
    assert!(gold.len() > 4 + 4);
    assert_eq!(redrive_all(&lake).await, [0, 0, 0], "nothing is wrong any more");

    // A second version of an object, of which nobody was notified either.
    lake.land("p3", "male").await;
    assert_eq!(redrive_all(&lake).await, [1, 1, 1]);
    assert_eq!(redrive_all(&lake).await, [0, 0, 0]);

    // Outputs that were removed, although the ledger has their work as done.
    let before = lake.lake.snapshot();
    let commit = lake.list(keys::BRONZE_COMMITS).await.remove(5).key;
    assert!(lake.lake.remove(&commit));
    assert_eq!(redrive(&lake, Upstream::Landing).await, 1);
    redrive(&lake, Upstream::Bronze).await;
    for removed in ["gold/_partials/", "gold/summary/", "gold/"] {
        for listed in lake.list(removed).await {
            assert!(lake.lake.remove(&listed.key));
        }
        assert!(redrive(&lake, Upstream::Silver).await > 0, "{removed}");
        assert_eq!(redrive(&lake, Upstream::Silver).await, 0, "{removed}");
    }
    for listed in lake.list("silver/").await {
        assert!(lake.lake.remove(&listed.key));
    }
    assert_eq!(redrive(&lake, Upstream::Bronze).await, 13, "with silver gone, all of bronze is merged again");
    redrive(&lake, Upstream::Silver).await;
    let after = lake.lake.snapshot();
    for (key, bytes) in
        before.iter().filter(|(key, _)| key.starts_with("silver/patient") || key.starts_with("gold/stay"))
    {
        assert_eq!(after.get(key), Some(bytes), "{key}");
    }
}

#[tokio::test]
async fn what_is_on_its_way_or_older_than_the_window_is_left_alone() {
    let lake = Lake::new();
    lake.land("old", "female").await;
    lake.clock.advance(Duration::from_secs(3600));
    let from_micros = lake.ports.clock.now_micros();
    lake.land("lost", "female").await;
    lake.clock.advance(Duration::from_secs(3600));
    let until_micros = lake.ports.clock.now_micros();
    lake.land("on-its-way", "female").await;
    let window = Window { from_micros, until_micros };
    let found = find_missing(&lake.worker(), Upstream::Landing, window).await.expect("memory");
    assert_eq!(found.looked_at, 1);
    assert_eq!(found.missing[0].key, "patient/lost.json");
}

#[tokio::test]
async fn a_lost_ledger_costs_work_and_changes_nothing() {
    let mut lake = Lake::new();
    for number in 0..4 {
        lake.land(&format!("p{number}"), "female").await;
    }
    redrive_all(&lake).await;
    let before = lake.lake.snapshot();
    lake.ports.ledger = Arc::new(MemoryLedger::default());
    assert_eq!(redrive_all(&lake).await, [0, 4, 0], "only the ledger says which commits silver has merged");
    let tables = |key: &&String| key.starts_with("silver/patient") || key.starts_with("gold/");
    let after = lake.lake.snapshot();
    assert!(before.keys().filter(tables).all(|key| before.get(key) == after.get(key)));
    let outcome = lake.process(Silver, lake.events(keys::BRONZE_COMMITS).await).await;
    assert!(matches!(outcome[0].as_deref(), Ok([(_, Outcome::AlreadyDone(_))])), "{}", Silver::NAME);
}
