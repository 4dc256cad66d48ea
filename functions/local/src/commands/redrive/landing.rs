//! Notifies bronze again of landed objects that have no bronze commit, because their notification was lost.
//!
//! What landed a moment ago may still be in the queue; a second notification does no harm.

use std::collections::BTreeSet;

use metriccare_aws::SqsQueue;
use metriccare_flow::event::notification;
use metriccare_lake::keys;
use metriccare_ports::{Clock, ObjectMeta, Queue, SystemClock};

use super::command::pause;
use crate::{
    arguments::Redrive,
    cloud::AwsSession,
    lake::location::{BucketLocation, Stack},
    output::{Output, count, failure::Failure, progress::Bars},
};

/// At most this many objects are listed.
const NAMED: usize = 20;

/// Messages that are sent together.
const TOGETHER: usize = 100;

/// Notifies bronze of every landed object without a commit.
pub(super) async fn renotify(arguments: &Redrive, session: &AwsSession, output: &mut Output) -> Result<(), Failure> {
    let stack = Stack {
        name: arguments.stack.clone(),
        account: session.identity.account.clone(),
        region: session.account.region().to_owned(),
    };
    let (landing, lake) = (BucketLocation::whole(stack.bucket("landing")), BucketLocation::whole(stack.bucket("lake")));
    session.check_buckets(&[&landing, &lake]).await?;
    let queue = SqsQueue::named(&session.account.clients, &format!("{}-bronze", arguments.stack)).await;
    let queue = queue.map_err(|error| Failure::usage(error.to_string()))?;

    let (landing, lake) = (session.plain(&landing), session.plain(&lake));
    let committed = lake.list(keys::BRONZE_COMMITS).await?;
    let committed: BTreeSet<String> = committed.into_iter().map(|listed| listed.key).collect();
    let (mut landed, mut uncommitted) = (0, Vec::new());
    let bars = Bars::new(false);
    let listed = landing.list("").await?;
    bars.start("landed", listed.len());
    for object in listed {
        bars.step(1);
        if !keys::is_data(&object.key) {
            continue;
        }
        landed += 1;
        let meta = landing.head(&object.key).await?;
        if !committed.contains(&keys::bronze_commit(&meta.object_id())) {
            uncommitted.push(meta);
        }
    }
    if !arguments.dry_run {
        bars.start("notified", uncommitted.len());
        let pause = pause(arguments.per_second);
        for part in uncommitted.chunks(if pause.is_some() { 1 } else { TOGETHER }) {
            let event = |meta: &ObjectMeta| {
                notification(landing.bucket(), &meta.key, meta.size, &meta.etag, meta.last_modified_micros)
            };
            queue.send_all(&part.iter().map(event).collect::<Vec<_>>()).await?;
            bars.step(part.len());
            if let Some(pause) = pause {
                SystemClock.sleep(pause).await;
            }
        }
    }
    bars.finish();
    let number = uncommitted.len() as u64;
    let outcome = if arguments.dry_run { "would be sent to bronze" } else { "were sent to bronze again" };
    output.line(format!(
        "{} of {} landed objects have no bronze commit and {outcome}",
        count(number),
        count(landed)
    ))?;
    for meta in uncommitted.iter().take(NAMED) {
        output.line(format!("  {}", meta.key))?;
    }
    if uncommitted.len() > NAMED {
        output.line(format!("  and {} more", count(number - NAMED as u64)))?;
    }
    output.flush()
}
