//! An invocation of a stage's function: its messages carried through the stage, each with its own fate.
//!
//! What fails, panics or has no time left stays with its message: the batch's other messages are answered as done, and
//! the queue delivers the failed ones again. An event that came bare has no queue to come again from, so its failure is
//! the invocation's.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::{
    batch::{Again, Verdict, handle},
    event::{BatchResponse, DecodeError, Invocation},
    outcome::Outcome,
    stage::Stage,
    worker::Worker,
};

/// How long before the deadline the work is given up, so that the answer still gets out.
const MARGIN: Duration = Duration::from_millis(1500);

/// Why a message has to come again.
#[derive(Debug, thiserror::Error)]
pub enum Missed {
    /// Its work says so.
    #[error(transparent)]
    Again(#[from] Again),
    /// Its work panicked; the panic hook has said where.
    #[error("the work panicked")]
    Panicked,
    /// The invocation ends before its work could.
    #[error("no time is left")]
    NoTime,
}

/// A message and what became of it.
#[derive(Debug)]
pub struct Told {
    /// What the queue calls it; none for an event that came bare.
    pub message_id: Option<String>,
    /// How often the queue has delivered it, this time included.
    pub receive_count: u32,
    /// Names the delivery; none for an event that came bare.
    pub receipt: Option<String>,
    /// The outcome of every object that it named, or why it has to come again.
    pub fate: Result<Vec<(String, Outcome)>, Missed>,
}

/// What a stage cannot be invoked with, or a bare event that failed.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The payload is no event.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// The payload is an event, and none of this stage's.
    #[error("a stage takes object events, bare or in a queue's messages, not {0}")]
    NotForStages(&'static str),
    /// The event came bare, and its work failed.
    #[error(transparent)]
    Missed(#[from] Missed),
}

/// Carries an invocation's messages through a stage, before the clock shows `deadline_millis`.
///
/// # Errors
/// Only what is no batch of messages and no object event at all.
pub async fn invoke(
    worker: &Arc<Worker>,
    stage: Stage,
    payload: Value,
    deadline_millis: i64,
) -> Result<Vec<Told>, InvokeError> {
    let told =
        |message_id, receive_count, receipt| Told { message_id, receive_count, receipt, fate: Err(Missed::NoTime) };
    let (mut messages, bodies): (Vec<Told>, Vec<String>) = match Invocation::from_value(payload.clone())? {
        Invocation::Sqs(messages) => messages
            .into_iter()
            .map(|message| (told(Some(message.message_id), message.receive_count, Some(message.receipt)), message.body))
            .unzip(),
        Invocation::Objects(_) => (vec![told(None, 1, None)], vec![payload.to_string()]),
        Invocation::Schedule { .. } => return Err(InvokeError::NotForStages("a schedule")),
        Invocation::Spec(_) => return Err(InvokeError::NotForStages("a job")),
    };
    let step = stage.at_once(bodies.len(), worker.threads);
    let mut at = 0;
    let mut slowest = Duration::ZERO;
    for bodies in bodies.chunks(step) {
        let started = worker.ports.clock.now_millis();
        let Some(left) = left(started, deadline_millis).filter(|left| *left > slowest) else { break };
        let fates = carry(worker, stage, bodies, left).await;
        for fate in fates {
            messages[at].fate = fate;
            at += 1;
        }
        let took = worker.ports.clock.now_millis() - started;
        slowest = slowest.max(Duration::from_millis(u64::try_from(took).unwrap_or_default()));
    }
    Ok(messages)
}

/// The answer to the queue: the messages that have to come again.
///
/// # Errors
/// The failure of an event that came bare.
pub fn answer(told: Vec<Told>) -> Result<BatchResponse, InvokeError> {
    let mut response = BatchResponse::default();
    for Told { message_id, fate, .. } in told {
        match (message_id, fate) {
            (_, Ok(_)) => {}
            (Some(id), Err(_)) => response.fail(id),
            (None, Err(missed)) => return Err(missed.into()),
        }
    }
    Ok(response)
}

/// The time that work may take.
fn left(now_millis: i64, deadline_millis: i64) -> Option<Duration> {
    let millis = u64::try_from(deadline_millis.saturating_sub(now_millis)).ok()?;
    Duration::from_millis(millis).checked_sub(MARGIN).filter(|left| !left.is_zero())
}

type Fate = Result<Vec<(String, Outcome)>, Missed>;

/// Carries some messages through a stage, in a task of their own; where it panics, each of them is tried by itself.
async fn carry(worker: &Arc<Worker>, stage: Stage, bodies: &[String], left: Duration) -> Vec<Fate> {
    let started = worker.ports.clock.now_millis();
    match attempt(worker, stage, bodies.to_vec(), left).await {
        Ok(verdicts) => verdicts.into_iter().map(|verdict| verdict.map_err(Missed::from)).collect(),
        Err(Missed::Panicked) if bodies.len() > 1 => {
            let mut fates = Vec::with_capacity(bodies.len());
            for body in bodies {
                let gone = u64::try_from(worker.ports.clock.now_millis() - started).unwrap_or_default();
                let left = left.saturating_sub(Duration::from_millis(gone));
                let alone = attempt(worker, stage, vec![body.clone()], left).await;
                fates.push(alone.and_then(|mut verdicts| match verdicts.pop() {
                    Some(verdict) => verdict.map_err(Missed::from),
                    None => Ok(Vec::new()),
                }));
            }
            fates
        }
        Err(Missed::Panicked) => bodies.iter().map(|_| Err(Missed::Panicked)).collect(),
        Err(_) => bodies.iter().map(|_| Err(Missed::NoTime)).collect(),
    }
}

async fn attempt(
    worker: &Arc<Worker>,
    stage: Stage,
    bodies: Vec<String>,
    left: Duration,
) -> Result<Vec<Verdict>, Missed> {
    let own = Arc::clone(worker);
    let mut task = tokio::spawn(async move { handle(&own, stage, &bodies).await });
    match tokio::time::timeout(left, &mut task).await {
        Ok(Ok(verdicts)) => Ok(verdicts),
        Ok(Err(_)) => Err(Missed::Panicked),
        Err(_) => {
            // Nothing may outlive an invocation for long: the environment is frozen after it.
            task.abort();
            worker.ended.store(true, Ordering::Relaxed);
            Err(Missed::NoTime)
        }
    }
}

#[cfg(test)]
mod tests;
