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

/// Every national rate in use.
pub const NATIONAL_RATES: [NationalRate; 1] = [HOSPITAL_WIDE_READMISSION];

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
