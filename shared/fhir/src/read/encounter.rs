//! Encounter: R4's and R5's spellings side by side, and which of them a resource uses.

use serde::Deserialize;

use super::{CodeableConcept, Meta, OneOrMany, Text, coding::ClassElement, reference::Reference, resource::Period};

/// The elements of an Encounter that feed the lake, in R4's and in R5's spelling.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encounter<'a> {
    /// The logical id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// Version and time of change.
    #[serde(borrow)]
    pub meta: Option<Meta<'a>>,
    /// The state of the encounter.
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    /// Inpatient, ambulatory, emergency: one Coding in R4, a list of concepts in R5.
    #[serde(borrow)]
    pub class: Option<OneOrMany<ClassElement<'a>>>,
    /// The kind of encounter.
    #[serde(rename = "type", borrow)]
    pub kind: Option<Vec<CodeableConcept<'a>>>,
    /// Elective, emergency, urgent.
    #[serde(borrow)]
    pub priority: Option<CodeableConcept<'a>>,
    /// The patient.
    #[serde(borrow)]
    pub subject: Option<Reference<'a>>,
    /// R4: when it was.
    #[serde(borrow)]
    pub period: Option<Period<'a>>,
    /// R5: when it was.
    #[serde(borrow)]
    pub actual_period: Option<Period<'a>>,
    /// Who took part.
    #[serde(borrow)]
    pub participant: Option<Vec<Participant<'a>>>,
    /// R4: reasons as concepts.
    #[serde(borrow)]
    pub reason_code: Option<Vec<CodeableConcept<'a>>>,
    /// R5: reasons.
    #[serde(borrow)]
    pub reason: Option<OneOrMany<Reason<'a>>>,
    /// R4: admission and discharge.
    #[serde(borrow)]
    pub hospitalization: Option<Admission<'a>>,
    /// R5: admission and discharge.
    #[serde(borrow)]
    pub admission: Option<Admission<'a>>,
    /// Where the patient was, and when.
    #[serde(borrow)]
    pub location: Option<Vec<LocationEntry<'a>>>,
    /// The hospital.
    #[serde(borrow)]
    pub service_provider: Option<Reference<'a>>,
}

/// A participant of an encounter.
#[derive(Debug, Default, Deserialize)]
pub struct Participant<'a> {
    /// The participant's role.
    #[serde(rename = "type", borrow)]
    pub kind: Option<Vec<CodeableConcept<'a>>>,
    /// R4: who.
    #[serde(borrow)]
    pub individual: Option<Reference<'a>>,
    /// R5: who.
    #[serde(borrow)]
    pub actor: Option<Reference<'a>>,
}

impl<'a> Participant<'a> {
    /// Who took part, in either spelling.
    pub fn who(&self) -> Option<&Reference<'a>> {
        self.actor.as_ref().or(self.individual.as_ref())
    }
}

/// R5: a reason of an encounter.
#[derive(Debug, Default, Deserialize)]
pub struct Reason<'a> {
    /// Concepts or references.
    #[serde(borrow)]
    pub value: Option<Vec<ReasonValue<'a>>>,
}

/// R5: a concept or a reference; only the concept is read.
#[derive(Debug, Default, Deserialize)]
pub struct ReasonValue<'a> {
    /// The reason as a concept.
    #[serde(borrow)]
    pub concept: Option<CodeableConcept<'a>>,
}

/// How the patient came and left.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Admission<'a> {
    /// From where.
    #[serde(borrow)]
    pub admit_source: Option<CodeableConcept<'a>>,
    /// To where.
    #[serde(borrow)]
    pub discharge_disposition: Option<CodeableConcept<'a>>,
}

/// A department or ward, with the time spent there.
#[derive(Debug, Default, Deserialize)]
pub struct LocationEntry<'a> {
    /// The department.
    #[serde(borrow)]
    pub location: Option<Reference<'a>>,
    /// Planned, active, reserved or completed.
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    /// The time spent there.
    #[serde(borrow)]
    pub period: Option<Period<'a>>,
}

impl<'a> Encounter<'a> {
    /// When it was, in either spelling.
    pub fn when(&self) -> Option<&Period<'a>> {
        self.actual_period.as_ref().or(self.period.as_ref())
    }

    /// Admission and discharge, in either spelling.
    pub fn stay(&self) -> Option<&Admission<'a>> {
        self.admission.as_ref().or(self.hospitalization.as_ref())
    }

    /// All reasons that are concepts, in order, in either spelling.
    pub fn reasons(&self) -> impl Iterator<Item = &CodeableConcept<'a>> {
        let r5 = self.reason.as_ref().map(OneOrMany::as_slice).unwrap_or_default();
        let r5 = r5.iter().flat_map(|reason| reason.value.as_deref().unwrap_or_default());
        let r4 = self.reason_code.as_deref().unwrap_or_default().iter();
        r4.chain(r5.filter_map(|value| value.concept.as_ref()))
    }

    /// The class code of either spelling, else the class in words.
    pub fn class_code(&self) -> Option<&str> {
        self.class.as_ref()?.as_slice().iter().find_map(ClassElement::code_or_text)
    }

    /// `R5` or `R4`, where the spelling tells: R4B writes an Encounter as R4 does.
    pub fn fhir_version(&self) -> Option<&'static str> {
        let participants = self.participant.as_deref().unwrap_or_default();
        let status = self.status.as_deref();
        let r5 = self.actual_period.is_some()
            || self.admission.is_some()
            || self.reason.is_some()
            || matches!(self.class, Some(OneOrMany::Many(_)))
            || participants.iter().any(|participant| participant.actor.is_some())
            || matches!(status, Some("completed" | "discharged" | "discontinued" | "on-hold"));
        let r4 = self.period.is_some()
            || self.hospitalization.is_some()
            || self.reason_code.is_some()
            || matches!(self.class, Some(OneOrMany::One(_)))
            || participants.iter().any(|participant| participant.individual.is_some())
            || matches!(status, Some("finished" | "arrived" | "triaged" | "onleave"));
        if r5 {
            Some("R5")
        } else if r4 {
            Some("R4")
        } else {
            None
        }
    }
}
