//! Bounded retries with jitter: how often, and how long in between.
//!
//! The waits are drawn evenly from 0 to a ceiling that doubles ("full jitter"), so writers that collided once do
//! not collide again in step. The draw is seeded: a test repeats it, and a process seeds it with what makes it unique.

use std::time::Duration;

/// How often to try, and how long to wait between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many tries there are in all, at least one.
    pub attempts: u32,
    /// The first wait is at most this long; every later ceiling is twice the one before.
    pub base: Duration,
    /// No wait is longer than this.
    pub cap: Duration,
    /// What the jitter is drawn from.
    pub seed: u64,
}

impl Retry {
    /// Twelve tries, ten milliseconds to two seconds apart: a dozen writers on one object all get through.
    pub fn seeded(seed: u64) -> Self {
        Self { attempts: 12, base: Duration::from_millis(10), cap: Duration::from_secs(2), seed }
    }

    /// The same with another number of tries.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The waits between the tries, one fewer than tries.
    ///
    /// ```
    /// use metriccare_ports::Retry;
    ///
    /// let waits: Vec<_> = Retry::seeded(7).attempts(3).waits().collect();
    /// assert_eq!(waits.len(), 2);
    /// assert_eq!(waits, Retry::seeded(7).attempts(3).waits().collect::<Vec<_>>());
    /// ```
    pub fn waits(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let Self { attempts, base, cap, seed } = *self;
        let mut jitter = Jitter::new(seed);
        (0..attempts.saturating_sub(1)).map(move |turn| {
            let ceiling = base.saturating_mul(1_u32 << turn.min(16)).min(cap);
            let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(jitter.draw(micros.saturating_add(1)))
        })
    }
}

/// A small stream of even random numbers (SplitMix64), the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Jitter {
    state: u64,
}

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An even draw from `0..bound`; 0 for a bound of 0.
    pub(crate) fn draw(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^= word >> 31;
        // The high half of the product is even enough for waits and shuffles, and needs no loop.
        ((u128::from(word) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_their_ceiling_and_differ_between_seeds() {
        let retry = Retry { attempts: 9, base: Duration::from_millis(10), cap: Duration::from_millis(100), seed: 1 };
        for (turn, wait) in retry.waits().enumerate() {
            assert!(wait <= Duration::from_millis(10 << turn).min(retry.cap));
        }
        let other = Retry { seed: 2, ..retry };
        assert_ne!(retry.waits().collect::<Vec<_>>(), other.waits().collect::<Vec<_>>());
        assert_eq!(retry.attempts(1).waits().count(), 0);
    }

    #[test]
    fn draws_are_even_enough() {
        let mut jitter = Jitter::new(42);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(jitter.draw(10)).expect("below ten")] += 1;
        }
        assert!(seen.iter().all(|count| (900..1100).contains(count)), "{seen:?}");
        assert_eq!(jitter.draw(0), 0);
    }
}
