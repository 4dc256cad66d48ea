//! How much a line of a claim differs from its usual amount, and how late it is filed, by quantile.
//!
//! A million lines would be two million logarithms and a million exponentials; a world makes the quantiles once, and a
//! line looks them up.

use crate::life::normal_quantile;

/// Bits of a draw that choose an amount's quantile.
const AMOUNT_BITS: u32 = 9;
/// Bits of a draw that choose a delay's quantile.
const DELAY_BITS: u32 = 8;
/// The mean delay between a service and its claim, in days, after the first two.
const MEAN_DELAY: f64 = 9.0;
/// The longest delay.
const LONGEST_DELAY: f64 = 80.0;

/// How far amounts of a kind lie apart: the standard deviation of their logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// 0.1.
    Least,
    /// 0.15.
    Less,
    /// 0.2.
    Little,
    /// 0.35.
    Usual,
    /// 0.4.
    More,
    /// 0.5.
    Much,
    /// 0.6.
    Most,
}

const SPREADS: [f64; 7] = [0.1, 0.15, 0.2, 0.35, 0.4, 0.5, 0.6];

/// The quantiles of a world's claims.
#[derive(Clone, Debug)]
pub(crate) struct Quantiles {
    /// By spread: log-normal factors with the mean 1.
    amounts: Vec<f64>,
    /// Days.
    delays: Vec<i32>,
}

impl Quantiles {
    pub(crate) fn new() -> Quantiles {
        let middle = |at: u32, bits: u32| (f64::from(at) + 0.5) / f64::from(1 << bits);
        let factor =
            |spread: f64, at: u32| libm::exp(spread * normal_quantile(middle(at, AMOUNT_BITS)) - spread * spread / 2.0);
        let amounts = SPREADS.iter().flat_map(|&spread| (0..1 << AMOUNT_BITS).map(move |at| factor(spread, at)));
        let delay = |at: u32| (-MEAN_DELAY * libm::log(1.0 - middle(at, DELAY_BITS))).min(LONGEST_DELAY) as i32;
        Quantiles { amounts: amounts.collect(), delays: (0..1 << DELAY_BITS).map(delay).collect() }
    }

    /// The factor and the days that a draw chooses.
    pub(super) fn of(&self, spread: Spread, draw: u32) -> (f64, i32) {
        let amount = (draw & ((1 << AMOUNT_BITS) - 1)) as usize;
        let delay = (draw >> AMOUNT_BITS) & ((1 << DELAY_BITS) - 1);
        (self.amounts[((spread as usize) << AMOUNT_BITS) | amount], self.delays[delay as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_the_mean_one_and_delays_theirs() {
        let quantiles = Quantiles::new();
        for at in 0..SPREADS.len() {
            let factors = &quantiles.amounts[at << AMOUNT_BITS..(at + 1) << AMOUNT_BITS];
            let mean = factors.iter().sum::<f64>() / factors.len() as f64;
            assert!((mean - 1.0).abs() < 0.01, "{at}: {mean}");
        }
        let mean = f64::from(quantiles.delays.iter().sum::<i32>()) / quantiles.delays.len() as f64;
        assert!((8.0..9.0).contains(&mean), "{mean}");
    }
}
