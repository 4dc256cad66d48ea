//! Length of stay by MS-DRG: a log-normal distribution with CMS's geometric and arithmetic means.

use serde::Deserialize;

use super::tsv::{TableError, keep, rows};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    drg: String,
    weight: f64,
    gmlos: f64,
    amlos: f64,
}

pub(super) fn read(text: &str) -> Result<Vec<Drg>, TableError> {
    let drgs = rows::<Row>("drg.tsv", text)?.into_iter().map(|line| {
        let geometric = line.within("gmlos", line.row.gmlos, 0.1, 365.0)?;
        let arithmetic = line.within("amlos", line.row.amlos, geometric, 365.0)?;
        Ok(Drg {
            weight: line.within("weight", line.row.weight, 0.0, 100.0)?,
            mu: libm::log(geometric),
            sigma: libm::sqrt(2.0 * libm::log(arithmetic / geometric).max(0.0)),
            code: keep(line.row.drg),
        })
    });
    drgs.collect()
}
