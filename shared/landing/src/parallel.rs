//! Ranges of patients, worked through on all threads until one of them fails or the time is over.

use std::{
    num::NonZeroUsize,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{Failure, Progress};

/// Works through the ranges on so many threads, each with a state of its own, and returns the states.
pub(crate) fn in_parallel<S: Send>(
    ranges: &[Range<u64>],
    threads: NonZeroUsize,
    progress: &dyn Progress,
    new: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, Range<u64>) -> Result<(), Failure> + Sync,
) -> Result<Vec<S>, Failure> {
    progress.begin(ranges.len());
    let next = AtomicUsize::new(0);
    let result = Mutex::new((Vec::new(), None::<Failure>));
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(ranges.len()) {
            scope.spawn(|| {
                let mut state = new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(range) = ranges.get(at) else { break };
                    let worked = if progress.ends() {
                        Err(Failure::Ended { done: at, of: ranges.len() })
                    } else {
                        work(&mut state, range.clone())
                    };
                    if let Err(failure) = worked {
                        result.lock().unwrap_or_else(PoisonError::into_inner).1.get_or_insert(failure);
                        next.store(ranges.len(), Ordering::Relaxed);
                    }
                    progress.step();
                }
                result.lock().unwrap_or_else(PoisonError::into_inner).0.push(state);
            });
        }
    });
    match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
        (_, Some(failure)) => Err(failure),
        (states, None) => Ok(states),
    }
}
