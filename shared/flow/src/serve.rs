//! The one road of a message: decode, process before the deadline, report.
//!
//! What fails, panics or has no time left stays with its message: the batch's other messages are answered as done, and
//! the queue delivers the failed ones again. A bare event has no queue that could deliver it again, so that its failure is
//! the invocation's.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::{
    claims,
    event::{BatchResponse, Invocation},
    function::Function,
    process::process,
    report::{Delivery, MessageResult, Report, RetryReason},
    worker::Worker,
};

/// How long before the deadline the work is given up, so that the answer still gets out.
const MARGIN: Duration = Duration::from_millis(1500);

/// Takes an invocation's payload through a function, before the worker's deadline; a report for each message.
pub async fn serve<F: Function>(function: &F, worker: &Arc<Worker>, payload: Value) -> Vec<Report<F::Output>> {
    let (mut reports, mut waiting) = (Vec::new(), Vec::new());
    for (delivery, items) in decode(function, payload) {
        match items {
            Ok(items) => {
                waiting.push((reports.len(), items));
                reports.push(Report { delivery, result: Err(RetryReason::NoTime) });
            }
            Err(reason) => reports.push(Report { delivery, result: Err(reason) }),
        }
    }
    let mut slowest = Duration::ZERO;
    for batch in waiting.chunks(function.batch(worker, waiting.len()).max(1)) {
        let started = worker.ports.clock.now_millis();
        let Some(left) = left(started, worker.deadline_millis).filter(|left| *left > slowest) else { break };
        let items = batch.iter().map(|(_, items)| items.clone()).collect();
        for ((at, _), result) in batch.iter().zip(isolated(function, worker, items, left).await) {
            reports[*at].result = result;
        }
        slowest = slowest.max(since(worker, started));
    }
    reports
}

/// The answer to an invocation: for a queue's batch the messages that have to be delivered again, for a bare event what
/// the function replies.
///
/// # Errors
/// The failure of a bare event.
pub fn answer<F: Function>(function: &F, reports: Vec<Report<F::Output>>) -> Result<Value, RetryReason> {
    let mut response = BatchResponse::default();
    for Report { delivery, result } in reports {
        match (delivery.message_id, result) {
            (None, Ok(outcomes)) => return Ok(function.reply(&outcomes)),
            (None, Err(reason)) => return Err(reason),
            (Some(_), Ok(_)) => {}
            (Some(id), Err(_)) => response.fail(id),
        }
    }
    Ok(response.to_value())
}

type Decoded<I> = Vec<(Delivery, Result<Vec<I>, RetryReason>)>;

/// The messages of a payload and the items that each asks for. A message that cannot be decoded fails alone.
fn decode<F: Function>(function: &F, payload: Value) -> Decoded<F::Item> {
    let bare = |reason: RetryReason| vec![(Delivery::BARE, Err(reason))];
    match Invocation::from_value(payload) {
        Ok(Invocation::Sqs(messages)) => messages
            .into_iter()
            .map(|message| {
                let delivery = message.delivery;
                let event = Invocation::from_slice(message.body.as_bytes());
                let items = event.and_then(|event| function.decode(event, &delivery));
                (delivery, items.map_err(RetryReason::from))
            })
            .collect(),
        Ok(event) => match function.decode(event, &Delivery::BARE) {
            Ok(items) => vec![(Delivery::BARE, Ok(items))],
            Err(error) => bare(error.into()),
        },
        Err(error) => bare(error.into()),
    }
}

/// The time that work may take.
fn left(now_millis: i64, deadline_millis: i64) -> Option<Duration> {
    let millis = u64::try_from(deadline_millis.saturating_sub(now_millis)).ok()?;
    Duration::from_millis(millis).checked_sub(MARGIN).filter(|left| !left.is_zero())
}

fn since(worker: &Worker, started_millis: i64) -> Duration {
    let took = worker.ports.clock.now_millis().saturating_sub(started_millis);
    Duration::from_millis(u64::try_from(took).unwrap_or_default())
}

/// Processes messages in a task of their own; where it panics, each of them is tried by itself.
async fn isolated<F: Function>(
    function: &F,
    worker: &Arc<Worker>,
    messages: Vec<Vec<F::Item>>,
    left: Duration,
) -> Vec<MessageResult<F::Output>> {
    let (count, started) = (messages.len(), worker.ports.clock.now_millis());
    match in_task(function, worker, messages.clone(), left).await {
        Ok(results) => results,
        Err(RetryReason::Panicked) if count > 1 => {
            let mut results = Vec::with_capacity(count);
            for message in messages {
                let left = left.saturating_sub(since(worker, started));
                let alone = in_task(function, worker, vec![message], left).await;
                results.push(alone.and_then(|mut results| results.pop().unwrap_or(Err(RetryReason::NoTime))));
            }
            results
        }
        Err(reason) => vec![Err(reason); count],
    }
}

async fn in_task<F: Function>(
    function: &F,
    worker: &Arc<Worker>,
    messages: Vec<Vec<F::Item>>,
    left: Duration,
) -> Result<Vec<MessageResult<F::Output>>, RetryReason> {
    let (function, own) = (function.clone(), Arc::clone(worker));
    let mut task = tokio::spawn(async move { process(&function, &own, messages).await });
    match tokio::time::timeout(left, &mut task).await {
        Ok(Ok(results)) => Ok(results),
        Ok(Err(_)) => {
            claims::give_back(worker).await;
            Err(RetryReason::Panicked)
        }
        Err(_) => {
            // Nothing may outlive an invocation for long: the environment is frozen after it.
            task.abort();
            worker.ended.store(true, Ordering::Relaxed);
            Err(RetryReason::NoTime)
        }
    }
}

#[cfg(test)]
mod tests;
