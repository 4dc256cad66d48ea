//! Parallel production, sequential output: parts are made by all threads and delivered in their order.
//!
//! A single file for a whole population has to begin with its first patient, whichever thread is fastest. Each thread makes
//! a part in its own buffers and waits until the parts before it are delivered, so memory is one part a thread, and the
//! bytes do not depend on the number of threads.

use std::{
    num::NonZeroUsize,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::output::failure::Failure;

/// Which part is delivered next.
struct Sequence<H> {
    next: usize,
    ended: bool,
    deliver: H,
}

/// Makes parts `0..parts` with one maker a thread, delivers them in order, and returns the makers.
///
/// The first failure ends the work and is the result.
pub(crate) fn in_order<M: Send>(
    parts: usize,
    threads: NonZeroUsize,
    maker: impl Fn() -> M + Sync,
    make: impl Fn(&mut M, usize) -> Result<(), Failure> + Sync,
    deliver: impl FnMut(&mut M) -> Result<(), Failure> + Send,
) -> Result<Vec<M>, Failure> {
    let claimed = AtomicUsize::new(0);
    let sequence = Mutex::new(Sequence { next: 0, ended: false, deliver });
    let moved = Condvar::new();
    let work = || -> Result<M, Failure> {
        let mut guard = EndOnExit { sequence: &sequence, moved: &moved, early: true };
        let mut maker = maker();
        loop {
            let part = claimed.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                guard.early = false;
                return Ok(maker);
            }
            make(&mut maker, part)?;
            let mut current = moved
                .wait_while(lock(&sequence), |sequence| sequence.next != part && !sequence.ended)
                .unwrap_or_else(PoisonError::into_inner);
            if current.ended {
                return Ok(maker);
            }
            (current.deliver)(&mut maker)?;
            current.next += 1;
            moved.notify_all();
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.get().min(parts)).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|thread| match thread.join() {
            Ok(made) => made,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect()
    })
}

/// Ends the work when a thread fails or panics, so that no other thread waits for its part.
struct EndOnExit<'a, H> {
    sequence: &'a Mutex<Sequence<H>>,
    moved: &'a Condvar,
    early: bool,
}

impl<H> Drop for EndOnExit<'_, H> {
    fn drop(&mut self) {
        if self.early {
            lock(self.sequence).ended = true;
            self.moved.notify_all();
        }
    }
}

fn lock<H>(sequence: &Mutex<Sequence<H>>) -> MutexGuard<'_, Sequence<H>> {
    sequence.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

    #[test]
    fn parts_are_delivered_in_order() {
        let mut delivered = Vec::new();
        let make = |part: &mut usize, at: usize| {
            // Later parts are quicker.
            std::thread::sleep(std::time::Duration::from_millis(if at.is_multiple_of(3) { 3 } else { 0 }));
            *part = at;
            Ok(())
        };
        let deliver = |part: &mut usize| {
            delivered.push(*part);
            Ok(())
        };
        let makers = in_order(40, THREE, || 0, make, deliver).expect("nothing fails");
        assert_eq!(makers.len(), 3);
        assert!(delivered.into_iter().eq(0..40));
    }

    #[test]
    fn a_failure_ends_the_work_of_all_threads() {
        let make = |_: &mut (), at: usize| if at == 5 { Err(Failure::failed("full")) } else { Ok(()) };
        let mut delivered = 0;
        let deliver = |_: &mut ()| {
            delivered += 1;
            Ok(())
        };
        let ended = in_order(1_000, THREE, || (), make, deliver);
        assert!(matches!(ended, Err(Failure::Failed(why)) if why == "full"));
        assert_eq!(delivered, 5);
    }
}
