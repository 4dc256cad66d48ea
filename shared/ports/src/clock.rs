//! Time as a port: what it is now, and waiting.
//!
//! Leases, visibility and landed times come from here and from nowhere else, as whole numbers since 1970 in UTC, so
//! that a test can stop time or move it. [`SystemClock`] is the only place that reads the machine's clock.

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;

/// What time it is, and waiting.
///
/// ```
/// use metriccare_ports::{Clock, ManualClock};
///
/// let clock = ManualClock::at_micros(1_735_689_600_000_000);
/// clock.advance(std::time::Duration::from_millis(250));
/// assert_eq!(clock.now_millis(), 1_735_689_600_250);
/// ```
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time in microseconds since 1970, UTC.
    fn now_micros(&self) -> i64;

    /// The time in milliseconds since 1970, UTC.
    fn now_millis(&self) -> i64 {
        self.now_micros().div_euclid(1000)
    }

    /// Returns when the time has passed on this clock.
    async fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now_micros(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the port that everybody else asks")]
        let now = SystemTime::now();
        micros(now)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// A clock that stands still until it is moved. A sleep on it moves it, and never waits.
#[derive(Debug, Default)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn at_micros(micros: i64) -> Self {
        Self { micros: AtomicI64::new(micros) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, time: Duration) {
        let step = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(step, Ordering::SeqCst);
    }

    /// Sets the clock, backwards too.
    pub fn set_micros(&self, micros: i64) {
        self.micros.store(micros, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now_micros(&self) -> i64 {
        self.micros.load(Ordering::SeqCst)
    }

    async fn sleep(&self, time: Duration) {
        self.advance(time);
        tokio::task::yield_now().await;
    }
}

/// A system time as microseconds since 1970, rounded down; before 1970 it is negative.
pub(crate) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => {
            let nanos = i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX);
            (-nanos).div_euclid(1000)
        }
    }
}

/// Microseconds since 1970 as a system time.
pub(crate) fn system_time(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn micros_and_system_times_are_inverse_on_both_sides_of_1970() {
        for value in [0, 1, -1, 1_735_689_600_123_456, -1_500_000] {
            assert_eq!(micros(system_time(value)), value);
        }
        assert_eq!(micros(UNIX_EPOCH - Duration::from_nanos(1)), -1);
    }

    #[tokio::test]
    async fn sleeping_on_a_manual_clock_moves_it() {
        let clock = ManualClock::at_micros(0);
        clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(clock.now_millis(), 60_000);
    }

    #[test]
    fn the_system_clock_is_past_2025() {
        assert!(SystemClock.now_millis() > 1_735_689_600_000);
    }
}
