//! Objects of one layer that the next one lacks: their notification was lost, or what was made of them is gone. Their stage is
//! notified of them once more.
//!
//! What was written a moment ago may still be on its way; a second notification does no harm.

use std::{num::NonZeroUsize, sync::Arc};

use metriccare_aws::{DynamoLedger, SqsQueue};
use metriccare_flow::{Upstream, Window, Worker, find_missing};
use metriccare_ports::{Clock, Ports, Queue, SystemClock, catalog::NoCatalog};

use super::pace::pause;
use crate::{
    arguments::Redrive,
    cloud::AwsSession,
    lake::location::{BucketLocation, Stack},
    output::{Output, count, failure::Failure, progress::Bars},
};

/// More objects than this are not named one by one.
const NAMED: usize = 20;

/// Messages that are sent together.
const TOGETHER: usize = 100;

/// Requests that wait for their answers at once.
const IO_WIDTH: NonZeroUsize = NonZeroUsize::new(16).expect("not zero");

/// The queue of the stage that is notified of a layer's objects.
fn stage(layer: Upstream) -> &'static str {
    match layer {
        Upstream::Landing => "bronze",
        Upstream::Bronze => "silver",
        Upstream::Silver => "gold",
    }
}

/// What the objects of a layer are, and what they lack.
fn lack(layer: Upstream) -> &'static str {
    match layer {
        Upstream::Landing => "landed objects have no bronze commit",
        Upstream::Bronze => "bronze commits are not merged into silver",
        Upstream::Silver => "silver buckets are not measured by gold",
    }
}

/// Notifies a layer's stage of every object that it has not worked on.
pub(super) async fn notify(
    arguments: &Redrive,
    layer: Upstream,
    session: &AwsSession,
    output: &mut Output,
) -> Result<(), Failure> {
    let stack = Stack {
        name: arguments.stack.clone(),
        account: session.identity.account.clone(),
        region: session.account.region().to_owned(),
    };
    let (landing, lake) = (BucketLocation::whole(stack.bucket("landing")), BucketLocation::whole(stack.bucket("lake")));
    session.check_buckets(&[&landing, &lake]).await?;
    let clients = &session.account.clients;
    let queue = SqsQueue::named(clients, &format!("{}-{}", arguments.stack, stage(layer))).await;
    let queue = queue.map_err(|error| Failure::usage(error.to_string()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ports = Ports {
        landing: session.plain(&landing),
        lake: session.plain(&lake),
        ledger: Arc::new(DynamoLedger::new(clients, stack.ledger(), 1, Arc::clone(&clock))),
        catalog: Arc::new(NoCatalog),
        clock,
    };
    // Nothing is written, so that the number of buckets does not matter.
    let mut worker = Worker::new(ports, 1, NonZeroUsize::MIN, "redrive");
    worker.io_width = IO_WIDTH;
    let worker = Arc::new(worker);
    let found = find_missing(&worker, layer, Window::ALL).await?;
    let bars = Bars::new(false);
    if !arguments.dry_run {
        bars.start("notified", found.missing.len());
        let pause = pause(arguments.per_second);
        for part in layer.notifications(&worker, &found).chunks(if pause.is_some() { 1 } else { TOGETHER }) {
            queue.send_all(part).await?;
            bars.step(part.len());
            if let Some(pause) = pause {
                SystemClock.sleep(pause).await;
            }
        }
    }
    bars.finish();
    let number = found.missing.len() as u64;
    let sent = if arguments.dry_run { "would be sent to" } else { "were sent again to" };
    output.line(format!(
        "{} of {} {} and {sent} {}",
        count(number),
        count(found.looked_at),
        lack(layer),
        stage(layer)
    ))?;
    for meta in found.missing.iter().take(NAMED) {
        output.line(format!("  {}", meta.key))?;
    }
    if found.missing.len() > NAMED {
        output.line(format!("  and {} more", count(number - NAMED as u64)))?;
    }
    output.flush()
}
