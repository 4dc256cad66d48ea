//! What an exact total or share demands of each patient.
//!
//! Without one, nothing: a patient depends on seed, year and index alone. With one, a keyed permutation gives every
//! patient a place in the population, and places decide: the cohorts are ranges of places, and a total is shared out by
//! a growing function of the place. That needs no list and no pass over the others, so shards stay independent.

use crate::cohorts::{Cohorts, Demand, Need};
use crate::ids::mix;
use crate::quantiles::normal_quantile;
use crate::spec::Spec;

/// Knows what is demanded of every patient.
#[derive(Clone, Debug)]
pub(crate) struct Population {
    cohorts: Option<Cohorts>,
    encounters: Option<u64>,
    claims: Option<u64>,
    patients: u64,
    place: Permutation,
    share: Permutation,
}

impl Population {
    pub(crate) fn new(spec: &Spec) -> Population {
        let key = mix(spec.seed ^ mix(u64::from(spec.year.unsigned_abs())));
        Population {
            cohorts: spec.is_exact().then(|| Cohorts::of(&spec.cohort_shares())),
            encounters: spec.encounters,
            claims: spec.claims,
            patients: spec.patients,
            place: Permutation::new(spec.patients, mix(key ^ 1)),
            share: Permutation::new(spec.patients, mix(key ^ 2)),
        }
    }

    /// What is demanded of patient `index`.
    pub(crate) fn demand(&self, index: u64) -> Demand {
        let Some(cohorts) = &self.cohorts else { return Demand::default() };
        let mut demand = cohorts.demand(self.place.of(index));
        if let Some(total) = self.encounters {
            let share = self.share.of(index);
            let needed = u64::from(demand.stay == Need::Must) + u64::from(demand.readmission == Need::Must);
            let free = total - cohorts.encounters_needed();
            demand.encounters = Some(needed + portion(free, share, self.patients));
            // Those with many encounters are the frail ones.
            demand.frailty = Some(normal_quantile((share as f64 + 0.5) / self.patients as f64));
        }
        demand
    }

    /// How much rarer visits are than usual, so that the stays that are demanded do not come on top of all encounters.
    pub(crate) fn visits(&self) -> f64 {
        let demanded = self.cohorts.as_ref().map_or(0, Cohorts::encounters_needed) as f64 / self.patients as f64;
        1.0 - 0.28 * (demanded - 0.28).max(0.0)
    }

    /// The exact number of claim lines of patient `index`, where a total is asked for.
    pub(crate) fn claims(&self, index: u64) -> Option<u64> {
        self.claims.map(|total| portion(total, self.share.of(index), self.patients))
    }
}

/// The portion of a total that falls to one place: small for the first, large for the last, and all of it together.
pub(crate) fn portion(total: u64, place: u64, places: u64) -> u64 {
    let up_to = |place: u64| {
        if place >= places {
            return total;
        }
        let u = place as f64 / places as f64;
        ((total as f64 * u * (0.30 + 0.70 * u * u)) as u64).min(total)
    };
    up_to(place + 1) - up_to(place)
}

/// A keyed permutation of the numbers below `n`: a Feistel network, walked until it falls among them.
#[derive(Clone, Debug)]
pub(crate) struct Permutation {
    n: u64,
    half: u32,
    key: u64,
}

impl Permutation {
    pub(crate) fn new(n: u64, key: u64) -> Permutation {
        let bits = 64 - n.saturating_sub(1).leading_zeros();
        Permutation { n, half: bits.div_ceil(2).max(1), key }
    }

    /// Where `index` comes to lie.
    pub(crate) fn of(&self, index: u64) -> u64 {
        let mask = (1u64 << self.half) - 1;
        let mut at = index;
        loop {
            let (mut left, mut right) = (at >> self.half, at & mask);
            for round in 0..4u64 {
                (left, right) = (right, left ^ (mix(right ^ self.key ^ (round << 56)) & mask));
            }
            at = (left << self.half) | right;
            if at < self.n {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_permutation_is_a_bijection(n in 1u64..2_000, key in any::<u64>()) {
            let permutation = Permutation::new(n, key);
            let mut places: Vec<u64> = (0..n).map(|index| permutation.of(index)).collect();
            places.sort_unstable();
            prop_assert!(places.into_iter().eq(0..n));
        }

        #[test]
        fn portions_add_up(total in 0u64..1_000_000, places in 1u64..2_000) {
            prop_assert_eq!((0..places).map(|place| portion(total, place, places)).sum::<u64>(), total);
        }
    }
}
