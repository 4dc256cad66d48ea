//! Chronic conditions: how common each is by age, and how strongly it follows a person's frailty.

use metriccare_fhir::write::Diagnosis;

use super::{diagnosis, number, rows};

/// A chronic condition.
#[derive(Clone, Debug)]
pub(crate) struct Chronic {
    /// The short name by which reasons for stays refer to it.
    pub(crate) key: &'static str,
    /// Its codes.
    pub(crate) diagnosis: Diagnosis<'static>,
    /// The log-odds of having it by age band, for a person of average frailty.
    pub(crate) log_odds: [f64; 7],
    /// How much one standard deviation of frailty adds to the log-odds.
    pub(crate) frailty: f64,
}

pub(super) fn read() -> Vec<Chronic> {
    rows(include_str!("../../data/chronic.tsv"))
        .map(|row| {
            let frailty = number(row[12]);
            let log_odds = std::array::from_fn(|band| {
                let p = (number(row[5 + band]) / 100.0).clamp(1e-6, 0.99);
                // The mean of a logistic over normal frailty is flatter than the logistic: stretch it back.
                libm::log(p / (1.0 - p)) * libm::sqrt(1.0 + 0.346 * frailty * frailty)
            });
            Chronic { key: row[0], diagnosis: diagnosis(&row[1..5]), log_odds, frailty }
        })
        .collect()
}

/// The column of the prevalence table for an age.
pub(crate) fn band(age: i32) -> usize {
    match age {
        ..18 => 0,
        18..35 => 1,
        35..50 => 2,
        50..65 => 3,
        65..75 => 4,
        75..85 => 5,
        _ => 6,
    }
}
