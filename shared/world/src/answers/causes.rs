//! The cohorts of stays that CMS follows: heart attack, heart failure, pneumonia, COPD, stroke.

/// A cohort, with CMS's national rates.
pub(super) struct CauseCohort {
    /// The name in gold/cohort.
    pub(super) name: &'static str,
    /// The beginnings of the ICD-10-CM codes of the stays that belong to it.
    prefixes: &'static [&'static str],
    /// The national rate of unplanned readmission, where CMS publishes one.
    pub(super) readmission: Option<f64>,
    /// The national rate of death within 30 days of admission.
    pub(super) mortality: Option<f64>,
}

/// All cohorts, in the order of their numbers. Source of the rates: CMS Care Compare, July 2024, READM_30_… and
/// MORT_30_…, discharges of July 2020 to June 2023.
pub(super) const COHORTS: [CauseCohort; 5] = [
    CauseCohort { name: "ami", prefixes: &["I21"], readmission: Some(0.137), mortality: Some(0.126) },
    CauseCohort {
        name: "copd",
        prefixes: &["J41", "J42", "J43", "J44"],
        readmission: Some(0.185),
        mortality: Some(0.094),
    },
    CauseCohort {
        name: "heart_failure",
        prefixes: &["I50", "I11.0", "I13.0", "I13.2"],
        readmission: Some(0.198),
        mortality: Some(0.119),
    },
    CauseCohort {
        name: "pneumonia",
        prefixes: &["J12", "J13", "J14", "J15", "J16", "J17", "J18"],
        readmission: Some(0.164),
        mortality: Some(0.179),
    },
    CauseCohort { name: "stroke", prefixes: &["I63"], readmission: None, mortality: Some(0.139) },
];

/// The number of the cohort that a reason code belongs to.
pub(super) fn cohort_of(code: &str) -> Option<u8> {
    let at = COHORTS.iter().position(|cohort| cohort.prefixes.iter().any(|prefix| code.starts_with(prefix)));
    at.map(|at| at as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_belongs_to_the_cohort_of_its_prefix() {
        let name = |code: &str| cohort_of(code).map(|at| COHORTS[usize::from(at)].name);
        let cases = [
            ("I21.4", Some("ami")),
            ("I22.0", None),
            ("I50.23", Some("heart_failure")),
            ("I11.0", Some("heart_failure")),
            ("I11.9", None),
            ("J18.9", Some("pneumonia")),
            ("J12.82", Some("pneumonia")),
            ("J44.1", Some("copd")),
            ("J45.901", None),
            ("I63.9", Some("stroke")),
            ("", None),
        ];
        for (code, expected) in cases {
            assert_eq!(name(code), expected, "{code}");
        }
    }
}
