//! Work on several threads, each with a state of its own.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// Does a piece of work for each item, on a thread for each state; the results stand in the items' order.
pub(super) fn on_threads<S: Send, T: Send, R: Send>(
    states: &mut [S],
    items: Vec<T>,
    work: impl Fn(&mut S, T) -> R + Sync,
) -> Vec<R> {
    if let ([state, ..], 0..=1) | ([state], _) = (&mut *states, items.len()) {
        return items.into_iter().map(|item| work(state, item)).collect();
    }
    let next = AtomicUsize::new(0);
    let slots: Vec<_> = items.into_iter().map(|item| (Mutex::new(Some(item)), Mutex::new(None))).collect();
    let run = |state: &mut S| {
        while let Some((item, result)) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(item) = item {
                *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(work(state, item));
            }
        }
    };
    std::thread::scope(|scope| {
        for state in states.iter_mut().take(slots.len()) {
            scope.spawn(|| run(state));
        }
    });
    let taken = |(_, result): (Mutex<Option<T>>, Mutex<Option<R>>)| {
        result
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .expect("every slot was worked on before the scope ended")
    };
    slots.into_iter().map(taken).collect()
}
