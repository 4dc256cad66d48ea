//! The diseases that CMS publishes returns and deaths of, by the code of the reason, with the national rates.

use super::national::{self, NationalRate};

/// Stays for one disease.
#[derive(Clone, Copy, Debug)]
pub struct Cohort {
    /// Its name in gold/cohort.
    pub name: &'static str,
    /// The first characters of its ICD-10-CM codes.
    pub prefixes: &'static [&'static str],
    /// The national rate of unplanned readmission within 30 days, where one is published.
    pub readmission: Option<NationalRate>,
    /// The national rate of death within 30 days.
    pub mortality: NationalRate,
}

/// Every cohort; a partial names one by its place here.
pub const COHORTS: [Cohort; 5] = [
    Cohort {
        name: "ami",
        prefixes: &["I21"],
        readmission: Some(national::AMI_READMISSION),
        mortality: national::AMI_MORTALITY,
    },
    Cohort {
        name: "heart_failure",
        prefixes: &["I50", "I11.0", "I13.0", "I13.2"],
        readmission: Some(national::HEART_FAILURE_READMISSION),
        mortality: national::HEART_FAILURE_MORTALITY,
    },
    Cohort {
        name: "pneumonia",
        prefixes: &["J12", "J13", "J14", "J15", "J16", "J17", "J18"],
        readmission: Some(national::PNEUMONIA_READMISSION),
        mortality: national::PNEUMONIA_MORTALITY,
    },
    Cohort {
        name: "copd",
        prefixes: &["J41", "J42", "J43", "J44"],
        readmission: Some(national::COPD_READMISSION),
        mortality: national::COPD_MORTALITY,
    },
    Cohort { name: "stroke", prefixes: &["I63"], readmission: None, mortality: national::STROKE_MORTALITY },
];

/// The cohort that a reason code puts a stay into, as its place in [`COHORTS`].
pub fn cohort_of(code: &str) -> Option<u8> {
    let fits = |cohort: &Cohort| cohort.prefixes.iter().any(|prefix| code.starts_with(prefix));
    COHORTS.iter().position(fits).and_then(|place| u8::try_from(place).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_belong_to_the_cohort_of_their_prefix() {
        let name = |code| cohort_of(code).map(|place| COHORTS[usize::from(place)].name);
        for (code, cohort) in [
            ("I21.4", Some("ami")),
            ("I22.0", None),
            ("I50.9", Some("heart_failure")),
            ("I11.0", Some("heart_failure")),
            ("I11.9", None),
            ("I13.2", Some("heart_failure")),
            ("J12.89", Some("pneumonia")),
            ("J18.9", Some("pneumonia")),
            ("J19", None),
            ("J44.1", Some("copd")),
            ("J40", None),
            ("I63.9", Some("stroke")),
            ("22298006", None),
        ] {
            assert_eq!(name(code), cohort, "{code}");
        }
    }
}
