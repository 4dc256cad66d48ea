//! The national rates that hospitals are compared with, each with its source, and the words of a comparison.

/// A published national rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NationalRate {
    /// The publisher's id of the measure.
    pub measure: &'static str,
    /// The rate, as a share of 1.
    pub rate: f64,
    /// The discharges that it covers.
    pub period: &'static str,
    /// Who published it, and when.
    pub source: &'static str,
}

/// Hospital-wide, all-cause, unplanned readmission within 30 days, of Medicare patients from 65 years.
pub const HOSPITAL_WIDE_READMISSION: NationalRate = NationalRate {
    measure: "READM_30_HOSP_WIDE",
    rate: 0.146,
    period: "July 2022 to June 2023",
    source: "CMS Care Compare, July 2024: Unplanned Hospital Visits, National",
};

/// The discharges that the measures of single diseases cover.
const THREE_YEARS: &str = "July 2020 to June 2023";

/// Unplanned readmission within 30 days of a heart attack.
pub const AMI_READMISSION: NationalRate = NationalRate {
    measure: "READM_30_AMI",
    rate: 0.137,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Unplanned Hospital Visits, National",
};

/// Death within 30 days of admission for a heart attack.
pub const AMI_MORTALITY: NationalRate = NationalRate {
    measure: "MORT_30_AMI",
    rate: 0.126,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Complications and Deaths, National",
};

/// Unplanned readmission within 30 days of a stay for heart failure.
pub const HEART_FAILURE_READMISSION: NationalRate = NationalRate {
    measure: "READM_30_HF",
    rate: 0.198,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Unplanned Hospital Visits, National",
};

/// Death within 30 days of admission for heart failure.
pub const HEART_FAILURE_MORTALITY: NationalRate = NationalRate {
    measure: "MORT_30_HF",
    rate: 0.119,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Complications and Deaths, National",
};

/// Unplanned readmission within 30 days of a stay for pneumonia.
pub const PNEUMONIA_READMISSION: NationalRate = NationalRate {
    measure: "READM_30_PN",
    rate: 0.164,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Unplanned Hospital Visits, National",
};

/// Death within 30 days of admission for pneumonia.
pub const PNEUMONIA_MORTALITY: NationalRate = NationalRate {
    measure: "MORT_30_PN",
    rate: 0.179,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Complications and Deaths, National",
};

/// Unplanned readmission within 30 days of a stay for chronic obstructive pulmonary disease.
pub const COPD_READMISSION: NationalRate = NationalRate {
    measure: "READM_30_COPD",
    rate: 0.185,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Unplanned Hospital Visits, National",
};

/// Death within 30 days of admission for chronic obstructive pulmonary disease.
pub const COPD_MORTALITY: NationalRate = NationalRate {
    measure: "MORT_30_COPD",
    rate: 0.094,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Complications and Deaths, National",
};

/// Death within 30 days of admission for a stroke.
pub const STROKE_MORTALITY: NationalRate = NationalRate {
    measure: "MORT_30_STK",
    rate: 0.139,
    period: THREE_YEARS,
    source: "CMS Care Compare, July 2024: Complications and Deaths, National",
};

/// Every national rate in use.
pub const NATIONAL_RATES: [NationalRate; 10] = [
    HOSPITAL_WIDE_READMISSION,
    AMI_READMISSION,
    AMI_MORTALITY,
    HEART_FAILURE_READMISSION,
    HEART_FAILURE_MORTALITY,
    PNEUMONIA_READMISSION,
    PNEUMONIA_MORTALITY,
    COPD_READMISSION,
    COPD_MORTALITY,
    STROKE_MORTALITY,
];

/// The fewest index stays for which a hospital is compared.
const FEWEST: i64 = 25;

/// CMS's words for where a hospital stands: by its 95 % interval, which must lie wholly on one side of the national rate.
pub fn comparison(index_stays: i64, interval: Option<(f64, f64)>, national: f64) -> &'static str {
    match interval {
        Some(_) if index_stays < FEWEST => "Number of Cases Too Small",
        Some((_, high)) if high < national => "Better Than the National Rate",
        Some((low, _)) if low > national => "Worse Than the National Rate",
        Some(_) => "No Different Than the National Rate",
        None => "Number of Cases Too Small",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hospitals_are_compared_by_their_interval() {
        assert_eq!(comparison(24, Some((0.5, 0.9)), 0.146), "Number of Cases Too Small");
        assert_eq!(comparison(25, Some((0.0, 0.13)), 0.146), "Better Than the National Rate");
        assert_eq!(comparison(25, Some((0.15, 0.3)), 0.146), "Worse Than the National Rate");
        assert_eq!(comparison(25, Some((0.1, 0.146)), 0.146), "No Different Than the National Rate");
        assert_eq!(comparison(25, Some((0.146, 0.2)), 0.146), "No Different Than the National Rate");
    }
}
