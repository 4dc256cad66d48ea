//! A batch of messages for one stage: each is decoded by itself, and each gets its own verdict.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    event,
    outcome::{FlowError, Outcome},
    stage::Stage,
    worker::Worker,
};

/// Why a message has to come again.
#[derive(Debug, thiserror::Error)]
pub enum Again {
    /// It is no event; it comes again until the queue gives it to the dead letters, where its payload survives.
    #[error(transparent)]
    Undecodable(#[from] event::DecodeError),
    /// Somebody else is at its work.
    #[error("another worker has it until {until_millis} ms")]
    Busy {
        /// When the other's lease ends, in milliseconds since 1970.
        until_millis: i64,
    },
    /// Its work failed.
    #[error("{key}: {error}")]
    Failed {
        /// The object that was worked on.
        key: String,
        /// What failed.
        error: Arc<FlowError>,
    },
}

/// What became of a message: the outcome of every object that it named, or why it has to come again.
pub type Verdict = Result<Vec<(String, Outcome)>, Again>;

/// Carries a batch of messages through a stage; the verdicts stand in the messages' order.
pub async fn handle(worker: &Arc<Worker>, stage: Stage, bodies: &[impl AsRef<[u8]> + Sync]) -> Vec<Verdict> {
    let bucket = stage.bucket(&worker.ports);
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(bodies.len());
    let mut asked: Vec<(usize, String)> = Vec::new();
    for (message, body) in bodies.iter().enumerate() {
        verdicts.push(match event::decode(body.as_ref()) {
            Ok(decoded) => {
                let mut elsewhere = Vec::new();
                for object in decoded.objects {
                    let key = object.key.as_str().to_owned();
                    if object.bucket == bucket {
                        asked.push((message, key));
                    } else {
                        elsewhere.push((key, Outcome::Ignored("another bucket's object")));
                    }
                }
                Ok(elsewhere)
            }
            Err(error) => Err(error.into()),
        });
    }
    // Several messages may name one object: its work is claimed and done once, and they all share what becomes of it.
    let mut keys: Vec<String> = asked.iter().map(|(_, key)| key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let results = stage.carry(worker, keys.clone()).await.into_iter().map(|result| result.map_err(Arc::new));
    let results: BTreeMap<String, Result<Outcome, Arc<FlowError>>> = keys.into_iter().zip(results).collect();
    for (message, key) in asked {
        let verdict = &mut verdicts[message];
        match results.get(&key) {
            Some(Ok(Outcome::Busy { until_millis })) => *verdict = Err(Again::Busy { until_millis: *until_millis }),
            Some(Ok(outcome)) => {
                if let Ok(outcomes) = verdict {
                    outcomes.push((key, outcome.clone()));
                }
            }
            Some(Err(error)) => *verdict = Err(Again::Failed { key, error: Arc::clone(error) }),
            None => {}
        }
    }
    verdicts
}
