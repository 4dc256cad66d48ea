//! Coding and CodeableConcept, and elements that are an object in one FHIR version and a list in another.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};

use super::Text;

/// A code in a code system.
#[derive(Debug, Default, Deserialize)]
pub struct Coding<'a> {
    /// The URI of the code system.
    #[serde(borrow)]
    pub system: Option<Text<'a>>,
    /// The code.
    #[serde(borrow)]
    pub code: Option<Text<'a>>,
    /// The code's words.
    #[serde(borrow)]
    pub display: Option<Text<'a>>,
}

impl Coding<'_> {
    /// The code, trimmed; `None` where it is missing or blank.
    pub fn code(&self) -> Option<&str> {
        self.code.as_ref()?.trimmed()
    }

    /// Whether the system's URI names ICD-10 or ICD-10-CM, in any of its spellings.
    pub fn is_icd10(&self) -> bool {
        self.system.as_ref().is_some_and(|system| {
            system.contains("icd-10")
                || system.contains("2.16.840.1.113883.6.90")
                || system.contains("2.16.840.1.113883.6.3.")
        })
    }
}

/// A concept: codings, and what a person wrote.
#[derive(Debug, Default, Deserialize)]
pub struct CodeableConcept<'a> {
    /// The codings, in the sender's order of preference.
    #[serde(borrow)]
    pub coding: Option<Vec<Coding<'a>>>,
    /// The concept in words.
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
}

impl<'a> CodeableConcept<'a> {
    /// The codings, none where the element is missing.
    pub fn codings(&self) -> &[Coding<'a>] {
        self.coding.as_deref().unwrap_or_default()
    }

    /// The first code, trimmed.
    pub fn first_code(&self) -> Option<&str> {
        self.codings().iter().find_map(Coding::code)
    }

    /// The concept in words: its text, else the first display, else the first code.
    pub fn words(&self) -> Option<&str> {
        self.text
            .as_ref()
            .and_then(Text::trimmed)
            .or_else(|| self.codings().iter().find_map(|coding| coding.display.as_ref()?.trimmed()))
            .or_else(|| self.first_code())
    }

    /// The first code, else the text.
    pub fn code_or_text(&self) -> Option<&str> {
        self.first_code().or_else(|| self.text.as_ref()?.trimmed())
    }
}

/// `Encounter.class`: a Coding in R4, a CodeableConcept in R5.
#[derive(Debug, Default, Deserialize)]
pub struct ClassElement<'a> {
    /// R4: the code itself.
    #[serde(borrow)]
    pub code: Option<Text<'a>>,
    /// R5: the codings of the concept.
    #[serde(borrow)]
    pub coding: Option<Vec<Coding<'a>>>,
    /// R5: the concept in words.
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
}

impl ClassElement<'_> {
    /// The code of either shape, else the concept's text.
    pub fn code_or_text(&self) -> Option<&str> {
        self.code
            .as_ref()
            .and_then(Text::trimmed)
            .or_else(|| self.coding.as_deref().unwrap_or_default().iter().find_map(Coding::code))
            .or_else(|| self.text.as_ref()?.trimmed())
    }
}

/// An element that one version repeats and another does not; whether it was a list tells the versions apart.
#[derive(Debug)]
pub enum OneOrMany<T> {
    /// A single object.
    One(Box<T>),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The elements in order.
    pub fn as_slice(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of objects")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(|one| OneOrMany::One(Box::new(one)))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(OneOrMany::Many)
            }
        }

        deserializer.deserialize_any(Visitor(PhantomData))
    }
}
