//! The departments that every hospital has.

use serde::Deserialize;

use crate::facility::FacilityKind;

/// A department of a hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Department {
    Emergency,
    #[serde(rename = "Intensive Care")]
    IntensiveCare,
    Medicine,
    Cardiology,
    Surgery,
    Orthopedics,
    Neurology,
    Oncology,
    Maternity,
    Pediatrics,
    Psychiatry,
    Rehabilitation,
    #[serde(rename = "Primary Care")]
    PrimaryCare,
    Telehealth,
    #[serde(rename = "Home Health")]
    HomeHealth,
}

impl Department {
    /// All departments, in the order of their numbers.
    pub const ALL: [Department; 15] = [
        Department::Emergency,
        Department::IntensiveCare,
        Department::Medicine,
        Department::Cardiology,
        Department::Surgery,
        Department::Orthopedics,
        Department::Neurology,
        Department::Oncology,
        Department::Maternity,
        Department::Pediatrics,
        Department::Psychiatry,
        Department::Rehabilitation,
        Department::PrimaryCare,
        Department::Telehealth,
        Department::HomeHealth,
    ];

    /// The name, as it is displayed and as the lake normalises it.
    pub fn name(self) -> &'static str {
        match self {
            Department::Emergency => "Emergency",
            Department::IntensiveCare => "Intensive Care",
            Department::Medicine => "Medicine",
            Department::Cardiology => "Cardiology",
            Department::Surgery => "Surgery",
            Department::Orthopedics => "Orthopedics",
            Department::Neurology => "Neurology",
            Department::Oncology => "Oncology",
            Department::Maternity => "Maternity",
            Department::Pediatrics => "Pediatrics",
            Department::Psychiatry => "Psychiatry",
            Department::Rehabilitation => "Rehabilitation",
            Department::PrimaryCare => "Primary Care",
            Department::Telehealth => "Telehealth",
            Department::HomeHealth => "Home Health",
        }
    }

    /// Whether a facility of a kind usually has it.
    pub(crate) fn belongs_to(self, kind: FacilityKind) -> bool {
        match kind {
            FacilityKind::AcuteCare | FacilityKind::CriticalAccess => true,
            FacilityKind::Childrens => matches!(
                self,
                Department::Pediatrics | Department::Emergency | Department::IntensiveCare | Department::Surgery
            ),
            FacilityKind::Psychiatric => self == Department::Psychiatry,
            FacilityKind::Rehabilitation => self == Department::Rehabilitation,
            FacilityKind::Clinic => matches!(self, Department::PrimaryCare | Department::Emergency),
        }
    }

    /// How many of a hospital's clinicians work there, relative to the other departments.
    pub(crate) fn staff(self) -> f64 {
        match self {
            Department::PrimaryCare => 4.0,
            Department::Emergency | Department::Medicine => 3.0,
            Department::Cardiology | Department::Surgery | Department::Orthopedics => 2.0,
            _ => 1.0,
        }
    }
}
