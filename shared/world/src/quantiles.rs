//! How much a line of a claim differs from its usual amount, and how late it is filed, by quantile.
//!
//! A million lines would be two million logarithms and a million exponentials; a world makes the quantiles once, and a
//! line looks them up.

/// Bits of a draw that choose an amount's quantile.
const AMOUNT_BITS: u32 = 9;
/// Bits of a draw that choose a delay's quantile.
const DELAY_BITS: u32 = 8;
/// The mean delay between a service and its claim, in days, after the first two.
const MEAN_DELAY: f64 = 9.0;
/// The longest delay.
const LONGEST_DELAY: f64 = 80.0;

/// The standard deviations that [`Quantiles::of`] knows: how far the logarithms of amounts of a kind lie apart.
const SIGMAS: [f64; 7] = [0.1, 0.15, 0.2, 0.35, 0.4, 0.5, 0.6];

/// The quantiles of a world's claims.
#[derive(Clone, Debug)]
pub(crate) struct Quantiles {
    /// By deviation: log-normal factors with the mean 1.
    amounts: Vec<f64>,
    /// Days.
    delays: Vec<i32>,
}

impl Quantiles {
    pub(crate) fn new() -> Quantiles {
        let middle = |at: u32, bits: u32| (f64::from(at) + 0.5) / f64::from(1 << bits);
        let factor =
            |sigma: f64, at: u32| libm::exp(sigma * normal_quantile(middle(at, AMOUNT_BITS)) - sigma * sigma / 2.0);
        let amounts = SIGMAS.iter().flat_map(|&sigma| (0..1 << AMOUNT_BITS).map(move |at| factor(sigma, at)));
        let delay = |at: u32| (-MEAN_DELAY * libm::log(1.0 - middle(at, DELAY_BITS))).min(LONGEST_DELAY) as i32;
        Quantiles { amounts: amounts.collect(), delays: (0..1 << DELAY_BITS).map(delay).collect() }
    }

    /// The log-normal factor and the days that a draw chooses; `sigma` is the standard deviation of the factor's
    /// logarithm, one of [`SIGMAS`].
    pub(crate) fn of(&self, sigma: f64, draw: u32) -> (f64, i32) {
        let amount = (draw & ((1 << AMOUNT_BITS) - 1)) as usize;
        let delay = (draw >> AMOUNT_BITS) & ((1 << DELAY_BITS) - 1);
        let table = SIGMAS.iter().position(|&known| known == sigma).expect("amounts use the listed deviations");
        (self.amounts[(table << AMOUNT_BITS) | amount], self.delays[delay as usize])
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
    use super::*;

    #[test]
    fn factors_have_the_mean_one_and_delays_theirs() {
        let quantiles = Quantiles::new();
        for at in 0..SIGMAS.len() {
            let factors = &quantiles.amounts[at << AMOUNT_BITS..(at + 1) << AMOUNT_BITS];
            let mean = factors.iter().sum::<f64>() / factors.len() as f64;
            assert!((mean - 1.0).abs() < 0.01, "{at}: {mean}");
        }
        let mean = f64::from(quantiles.delays.iter().sum::<i32>()) / quantiles.delays.len() as f64;
        assert!((8.0..9.0).contains(&mean), "{mean}");
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.96), (0.001, -3.09)] {
            assert!((normal_quantile(p) - z).abs() < 0.002, "{p}");
        }
    }
}
