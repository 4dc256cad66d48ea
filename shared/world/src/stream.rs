//! Random streams: value-stable, one per (seed, year, subject, purpose).
//!
//! A stream depends on nothing but its key, so that patient i is the same whatever was drawn for patient i − 1, and a
//! new draw for one purpose never shifts another's. ChaCha8 gives the same values on every machine and in every
//! version; logarithms and the like come from `libm` for the same reason.

use metriccare_fhir::calendar::SECOND;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Purpose {
    Directory = 1,
    Person = 2,
    Chronic = 5,
    Stays = 3,
    Visits = 4,
    Claims = 6,
    Corrections = 7,
    Delivery = 8,
    DirtyLife = 9,
    DirtyRecord = 10,
    DirtyIdentity = 11,
}

/// A stream of random values.
pub(crate) struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// Opens the stream of a subject (a patient's index, say) for a purpose.
    pub(crate) fn new(seed: u64, year: i32, subject: u64, purpose: Purpose) -> Stream {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&subject.to_le_bytes());
        key[16..20].copy_from_slice(&year.to_le_bytes());
        key[20..24].copy_from_slice(&(purpose as u32).to_le_bytes());
        key[24..].copy_from_slice(b"mtrcare1");
        Stream { rng: ChaCha8Rng::from_seed(key) }
    }

    /// A uniform value in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) * (1.0 / 4_294_967_296.0)
    }

    /// Thirty-two random bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A uniform whole number below `n`, which is at least 1.
    pub(crate) fn index(&mut self, n: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// A uniform time, in microseconds and to the second, from `low` up to but not including `high`; `low` where there
    /// is none. Both are whole seconds.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low { low } else { low + (self.unit() * ((high - low) / SECOND) as f64) as i64 * SECOND }
    }

    /// A standard normal value.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// An exponential value with the given mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A Poisson count with the given mean, which is small.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        let mut term = libm::exp(-mean);
        let (mut below, mut count, u) = (term, 0, self.unit());
        while u >= below && count < 200 {
            count += 1;
            term *= mean / f64::from(count);
            below += term;
        }
        count
    }

    /// An index of `weights`, picked in proportion; the last one where rounding leaves none.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().sum();
        let mut left = self.unit() * total;
        let mut last = 0;
        for (i, weight) in weights.enumerate() {
            if weight > 0.0 {
                last = i;
                if left < weight {
                    return i;
                }
                left -= weight;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_stream_are_pinned() {
        let mut stream = Stream::new(42, 2025, 7, Purpose::Stays);
        let first: Vec<u32> = (0..4).map(|_| stream.index(1_000_000)).collect();
        assert_eq!(first, [714_176, 905_561, 709_591, 196_644], "every world that was ever made would be another one");
        assert_ne!(first[0], Stream::new(42, 2026, 7, Purpose::Stays).index(1_000_000));
    }

    #[test]
    fn counts_and_normals_have_their_means() {
        let mut stream = Stream::new(1, 2025, 0, Purpose::Visits);
        let counts: u32 = (0..20_000).map(|_| stream.poisson(2.5)).sum();
        assert!((f64::from(counts) / 20_000.0 - 2.5).abs() < 0.05);
        let sum: f64 = (0..20_000).map(|_| stream.normal()).sum();
        assert!((sum / 20_000.0).abs() < 0.03);
    }
}
