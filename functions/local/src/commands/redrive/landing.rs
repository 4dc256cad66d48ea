//! Landed objects that have no commit of bronze: their notification was lost, and bronze is told of them again.
//!
//! What landed a moment ago may still be on its way; being told twice does no harm.

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

/// More objects than this are not named one by one.
const NAMED: usize = 20;

/// Messages that are sent together.
const TOGETHER: usize = 100;

/// Tells bronze of every landed object that it has not carried.
pub(super) async fn tell(arguments: &Redrive, session: &AwsSession, output: &mut Output) -> Result<(), Failure> {
    let stack = Stack {
        name: arguments.stack.clone(),
        account: session.identity.account.clone(),
        region: session.account.region().to_owned(),
    };
    let (landing, lake) = (BucketLocation::whole(stack.bucket("landing")), BucketLocation::whole(stack.bucket("lake")));
    session.look_at(&[&landing, &lake]).await?;
    let queue = SqsQueue::named(&session.account.clients, &format!("{}-bronze", arguments.stack)).await;
    let queue = queue.map_err(|error| Failure::usage(error.to_string()))?;

    let (landing, lake) = (session.plain(&landing), session.plain(&lake));
    let carried = lake.list(keys::BRONZE_COMMITS).await?;
    let carried: BTreeSet<String> = carried.into_iter().map(|listed| listed.key).collect();
    let (mut landed, mut unheard) = (0, Vec::new());
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
        if !carried.contains(&keys::bronze_commit(&meta.object_id())) {
            unheard.push(meta);
        }
    }
    if !arguments.dry_run {
        bars.start("told of", unheard.len());
        let pause = pause(arguments.per_second);
        for part in unheard.chunks(if pause.is_some() { 1 } else { TOGETHER }) {
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
    let number = unheard.len() as u64;
    let told = if arguments.dry_run { "would be told of" } else { "are told of again" };
    output.line(format!(
        "{} of {} landed objects have no commit of bronze and {told}",
        count(number),
        count(landed)
    ))?;
    for meta in unheard.iter().take(NAMED) {
        output.line(format!("  {}", meta.key))?;
    }
    if unheard.len() > NAMED {
        output.line(format!("  and {} more", count(number - NAMED as u64)))?;
    }
    output.flush()
}
