//! The value sets that the written resources are bound to, as enums.
//!
//! A code that is no variant here cannot be written. Where R4 and R5 name the same state differently, the variant is
//! version-neutral and the writer picks the word.

use super::{Code, FhirVersion};

/// Declares an enum of codes with their displays.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $display:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// The code as FHIR writes it, with its display.
            pub fn code(self) -> Code<'static> {
                match self {
                    $($name::$variant => Code { code: $code, display: $display },)+
                }
            }
        }
    };
}

codes! {
    /// Administrative gender.
    Gender {
        /// Female.
        Female = "female", "Female";
        /// Male.
        Male = "male", "Male";
        /// Neither.
        Other = "other", "Other";
        /// Not known.
        Unknown = "unknown", "Unknown";
    }
}

codes! {
    /// The kind of an encounter, from v3-ActCode.
    EncounterClass {
        /// Admitted to a hospital bed.
        Inpatient = "IMP", "inpatient encounter";
        /// Seen in an emergency department and released.
        Emergency = "EMER", "emergency";
        /// Seen in a clinic.
        Ambulatory = "AMB", "ambulatory";
        /// Seen by video or telephone.
        Virtual = "VR", "virtual";
        /// Seen at home.
        HomeHealth = "HH", "home health";
    }
}

codes! {
    /// How urgent an encounter is, from v3-ActPriority.
    Priority {
        /// Beneficial but not essential for survival: planned.
        Elective = "EL", "elective";
        /// An unforeseen combination of circumstances that calls for immediate action.
        Emergency = "EM", "emergency";
        /// Ordinary, in turn.
        Routine = "R", "routine";
        /// Calls for prompt action.
        Urgent = "UR", "urgent";
    }
}

codes! {
    /// Where an inpatient came from, from HL7's admit-source.
    AdmitSource {
        /// From another hospital.
        OtherHospital = "hosp-trans", "Transferred from other hospital";
        /// From the accident and emergency department.
        EmergencyDepartment = "emd", "From accident/emergency department";
        /// From an outpatient department.
        Outpatient = "outp", "From outpatient department";
        /// Referred by a general practitioner.
        GeneralPractitioner = "gp", "General Practitioner referral";
        /// Referred by another physician.
        Physician = "mp", "Medical Practitioner/physician referral";
        /// From a nursing home.
        NursingHome = "nursing", "From nursing home";
        /// From a psychiatric hospital.
        Psychiatric = "psych", "From psychiatric hospital";
        /// From a rehabilitation facility.
        Rehabilitation = "rehab", "From rehabilitation facility";
        /// From elsewhere.
        Other = "other", "Other";
    }
}

codes! {
    /// Where an inpatient went, from HL7's discharge-disposition.
    Disposition {
        /// Home.
        Home = "home", "Home";
        /// Another home.
        AlternativeHome = "alt-home", "Alternative home";
        /// Another healthcare facility, such as another acute hospital.
        OtherFacility = "other-hcf", "Other healthcare facility";
        /// Hospice.
        Hospice = "hosp", "Hospice";
        /// Long-term care.
        LongTermCare = "long", "Long-term care";
        /// Left against advice.
        AgainstAdvice = "aadvice", "Left against advice";
        /// Died.
        Expired = "exp", "Expired";
        /// A psychiatric hospital.
        Psychiatric = "psy", "Psychiatric hospital";
        /// Rehabilitation.
        Rehabilitation = "rehab", "Rehabilitation";
        /// A skilled nursing facility.
        SkilledNursing = "snf", "Skilled nursing facility";
        /// Elsewhere.
        Other = "oth", "Other";
    }
}

codes! {
    /// The clinical status of a condition.
    ClinicalStatus {
        /// The patient has it.
        Active = "active", "Active";
        /// It came back.
        Recurrence = "recurrence", "Recurrence";
        /// It is no longer there but may return.
        Inactive = "inactive", "Inactive";
        /// Its signs have gone.
        Remission = "remission", "Remission";
        /// It is over.
        Resolved = "resolved", "Resolved";
    }
}

codes! {
    /// How sure a condition is.
    VerificationStatus {
        /// Sure.
        Confirmed = "confirmed", "Confirmed";
        /// Suspected.
        Provisional = "provisional", "Provisional";
        /// Ruled out.
        Refuted = "refuted", "Refuted";
    }
}

codes! {
    /// What a condition's record is for.
    Category {
        /// A diagnosis of one encounter.
        EncounterDiagnosis = "encounter-diagnosis", "Encounter Diagnosis";
        /// An item of the problem list.
        ProblemListItem = "problem-list-item", "Problem List Item";
    }
}

codes! {
    /// Race, by the categories of the Office of Management and Budget, with short words instead of its displays.
    Race {
        /// American Indian or Alaska Native.
        Native = "1002-5", "American Indian";
        /// Asian.
        Asian = "2028-9", "Asian";
        /// Black or African American.
        Black = "2054-5", "Black";
        /// Native Hawaiian or Other Pacific Islander.
        Pacific = "2076-8", "Pacific Islander";
        /// White.
        White = "2106-3", "White";
        /// Another race.
        Other = "2131-1", "Other";
    }
}

codes! {
    /// Whether a patient is still at a location of the encounter.
    LocationStatus {
        /// There now.
        Active = "active", "Active";
        /// Was there.
        Completed = "completed", "Completed";
    }
}

/// The state of an encounter, in version-neutral words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncounterStatus {
    /// Going on.
    InProgress,
    /// Over: `finished` in R4, `completed` in R5.
    Completed,
    /// Called off before it began.
    Cancelled,
    /// Should never have been written.
    EnteredInError,
}

impl EncounterStatus {
    /// The word of the given version.
    pub fn word(self, version: FhirVersion) -> &'static str {
        match (self, version) {
            (EncounterStatus::InProgress, _) => "in-progress",
            (EncounterStatus::Completed, FhirVersion::R4) => "finished",
            (EncounterStatus::Completed, FhirVersion::R5) => "completed",
            (EncounterStatus::Cancelled, _) => "cancelled",
            (EncounterStatus::EnteredInError, _) => "entered-in-error",
        }
    }
}
