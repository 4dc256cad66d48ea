//! Patient: who was there. R4, R4B and R5 have the same shape for all that is read.

use serde::Deserialize;

use super::{CodeableConcept, Meta, Text, reference::Reference};

/// The elements of a Patient that feed the lake.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patient<'a> {
    /// The logical id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// Version and time of change.
    #[serde(borrow)]
    pub meta: Option<Meta<'a>>,
    /// Business identifiers, the medical record number among them.
    #[serde(borrow)]
    pub identifier: Option<Vec<Identifier<'a>>>,
    /// Whether the record is in use.
    pub active: Option<bool>,
    /// Administrative gender.
    #[serde(borrow)]
    pub gender: Option<Text<'a>>,
    /// Date of birth.
    #[serde(borrow)]
    pub birth_date: Option<Text<'a>>,
    /// Time of death.
    #[serde(borrow)]
    pub deceased_date_time: Option<Text<'a>>,
    /// Addresses; the first one is used.
    #[serde(borrow)]
    pub address: Option<Vec<Address<'a>>>,
    /// Languages.
    #[serde(borrow)]
    pub communication: Option<Vec<Communication<'a>>>,
    /// The hospital that keeps the record.
    #[serde(borrow)]
    pub managing_organization: Option<Reference<'a>>,
}

/// A business identifier.
#[derive(Debug, Default, Deserialize)]
pub struct Identifier<'a> {
    /// What kind of identifier it is.
    #[serde(rename = "type", borrow)]
    pub kind: Option<CodeableConcept<'a>>,
    /// Its namespace.
    #[serde(borrow)]
    pub system: Option<Text<'a>>,
    /// Its value.
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}

/// A postal address.
#[derive(Debug, Default, Deserialize)]
pub struct Address<'a> {
    /// City.
    #[serde(borrow)]
    pub city: Option<Text<'a>>,
    /// State or province.
    #[serde(borrow)]
    pub state: Option<Text<'a>>,
    /// Country.
    #[serde(borrow)]
    pub country: Option<Text<'a>>,
}

/// A language that the patient speaks.
#[derive(Debug, Default, Deserialize)]
pub struct Communication<'a> {
    /// The language.
    #[serde(borrow)]
    pub language: Option<CodeableConcept<'a>>,
    /// Whether the patient prefers it.
    pub preferred: Option<bool>,
}

impl Patient<'_> {
    /// The medical record number: the identifier of type MR, else the one whose type or namespace says so.
    pub fn mrn(&self) -> Option<&str> {
        let identifiers = self.identifier.as_deref().unwrap_or_default();
        let by_type = identifiers.iter().find(|identifier| {
            let kind = identifier.kind.as_ref();
            kind.is_some_and(|kind| {
                kind.codings().iter().any(|coding| coding.code() == Some("MR"))
                    || kind.text.as_ref().is_some_and(|text| text.trim().eq_ignore_ascii_case("Medical Record Number"))
            })
        });
        let by_system = || {
            identifiers.iter().find(|identifier| {
                identifier.system.as_ref().is_some_and(|system| system.to_ascii_lowercase().ends_with("mrn"))
            })
        };
        by_type.or_else(by_system)?.value.as_ref()?.trimmed()
    }

    /// The preferred language in words, else the first one.
    pub fn language(&self) -> Option<&str> {
        let spoken = self.communication.as_deref().unwrap_or_default();
        let preferred = spoken.iter().find(|entry| entry.preferred == Some(true)).or_else(|| spoken.first())?;
        preferred.language.as_ref()?.words()
    }
}
