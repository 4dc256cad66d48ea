//! Length of stay by MS-DRG: a log-normal distribution with CMS's geometric and arithmetic means.

use super::{number, rows};

/// A diagnosis-related group.
#[derive(Clone, Debug)]
pub(crate) struct Drg {
    /// The number, three digits.
    pub(crate) code: &'static str,
    /// The relative weight, which scales what a stay costs.
    pub(crate) weight: f64,
    /// The mean of the logarithm of the days: ln(geometric mean).
    pub(crate) mu: f64,
    /// The standard deviation of the logarithm: √(2 ln(arithmetic mean ÷ geometric mean)).
    pub(crate) sigma: f64,
}

pub(super) fn read() -> Vec<Drg> {
    rows(include_str!("../../data/drg.tsv"))
        .map(|row| {
            let (geometric, arithmetic) = (number(row[2]), number(row[3]));
            Drg {
                code: row[0],
                weight: number(row[1]),
                mu: libm::log(geometric),
                sigma: libm::sqrt(2.0 * libm::log(arithmetic / geometric).max(0.0)),
            }
        })
        .collect()
}
