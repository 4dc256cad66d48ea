//! Chronic conditions: how common each is by age, and how strongly it follows a person's frailty.

use metriccare_fhir::write::Diagnosis;
use serde::Deserialize;

use super::tsv::{TableError, diagnosis, keep, refuse, rows};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    icd: String,
    display: String,
    snomed: Option<String>,
    snomed_display: Option<String>,
    p_child: f64,
    p_18_34: f64,
    p_35_49: f64,
    p_50_64: f64,
    p_65_74: f64,
    p_75_84: f64,
    p_85: f64,
    frailty: f64,
}

const FILE: &str = "chronic.tsv";

/// A patient's conditions are the bits of a `u32`.
const MOST: usize = 32;

pub(super) fn read(text: &str) -> Result<Vec<Chronic>, TableError> {
    let lines = rows::<Row>(FILE, text)?;
    if lines.len() > MOST {
        return Err(refuse(FILE, format!("it has {} conditions: at most {MOST}", lines.len())));
    }
    let chronic = lines.iter().map(|line| {
        let row = &line.row;
        let frailty = line.within("frailty", row.frailty, 0.0, 10.0)?;
        let percents = [
            ("p_child", row.p_child),
            ("p_18_34", row.p_18_34),
            ("p_35_49", row.p_35_49),
            ("p_50_64", row.p_50_64),
            ("p_65_74", row.p_65_74),
            ("p_75_84", row.p_75_84),
            ("p_85", row.p_85),
        ];
        let mut log_odds = [0.0; 7];
        for (odds, (column, percent)) in log_odds.iter_mut().zip(percents) {
            let p = line.share(column, percent)?.clamp(1e-6, 0.99);
            // The mean of a logistic over normal frailty is flatter than the logistic: stretch it back.
            *odds = libm::log(p / (1.0 - p)) * libm::sqrt(1.0 + 0.346 * frailty * frailty);
        }
        let diagnosis = diagnosis(&row.icd, &row.display, row.snomed.as_deref(), row.snomed_display.as_deref());
        Ok(Chronic { key: keep(row.key.clone()), diagnosis, log_odds, frailty })
    });
    chronic.collect()
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
