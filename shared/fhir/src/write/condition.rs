//! Condition: the same shape in R4 and R5 for the elements used here.
//!
//! A condition with an abatement is never written as active (FHIR's con-4, R5's con-3): the writer puts `resolved`
//! down where the caller left it active.

use super::line::Line;
use super::{Category, ClinicalStatus, Date, Diagnosis, Id, Instant, Meta, VerificationStatus};

/// A condition as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// The logical id.
    pub id: Id,
    /// The version.
    pub meta: Meta,
    /// The clinical status.
    pub clinical_status: ClinicalStatus,
    /// How sure it is.
    pub verification_status: VerificationStatus,
    /// What the record is for.
    pub category: Category,
    /// What the patient has.
    pub diagnosis: Diagnosis<'a>,
    /// The patient.
    pub subject: Id,
    /// The encounter in which it was recorded.
    pub encounter: Option<Id>,
    /// When it began.
    pub onset: Instant,
    /// When it ended, if it did.
    pub abatement: Option<Instant>,
    /// When it was first recorded.
    pub recorded: Date,
}

/// Writes a condition as one JSON line; R4 and R5 are the same here.
pub fn write_condition(out: &mut Vec<u8>, condition: &Condition<'_>) {
    let status = match (condition.clinical_status, condition.abatement) {
        (ClinicalStatus::Active | ClinicalStatus::Recurrence, Some(_)) => ClinicalStatus::Resolved,
        (status, _) => status,
    };
    let mut line = Line(out);
    line.begin("Condition", condition.id, condition.meta);
    line.raw(
        r#","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"#,
    );
    line.text(status.code().code);
    line.raw(concat!(
        r#"}]},"verificationStatus":{"coding":[{"#,
        r#""system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"#
    ));
    line.text(condition.verification_status.code().code);
    line.raw(concat!(
        r#"}]},"category":[{"coding":[{"#,
        r#""system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"#
    ));
    let category = condition.category.code();
    line.text(category.code).raw(r#","display":"#).text(category.display).raw(r#"}]}],"code":"#);
    line.diagnosis(&condition.diagnosis).raw(r#","subject":"#).reference("Patient", condition.subject);
    if let Some(encounter) = condition.encounter {
        line.raw(r#","encounter":"#).reference("Encounter", encounter);
    }
    line.raw(r#","onsetDateTime":"#).instant(condition.onset);
    if let Some(time) = condition.abatement {
        line.raw(r#","abatementDateTime":"#).instant(time);
    }
    line.raw(r#","recordedDate":"#).date(condition.recorded).end();
}
