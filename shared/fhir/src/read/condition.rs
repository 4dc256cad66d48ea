//! Condition: what was wrong, when it began, and how sure anybody is.

use serde::Deserialize;

use super::{CodeableConcept, Meta, Text, reference::Reference, resource::Period};

/// The elements of a Condition that feed the lake.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition<'a> {
    /// The logical id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// Version and time of change.
    #[serde(borrow)]
    pub meta: Option<Meta<'a>>,
    /// Active, resolved, …
    #[serde(borrow)]
    pub clinical_status: Option<CodeableConcept<'a>>,
    /// Confirmed, refuted, …
    #[serde(borrow)]
    pub verification_status: Option<CodeableConcept<'a>>,
    /// Encounter diagnosis or problem list item.
    #[serde(borrow)]
    pub category: Option<Vec<CodeableConcept<'a>>>,
    /// The condition itself.
    #[serde(borrow)]
    pub code: Option<CodeableConcept<'a>>,
    /// The patient.
    #[serde(borrow)]
    pub subject: Option<Reference<'a>>,
    /// The encounter that it was found in.
    #[serde(borrow)]
    pub encounter: Option<Reference<'a>>,
    /// When it began.
    #[serde(borrow)]
    pub onset_date_time: Option<Text<'a>>,
    /// When it began, as a period.
    #[serde(borrow)]
    pub onset_period: Option<Period<'a>>,
    /// When it ended.
    #[serde(borrow)]
    pub abatement_date_time: Option<Text<'a>>,
    /// When it ended, as a period.
    #[serde(borrow)]
    pub abatement_period: Option<Period<'a>>,
    /// When it was recorded.
    #[serde(borrow)]
    pub recorded_date: Option<Text<'a>>,
    /// R5: who took part; only its presence is read.
    pub participant: Option<serde::de::IgnoredAny>,
    /// R4: who recorded it; only its presence is read.
    pub recorder: Option<serde::de::IgnoredAny>,
    /// R4: who asserted it; only its presence is read.
    pub asserter: Option<serde::de::IgnoredAny>,
}

impl Condition<'_> {
    /// `R5` or `R4`, where an element that only one of them has tells.
    pub fn fhir_version(&self) -> Option<&'static str> {
        if self.participant.is_some() {
            Some("R5")
        } else if self.recorder.is_some() || self.asserter.is_some() {
            Some("R4")
        } else {
            None
        }
    }
}
