//! Lakes in memory that withdrawals are tested on.

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

use bytes::Bytes;
use metriccare_ports::{ManualClock, Ports, PutMode};

use crate::{
    drive::{Unwatched, drive},
    worker::Worker,
};

/// When everything lands.
pub(super) const TIME: i64 = 1_764_000_000_000_000;

/// A lake in which these objects landed and went through all stages.
pub(super) async fn lake_of(objects: impl IntoIterator<Item = (&str, String)>, clock: ManualClock) -> Ports {
    let ports = Ports::memory(Arc::new(clock));
    for (key, text) in objects {
        ports.landing.put_stamped(key, text.into_bytes().into(), PutMode::IfAbsent, TIME).await.expect("memory");
    }
    let driven = drive(&worker(&ports), &Unwatched).await.expect("memory");
    assert!(driven.failed.is_empty(), "{:?}", driven.failed);
    ports
}

pub(super) fn worker(ports: &Ports) -> Arc<Worker> {
    Arc::new(Worker::new(ports.clone(), 4, NonZeroUsize::MIN, "test"))
}

/// Everything in both buckets.
pub(super) async fn everything(ports: &Ports) -> BTreeMap<String, Bytes> {
    let mut objects = BTreeMap::new();
    for store in [&ports.landing, &ports.lake] {
        for listed in store.list("").await.expect("memory") {
            let bytes = store.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
            objects.insert(listed.key, bytes);
        }
    }
    objects
}
