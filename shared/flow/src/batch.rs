//! A batch of messages for one stage: each is decoded by itself, and each gets its own verdict.

use std::{num::NonZeroUsize, sync::Arc};

use crate::{
    bronze, event, gold,
    outcome::{FlowError, Outcome},
    silver,
    worker::{Worker, side_by_side},
};

/// A stage of the data's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Landed objects become bronze.
    Bronze,
    /// Bronze commits become silver.
    Silver,
    /// Silver commits become gold.
    Gold,
}

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
        error: FlowError,
    },
}

/// What became of a message: the outcome of every object that it named, or why it has to come again.
pub type Verdict = Result<Vec<(String, Outcome)>, Again>;

/// Carries a batch of messages through a stage; the verdicts stand in the messages' order.
pub async fn handle(worker: &Arc<Worker>, stage: Stage, bodies: &[impl AsRef<[u8]> + Sync]) -> Vec<Verdict> {
    let bucket = match stage {
        Stage::Bronze => worker.ports.landing.bucket(),
        Stage::Silver | Stage::Gold => worker.ports.lake.bucket(),
    };
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
    let keys: Vec<String> = asked.iter().map(|(_, key)| key.clone()).collect();
    let results = match stage {
        Stage::Bronze => bronze_side_by_side(worker, keys).await,
        Stage::Silver => silver(worker, &keys).await,
        Stage::Gold => gold(worker, &keys).await,
    };
    for ((message, key), result) in asked.into_iter().zip(results) {
        let verdict = &mut verdicts[message];
        match result {
            Ok(Outcome::Busy { until_millis }) => *verdict = Err(Again::Busy { until_millis }),
            Ok(outcome) => {
                if let Ok(outcomes) = verdict {
                    outcomes.push((key, outcome));
                }
            }
            Err(error) => *verdict = Err(Again::Failed { key, error }),
        }
    }
    verdicts
}

/// Many objects go side by side, each on one thread; few go one by one, each on all of them.
async fn bronze_side_by_side(worker: &Arc<Worker>, keys: Vec<String>) -> Vec<Result<Outcome, FlowError>> {
    let many = keys.len() >= worker.threads.get();
    let (width, threads) = if many { (worker.threads, NonZeroUsize::MIN) } else { (NonZeroUsize::MIN, worker.threads) };
    side_by_side(width, keys, |key| {
        let worker = Arc::clone(worker);
        async move { bronze(&worker, &key, threads).await }
    })
    .await
}
