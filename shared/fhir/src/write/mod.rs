//! Strict writing of FHIR R5 and R4: six resources, one JSON line each, into a byte buffer.
//!
//! The model is version-neutral: a resource is described once, with enums wherever FHIR binds a required value set, and
//! the writer puts it down as the version asked for (`actualPeriod` or `period`, `admission` or `hospitalization`, …).
//! What the types cannot express (a status that does not exist, a stay without class) cannot be written. The fields are
//! borrowed and the text is pushed straight into the caller's buffer, so that writing allocates nothing.

mod codes;
mod condition;
mod deletion;
mod directory;
mod encounter;
mod line;
mod patient;
#[cfg(test)]
mod tests;
mod time;

pub use crate::calendar::{Date, Instant};
pub use codes::{
    AdmitSource, Category, ClinicalStatus, Disposition, EncounterClass, EncounterStatus, Gender, LocationStatus,
    Priority, Race, VerificationStatus,
};
pub use condition::{Condition, write_condition};
pub use deletion::{Deletion, write_deletion, write_history};
pub use directory::{Location, Organization, Practitioner, write_location, write_organization, write_practitioner};
pub use encounter::{Encounter, LocationPeriod, write_encounter};
pub use patient::{Patient, write_patient};

/// The FHIR version to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FhirVersion {
    /// FHIR R4, 4.0.1.
    R4,
    /// FHIR R5, 5.0.0: the default.
    #[default]
    R5,
}

/// A logical id, written in the shape of a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u128);

impl Id {
    /// Appends the id's 36 characters.
    pub fn push(self, out: &mut Vec<u8>) {
        line::push_id(out, self);
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(36);
        line::push_id(&mut text, *self);
        f.write_str(std::str::from_utf8(&text).expect("an id is hex digits and hyphens"))
    }
}

/// Which version of a resource this is, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The version number, counted from 1.
    pub version: u32,
    /// When this version came to be.
    pub last_updated: Instant,
}

/// A reference with its display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// The logical id of the resource referred to.
    pub id: Id,
    /// Its name for people.
    pub display: &'a str,
}

/// A code with its display, without the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code<'a> {
    /// The code.
    pub code: &'a str,
    /// The code's meaning for people.
    pub display: &'a str,
}

/// A diagnosis by its codings; at least one of the two should be there, else only the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnosis<'a> {
    /// The ICD-10-CM code, written first.
    pub icd10: Option<Code<'a>>,
    /// The SNOMED CT concept.
    pub snomed: Option<Code<'a>>,
    /// The text for people.
    pub text: &'a str,
}
