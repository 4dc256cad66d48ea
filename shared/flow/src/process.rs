//! The work of messages that are decoded: look up, claim, run, end the claim. Waiting is done side by side.
//!
//! What took over from an attempt that ended without a word (its process was killed, for memory or time) may be what kills:
//! it is run after everything else is finished, and in small groups, so that it takes few neighbours along.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use metriccare_ports::{Claim, WorkId};

use crate::{
    claims::{self, Opened},
    function::{Function, Prepared},
    report::{ItemResult, MessageResult, RetryReason},
    worker::{Worker, side_by_side},
};

/// Into how many groups work is divided that took over from an attempt which ended without a word.
const SUSPECT_GROUPS: usize = 8;

/// Work that is claimed, and the items that ask for it.
struct Ready<F: Function> {
    items: Vec<F::Item>,
    claim: Option<Claim>,
    input: F::Input,
}

/// The result of each item.
type Results<F> = BTreeMap<<F as Function>::Item, ItemResult<<F as Function>::Output>>;

/// Claims and does the work of messages that are decoded; the results stand in the messages' order.
///
/// Several messages may name one item, and several items one work: it is claimed and done once, and they share its result.
pub async fn process<F: Function>(
    function: &F,
    worker: &Arc<Worker>,
    messages: Vec<Vec<F::Item>>,
) -> Vec<MessageResult<F::Output>> {
    let items: BTreeSet<F::Item> = messages.iter().flatten().cloned().collect();
    let mut results = Results::<F>::new();
    let ready = claim_all(function, worker, items, &mut results).await;
    let (suspects, rest): (Vec<_>, Vec<_>) = ready.into_iter().partition(|work| work.takes_over());
    run_all(function, worker, rest, &mut results).await;
    for group in suspect_groups(worker, suspects) {
        run_all(function, worker, group, &mut results).await;
    }
    let result_of = |item: &F::Item| results.get(item).cloned().unwrap_or(Err(RetryReason::NoTime));
    let named = |item: &F::Item| Ok((F::name_of(item).to_owned(), result_of(item)?));
    messages.iter().map(|items| items.iter().map(named).collect()).collect()
}

/// The items that ask for one work, the work's name, and what it needs.
type Looked<F> = (Vec<<F as Function>::Item>, Option<WorkId>, <F as Function>::Input);

/// Looks items up and claims their work, each work once.
async fn claim_all<F: Function>(
    function: &F,
    worker: &Arc<Worker>,
    items: BTreeSet<F::Item>,
    results: &mut Results<F>,
) -> Vec<Ready<F>> {
    if items.is_empty() {
        return Vec::new();
    }
    let shared = match worker.until_settled(F::NAME, || function.shared(worker)).await {
        Ok(shared) => shared,
        Err(error) => {
            let error = Arc::new(error);
            let failed = |item: F::Item| {
                let key = F::name_of(&item).to_owned();
                (item, Err(RetryReason::Failed { key, error: Arc::clone(&error) }))
            };
            results.extend(items.into_iter().map(failed));
            return Vec::new();
        }
    };
    let prepared = side_by_side(worker.io_width, items.into_iter().collect(), |item: F::Item| {
        let (function, worker, shared) = (function.clone(), Arc::clone(worker), shared.clone());
        async move {
            let prepared = function.prepare(&worker, &shared, &item).await;
            (item, prepared)
        }
    });
    let mut works: Vec<Looked<F>> = Vec::new();
    let mut known: BTreeMap<WorkId, usize> = BTreeMap::new();
    for (item, prepared) in prepared.await {
        match prepared {
            Err(error) => {
                let key = F::name_of(&item).to_owned();
                results.insert(item, Err(RetryReason::Failed { key, error: error.into() }));
            }
            Ok(Prepared::Nothing(outcome)) => {
                results.insert(item, Ok(outcome));
            }
            Ok(Prepared::Work(work, input)) => match work.as_ref().and_then(|work| known.get(work)) {
                Some(at) => works[*at].0.push(item),
                None => {
                    known.extend(work.clone().map(|work| (work, works.len())));
                    works.push((vec![item], work, input));
                }
            },
        }
    }
    let opened = side_by_side(worker.io_width, works, |(items, work, input)| {
        let (function, worker) = (function.clone(), Arc::clone(worker));
        async move {
            let name = items.first().map(F::name_of).unwrap_or_default();
            let opened = claims::open(&function, &worker, name, work, input).await;
            (items, opened)
        }
    });
    let mut ready = Vec::new();
    for (items, opened) in opened.await {
        match opened {
            Ok(Opened::Claimed(claim, input)) => ready.push(Ready { items, claim, input }),
            Ok(Opened::Finished(outcome)) => share(results, items, &Ok(outcome)),
            Err(reason) => share(results, items, &Err(reason)),
        }
    }
    ready
}

/// Does claimed work together, and ends its claims.
async fn run_all<F: Function>(function: &F, worker: &Arc<Worker>, ready: Vec<Ready<F>>, results: &mut Results<F>) {
    if ready.is_empty() {
        return;
    }
    let (mut claimed, mut inputs) = (Vec::with_capacity(ready.len()), Vec::with_capacity(ready.len()));
    for Ready { items, claim, input } in ready {
        claimed.push((items, claim));
        inputs.push(input);
    }
    let done = claimed.into_iter().zip(function.run(worker, inputs).await).collect();
    let closed = side_by_side(worker.io_width, done, |((items, claim), result): ((Vec<F::Item>, _), _)| {
        let worker = Arc::clone(worker);
        async move {
            let name = items.first().map(F::name_of).unwrap_or_default();
            let closed = claims::close(&worker, name, claim, result).await;
            (items, closed)
        }
    });
    for (items, closed) in closed.await {
        share(results, items, &closed);
    }
}

fn share<I: Ord, T: Clone>(results: &mut BTreeMap<I, ItemResult<T>>, items: Vec<I>, result: &ItemResult<T>) {
    results.extend(items.into_iter().map(|item| (item, result.clone())));
}

/// Small groups, in an order that differs between invocations: what comes after the one that kills is first another time.
fn suspect_groups<F: Function>(worker: &Worker, mut suspects: Vec<Ready<F>>) -> Vec<Vec<Ready<F>>> {
    if suspects.is_empty() {
        return Vec::new();
    }
    let mut hash = DefaultHasher::new();
    worker.name.hash(&mut hash);
    let count = suspects.len();
    suspects.rotate_left(usize::try_from(hash.finish() % count as u64).unwrap_or_default());
    let size = count.div_ceil(SUSPECT_GROUPS);
    let mut groups: Vec<Vec<Ready<F>>> = Vec::new();
    for suspect in suspects {
        match groups.last_mut() {
            Some(group) if group.len() < size => group.push(suspect),
            _ => groups.push(vec![suspect]),
        }
    }
    groups
}

impl<F: Function> Ready<F> {
    /// Whether the attempt before this one ended without a word.
    fn takes_over(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.takes_over)
    }
}
