//! What an exact total or share demands of each patient.
//!
//! Without one, nothing: a patient depends on seed, year and index alone. With one, a keyed permutation gives every
//! patient a place in the population, and places decide: the cohorts are ranges of places, and a total is shared out by
//! a growing function of the place. That needs no list and no pass over the others, so shards stay independent.

use crate::ids::mix;
use crate::spec::Spec;

/// Whether something must, must not, or may happen to a patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Need {
    /// As it comes.
    #[default]
    Free,
    /// It has to.
    Must,
    /// It may not.
    Never,
}

/// What is demanded of one patient.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    /// A completed stay.
    pub(crate) stay: Need,
    /// Death in hospital.
    pub(crate) death: Need,
    /// A hospital-onset infection.
    pub(crate) infection: Need,
    /// A naive readmission.
    pub(crate) readmission: Need,
    /// The exact number of encounters.
    pub(crate) encounters: Option<u64>,
    /// The frailty, where it has to fit the number of encounters.
    pub(crate) frailty: Option<f64>,
}

/// The places that belong to each cohort.
#[derive(Clone, Debug)]
pub(crate) struct Cohorts {
    infection: Option<(u64, u64)>,
    readmission: Option<(u64, u64)>,
    mortality: Option<(u64, u64)>,
    /// The places below this one need a completed stay.
    stays: u64,
    /// Whether no other place may have one.
    only: bool,
}

impl Cohorts {
    /// Lays the cohorts out: each overlaps the one before it in part, and all lie among those with a stay.
    pub(crate) fn of(spec: &Spec) -> Cohorts {
        let within = if spec.alos_pct.is_some() { spec.count(spec.alos_pct) } else { spec.patients };
        let lay = |share: Option<f64>, from: u64| {
            let count = spec.count(share).min(within);
            let start = from.min(within - count);
            share.map(|_| (start, start + count))
        };
        let end = |range: Option<(u64, u64)>| range.map_or(0, |(_, end)| end);
        let infection = lay(spec.infection_pct, 0);
        let readmission = lay(spec.readmission_pct, end(infection) / 2);
        let reached = end(infection).max(end(readmission));
        let mortality = lay(spec.mortality_pct, reached / 4 * 3);
        let only = spec.alos_pct.is_some();
        let stays = if only { within } else { reached.max(end(mortality)) };
        Cohorts { infection, readmission, mortality, stays, only }
    }

    /// How many patients need a completed stay.
    pub(crate) fn stays(&self) -> u64 {
        self.stays
    }

    /// The fewest encounters that the cohorts can be made of: a stay each, and a second one for a readmission.
    pub(crate) fn encounters_needed(&self) -> u64 {
        self.stays + self.readmission.map_or(0, |(start, end)| end - start)
    }

    fn demand(&self, place: u64) -> Demand {
        let need = |range: Option<(u64, u64)>| match range {
            None => Need::Free,
            Some((start, end)) if (start..end).contains(&place) => Need::Must,
            Some(_) => Need::Never,
        };
        let stay = match place < self.stays {
            true => Need::Must,
            false if self.only => Need::Never,
            false => Need::Free,
        };
        Demand {
            stay,
            death: need(self.mortality),
            infection: need(self.infection),
            readmission: need(self.readmission),
            ..Demand::default()
        }
    }
}

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
            cohorts: spec.is_exact().then(|| Cohorts::of(spec)),
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

/// The value below which a share `p` of a standard normal distribution lies, to a thousandth: Abramowitz and Stegun 26.2.23.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p.min(1.0 - p);
    let t = libm::sqrt(-2.0 * libm::log(q));
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let z = t - above / below;
    if p < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_permutation_loses_and_repeats_nothing(n in 1u64..2_000, key in any::<u64>()) {
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

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.96), (0.001, -3.09)] {
            assert!((normal_quantile(p) - z).abs() < 0.002, "{p}");
        }
    }
}
