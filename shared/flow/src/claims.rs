//! Claims in the ledger around every piece of work: a lease until the invocation ends, fenced by owner and attempt.

use std::sync::{Arc, MutexGuard, PoisonError};

use metriccare_ports::{Begin, Claim, WorkId};

use crate::{
    error::FlowError,
    function::Function,
    report::{Done, ItemResult, Outcome, RetryReason},
    worker::Worker,
};

/// Work after its claim was tried.
pub(crate) enum Opened<I, T> {
    /// It is ours to do; without a claim where it needs none.
    Claimed(Option<Claim>, I),
    /// There is nothing to do.
    Finished(Outcome<T>),
}

/// Claims work on the item of this name, or finds out what it made before.
pub(crate) async fn open<F: Function>(
    function: &F,
    worker: &Worker,
    name: &str,
    work: Option<WorkId>,
    input: F::Input,
) -> Result<Opened<F::Input, F::Output>, RetryReason> {
    let failed = |error: FlowError| RetryReason::Failed { key: name.to_owned(), error: error.into() };
    let Some(work) = work else { return Ok(Opened::Claimed(None, input)) };
    match begin(worker, &work).await.map_err(failed)? {
        Begin::Claimed(claim) => {
            open_claims(worker).push(claim.clone());
            Ok(Opened::Claimed(Some(claim), input))
        }
        Begin::Busy { until_millis } => Err(RetryReason::Busy { until_millis }),
        Begin::Rejected(reason) => Ok(Opened::Finished(Outcome::Rejected(reason))),
        Begin::Done(receipt) => Ok(match function.recall(worker, &receipt).await.map_err(failed)? {
            Some(output) => Opened::Finished(Outcome::AlreadyDone(Done { receipt, output })),
            None => Opened::Claimed(None, input),
        }),
    }
}

/// Claims a work until the worker's deadline; the owner's name is that of one try.
async fn begin(worker: &Worker, work: &WorkId) -> Result<Begin, FlowError> {
    let now = worker.ports.clock.now_millis();
    let lease = i64::try_from(worker.lease.as_millis()).unwrap_or(i64::MAX);
    Ok(worker.ports.ledger.begin(work, &worker.owner(), now, now.saturating_add(lease)).await?)
}

/// Ends a claim: completes it with its receipt, or gives it back so that the next try need not wait for the lease.
pub(crate) async fn close<T>(
    worker: &Worker,
    name: &str,
    claim: Option<Claim>,
    result: Result<Done<T>, Arc<FlowError>>,
) -> ItemResult<T> {
    let failed = |error| RetryReason::Failed { key: name.to_owned(), error };
    if let Some(claim) = &claim {
        open_claims(worker).retain(|open| open != claim);
    }
    match (result, claim) {
        (Ok(done), None) => Ok(Outcome::Done(done)),
        (Ok(done), Some(claim)) => match worker.ports.ledger.complete(&claim, &done.receipt).await {
            Ok(()) => Ok(Outcome::Done(done)),
            Err(error) => Err(failed(FlowError::from(error).into())),
        },
        (Err(error), claim) => {
            if let Some(claim) = claim {
                // The claim's lease ends by itself where the ledger cannot be reached either.
                let _ = worker.ports.ledger.fail(&claim, &error.without_keys()).await;
            }
            Err(failed(error))
        }
    }
}

/// Gives back every claim whose work ended in a panic, so that each can be tried by itself.
pub(crate) async fn give_back(worker: &Worker) {
    let open = std::mem::take(&mut *open_claims(worker));
    for claim in open {
        // The claim's lease ends by itself where the ledger cannot be reached.
        let _ = worker.ports.ledger.fail(&claim, "the work panicked").await;
    }
}

fn open_claims(worker: &Worker) -> MutexGuard<'_, Vec<Claim>> {
    worker.open_claims.lock().unwrap_or_else(PoisonError::into_inner)
}
