//! The kinds of facilities, and which stays each takes.

use serde::Deserialize;

/// The kind of a facility, as CMS names it in its list of hospitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum FacilityKind {
    /// A general hospital.
    #[serde(rename = "acute")]
    AcuteCare,
    /// A small hospital in the country, with at most 25 beds by law.
    #[serde(rename = "critical-access")]
    CriticalAccess,
    /// A hospital for children.
    #[serde(rename = "childrens")]
    Childrens,
    /// A hospital for mental illness.
    #[serde(rename = "psychiatric")]
    Psychiatric,
    /// A hospital for rehabilitation.
    #[serde(rename = "rehabilitation")]
    Rehabilitation,
    /// A clinic without beds.
    #[serde(rename = "clinic")]
    Clinic,
}

/// The services that hospitals differ by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Stays of adults.
    General = 0,
    /// Stays of patients under 18.
    Child = 1,
    /// Stays for mental illness.
    Psychiatric = 2,
    /// Stays for rehabilitation.
    Rehabilitation = 3,
}

impl Service {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// The share of inpatient days that each service has, in order; measured on a hundred thousand patients.
    pub(crate) const DAYS: [f64; Service::COUNT] = [0.854, 0.026, 0.102, 0.018];
}

impl FacilityKind {
    /// The name, as facilities.csv has it.
    pub fn name(self) -> &'static str {
        match self {
            FacilityKind::AcuteCare => "Acute Care Hospital",
            FacilityKind::CriticalAccess => "Critical Access Hospital",
            FacilityKind::Childrens => "Children's Hospital",
            FacilityKind::Psychiatric => "Psychiatric Hospital",
            FacilityKind::Rehabilitation => "Rehabilitation Hospital",
            FacilityKind::Clinic => "Clinic",
        }
    }

    /// Whether it takes stays of a service.
    pub(crate) fn takes(self, service: Service) -> bool {
        match self {
            FacilityKind::AcuteCare => true,
            FacilityKind::CriticalAccess => matches!(service, Service::General | Service::Child),
            FacilityKind::Childrens => service == Service::Child,
            FacilityKind::Psychiatric => service == Service::Psychiatric,
            FacilityKind::Rehabilitation => service == Service::Rehabilitation,
            FacilityKind::Clinic => false,
        }
    }

    /// Whether people come from home with anything, so that it keeps their records.
    pub(crate) fn general(self) -> bool {
        matches!(self, FacilityKind::AcuteCare | FacilityKind::CriticalAccess)
    }

    /// The licensed beds of a hospital that staffs so many: a quarter more, a critical access hospital at most 25 where
    /// that is enough.
    pub(crate) fn licensed_beds(self, staffed: u32) -> u32 {
        let licensed = (staffed * 5).div_ceil(4);
        if self == FacilityKind::CriticalAccess { licensed.min(25).max(staffed) } else { licensed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_critical_access_hospital_has_at_most_25_licensed_beds_where_that_is_enough() {
        let kind = FacilityKind::CriticalAccess;
        assert_eq!([0, 1, 20, 24, 30].map(|staffed| kind.licensed_beds(staffed)), [0, 2, 25, 25, 30]);
        assert_eq!(FacilityKind::AcuteCare.licensed_beds(100), 125);
    }
}
