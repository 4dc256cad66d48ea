//! Parts made by all threads at once, handed over one after the other in their order.
//!
//! A file that is one for a whole population has to begin with its first patient, whichever thread is quickest. Each
//! thread makes a part in its own buffers and waits for its turn to hand it over, so memory is one part a thread, and
//! bytes do not depend on the threads.

use std::{
    num::NonZeroUsize,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::output::failure::Failure;

/// Whose turn it is.
struct Turn<H> {
    next: usize,
    ended: bool,
    hand: H,
}

/// Makes parts `0..parts` with a maker a thread, hands each over in order, and gives the makers back.
///
/// The first failure ends the work and is the result.
pub(crate) fn in_order<M: Send>(
    parts: usize,
    threads: NonZeroUsize,
    maker: impl Fn() -> M + Sync,
    make: impl Fn(&mut M, usize) -> Result<(), Failure> + Sync,
    hand: impl FnMut(&mut M) -> Result<(), Failure> + Send,
) -> Result<Vec<M>, Failure> {
    let claimed = AtomicUsize::new(0);
    let turn = Mutex::new(Turn { next: 0, ended: false, hand });
    let moved = Condvar::new();
    let work = || -> Result<M, Failure> {
        let mut leaving = Leaving { turn: &turn, moved: &moved, early: true };
        let mut maker = maker();
        loop {
            let part = claimed.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                leaving.early = false;
                return Ok(maker);
            }
            make(&mut maker, part)?;
            let mut mine = moved
                .wait_while(lock(&turn), |turn| turn.next != part && !turn.ended)
                .unwrap_or_else(PoisonError::into_inner);
            if mine.ended {
                return Ok(maker);
            }
            (mine.hand)(&mut maker)?;
            mine.next += 1;
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

/// A thread that leaves early, failed or panicking, ends the work: nobody may wait for its turn.
struct Leaving<'a, H> {
    turn: &'a Mutex<Turn<H>>,
    moved: &'a Condvar,
    early: bool,
}

impl<H> Drop for Leaving<'_, H> {
    fn drop(&mut self) {
        if self.early {
            lock(self.turn).ended = true;
            self.moved.notify_all();
        }
    }
}

fn lock<H>(turn: &Mutex<Turn<H>>) -> MutexGuard<'_, Turn<H>> {
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

    #[test]
    fn parts_are_handed_over_in_their_order_whichever_is_ready_first() {
        let mut handed = Vec::new();
        let make = |part: &mut usize, at: usize| {
            // Later parts are quicker.
            std::thread::sleep(std::time::Duration::from_millis(if at.is_multiple_of(3) { 3 } else { 0 }));
            *part = at;
            Ok(())
        };
        let hand = |part: &mut usize| {
            handed.push(*part);
            Ok(())
        };
        let makers = in_order(40, THREE, || 0, make, hand).expect("nothing fails");
        assert_eq!(makers.len(), 3);
        assert!(handed.into_iter().eq(0..40));
    }

    #[test]
    fn a_failure_ends_the_work_for_all() {
        let make = |_: &mut (), at: usize| if at == 5 { Err(Failure::failed("full")) } else { Ok(()) };
        let mut handed = 0;
        let hand = |_: &mut ()| {
            handed += 1;
            Ok(())
        };
        let ended = in_order(1_000, THREE, || (), make, hand);
        assert!(matches!(ended, Err(Failure::Failed(why)) if why == "full"));
        assert_eq!(handed, 5);
    }
}
