//! The national rates that hospitals are compared with, each with its source.

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
