//! Ends a job that would not be done before its invocation has to end.
//!
//! The pace so far tells how long the rest takes. Work that would be killed half-done ends as soon as that can be foreseen,
//! so that there is time to give its message back; the same job writes the same keys when it is delivered again.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use metriccare_ports::Clock;

use crate::Progress;

/// How long before the deadline the objects have to have landed: the answer key, the ledger and the answer come after them.
const MARGIN_MILLIS: i64 = 5_000;

/// Watches one job.
#[derive(Debug)]
pub(super) struct Deadline {
    clock: Arc<dyn Clock>,
    limit_millis: i64,
    began_millis: AtomicI64,
    steps: AtomicUsize,
    done: AtomicUsize,
}

impl Deadline {
    /// Watches a job of an invocation that has to end when the clock shows `deadline_millis`.
    pub(super) fn new(clock: Arc<dyn Clock>, deadline_millis: i64) -> Self {
        let limit_millis = deadline_millis.saturating_sub(MARGIN_MILLIS);
        let (began_millis, steps, done) = Default::default();
        Deadline { clock, limit_millis, began_millis, steps, done }
    }
}

impl Progress for Deadline {
    fn begin(&self, steps: usize) {
        self.began_millis.store(self.clock.now_millis(), Ordering::Relaxed);
        self.steps.store(steps, Ordering::Relaxed);
    }

    fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn ends(&self) -> bool {
        let (now, done) = (self.clock.now_millis(), self.done.load(Ordering::Relaxed));
        let count = |steps: usize| i64::try_from(steps).unwrap_or(i64::MAX);
        let left = count(self.steps.load(Ordering::Relaxed).saturating_sub(done));
        let took = now.saturating_sub(self.began_millis.load(Ordering::Relaxed));
        // Before anything is done there is no pace: what fits an invocation's share is begun while there is any time.
        let rest = took.saturating_mul(left).checked_div(count(done)).unwrap_or_default();
        now.saturating_add(rest) > self.limit_millis
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metriccare_ports::ManualClock;

    use super::*;

    fn watched(deadline_millis: i64) -> (Deadline, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at_micros(0));
        let deadline = Deadline::new(clock.clone(), deadline_millis);
        deadline.begin(4);
        (deadline, clock)
    }

    #[test]
    fn a_job_ends_as_soon_as_its_pace_says_that_there_is_no_time() {
        let (deadline, clock) = watched(MARGIN_MILLIS + 4_000);
        for expected in [false, false, false, false] {
            assert_eq!(deadline.ends(), expected);
            clock.advance(Duration::from_secs(1));
            deadline.step();
        }
        let (deadline, clock) = watched(MARGIN_MILLIS + 4_000);
        assert!(!deadline.ends());
        clock.advance(Duration::from_millis(1_001));
        deadline.step();
        assert!(deadline.ends(), "four steps of a second and a bit are more than four seconds");
    }

    #[test]
    fn nothing_is_begun_without_time() {
        assert!(watched(MARGIN_MILLIS - 1).0.ends());
        assert!(!watched(i64::MAX).0.ends());
    }
}
