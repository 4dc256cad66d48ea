//! What a function is: how its messages decode, which work they ask for, and how that is done.

use std::{fmt::Debug, future::Future, sync::Arc};

use metriccare_ports::{Receipt, WorkId};
use serde_json::Value;

use crate::{
    error::FlowError,
    event::{BatchResponse, DecodeError, Invocation},
    report::{Delivery, Done, Outcome},
    upstream::Upstream,
    worker::Worker,
};

/// A function: a stage of the data's path, or the generator. [`serve`](crate::serve) gives it messages.
///
/// It is cheap to clone, since each batch runs in a task of its own.
pub trait Function: Clone + Send + Sync + 'static {
    /// What logs, metrics, queues and the ledger call it.
    const NAME: &'static str;

    /// The metrics that [`metrics`](Self::metrics) counts; each is reported also where it is zero.
    const METRICS: &'static [&'static str] = &[];

    /// The layer that a scheduled reconciliation searches for objects which this function was not notified of; none where it is
    /// notified of no objects.
    const UPSTREAM: Option<Upstream> = None;

    /// What a message asks for: an object, or a job.
    type Item: Clone + Ord + Send + Sync + 'static;

    /// What has to be known before the items of a batch are looked up; it is read once for all of them.
    type Shared: Clone + Default + Send + Sync + 'static;

    /// An item that is about to be worked on, with what had to be read to name its work.
    type Input: Send + 'static;

    /// What the work on an item makes, with its counts.
    type Output: Clone + Debug + Send + Sync + 'static;

    /// The items that a message or a bare event asks for.
    ///
    /// # Errors
    /// What is not an event of this function.
    fn decode(&self, event: Invocation, delivery: &Delivery) -> Result<Vec<Self::Item>, DecodeError>;

    /// What errors and logs call an item.
    fn name_of(item: &Self::Item) -> &str;

    /// Reads what the items of a batch share; nothing where it is not said how.
    fn shared(&self, _worker: &Worker) -> impl Future<Output = Result<Self::Shared, FlowError>> + Send {
        async { Ok(Self::Shared::default()) }
    }

    /// Looks an item up and names its work.
    fn prepare(
        &self,
        worker: &Worker,
        shared: &Self::Shared,
        item: &Self::Item,
    ) -> impl Future<Output = Result<Prepared<Self::Input, Self::Output>, FlowError>> + Send;

    /// What a work made that the ledger has as done; none where it has to be made again, because it was removed.
    fn recall(
        &self,
        worker: &Worker,
        receipt: &Receipt,
    ) -> impl Future<Output = Result<Option<Self::Output>, FlowError>> + Send;

    /// Does the work of claimed items together; the results stand in the inputs' order.
    fn run(
        &self,
        worker: &Arc<Worker>,
        inputs: Vec<Self::Input>,
    ) -> impl Future<Output = Vec<Result<Done<Self::Output>, Arc<FlowError>>>> + Send;

    /// How many of so many messages are best worked on together: all, where what they share is done once.
    fn batch(&self, _worker: &Worker, messages: usize) -> usize {
        messages
    }

    /// Counts what was made, by the names of [`METRICS`](Self::METRICS).
    fn metrics(_output: &Self::Output) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// The answer to a bare event that was done.
    fn reply(&self, _outcomes: &[(String, Outcome<Self::Output>)]) -> Value {
        BatchResponse::default().to_value()
    }
}

/// An item that was looked up.
#[derive(Debug)]
pub enum Prepared<I, T> {
    /// Its work has this name in the ledger; without one it is done without a claim.
    Work(Option<WorkId>, I),
    /// There is nothing to do.
    Nothing(Outcome<T>),
}
