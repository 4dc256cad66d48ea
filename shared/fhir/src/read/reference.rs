//! References in the styles that systems send, and what each one points at.
//!
//! `Patient/x` (also `/_history/…`), `urn:uuid:x` and an absolute URL name a resource by its logical id x.
//! `Type?identifier=system|x`, and a reference with an `identifier` only, name it by a business identifier: whoever carries
//! that, it is nobody's logical id. `#x` is inside its own resource and points at nothing that could be looked up.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::Text;

/// A reference to another resource.
#[derive(Debug, Default, Deserialize)]
pub struct Reference<'a> {
    /// The reference as it came.
    #[serde(borrow)]
    pub reference: Option<Text<'a>>,
    /// The target's resource type.
    #[serde(rename = "type", borrow)]
    pub kind: Option<Text<'a>>,
    /// A business identifier of the target.
    #[serde(borrow)]
    pub identifier: Option<Box<BusinessIdentifier<'a>>>,
    /// The target in words.
    #[serde(borrow)]
    pub display: Option<Text<'a>>,
}

/// A business identifier, such as a medical record number.
#[derive(Debug, Default, Deserialize)]
pub struct BusinessIdentifier<'a> {
    /// Its namespace.
    #[serde(borrow)]
    pub system: Option<Text<'a>>,
    /// Its value.
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}

/// What a reference points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The resource with a logical id.
    Id {
        /// Its type, where the reference names it.
        kind: Option<&'a str>,
        /// Its logical id.
        id: &'a str,
    },
    /// The resource that carries a business identifier.
    Identifier {
        /// Its type, where the reference names it.
        kind: Option<&'a str>,
        /// The identifier's namespace: none where any will do, empty where it must have none.
        system: Option<Cow<'a, str>>,
        /// The identifier's value.
        value: Cow<'a, str>,
    },
}

impl Reference<'_> {
    /// The reference as it came, without white space around it.
    pub fn raw(&self) -> Option<&str> {
        self.reference.as_ref()?.trimmed()
    }

    /// The target's words, trimmed.
    pub fn display(&self) -> Option<&str> {
        self.display.as_ref()?.trimmed()
    }

    /// What the reference points at; the identifier counts only where there is no other reference.
    pub fn target(&self) -> Option<Target<'_>> {
        let own_kind = || self.kind.as_ref()?.trimmed()?.rsplit('/').next();
        if let Some(raw) = self.raw() {
            let mut found = target(raw)?;
            let (Target::Id { kind, .. } | Target::Identifier { kind, .. }) = &mut found;
            if kind.is_none() {
                *kind = own_kind();
            }
            return Some(found);
        }
        let identifier = self.identifier.as_ref()?;
        let value = Cow::Borrowed(identifier.value.as_ref()?.trimmed()?);
        let system = identifier.system.as_ref().and_then(Text::trimmed).map(Cow::Borrowed);
        Some(Target::Identifier { kind: own_kind(), system, value })
    }
}

/// What a reference points at; `None` where it names no resource outside its own.
///
/// ```
/// use metriccare_fhir::read::reference::{Target, target};
/// assert_eq!(target("Patient/p1/_history/2"), Some(Target::Id { kind: Some("Patient"), id: "p1" }));
/// assert_eq!(target("urn:uuid:2f43a8b7"), Some(Target::Id { kind: None, id: "2f43a8b7" }));
/// let npi = target("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi%7C99");
/// assert!(matches!(npi, Some(Target::Identifier { kind: Some("Practitioner"), value, .. }) if value == "99"));
/// assert_eq!(target("#contained"), None);
/// assert_eq!(target("Patient/"), None);
/// ```
pub fn target(reference: &str) -> Option<Target<'_>> {
    let reference = reference.trim();
    if reference.starts_with('#') {
        return None;
    }
    if let Some(name) = without_scheme(reference, "urn:") {
        let id = without_scheme(name, "uuid:").or_else(|| without_scheme(name, "oid:"))?;
        return (!id.is_empty()).then_some(Target::Id { kind: None, id });
    }
    if let Some((path, query)) = reference.split_once('?') {
        return conditional(path, query);
    }
    let path = reference.split_once('#').map_or(reference, |(path, _)| path);
    let trimmed = path.trim_end_matches('/');
    let resource = without_history(trimmed);
    let (kind, id) = match resource.rsplit_once('/') {
        Some((before, id)) => (before.rsplit('/').next().filter(|kind| is_type(kind)), id),
        None => (None, resource),
    };
    // What ends in a slash or a version, or is a type's name, needs a type before it: its last segment is one itself.
    let lacks_id = kind.is_none() && (resource.len() < path.len() || KNOWN_TYPES.contains(&id));
    (!id.is_empty() && !lacks_id).then_some(Target::Id { kind, id })
}

/// The logical id that a reference names; `None` where it names none.
pub fn logical_id(reference: &str) -> Option<&str> {
    match target(reference)? {
        Target::Id { id, .. } => Some(id),
        Target::Identifier { .. } => None,
    }
}

/// The resource type that a reference names, where it names one.
pub fn target_type(reference: &str) -> Option<&str> {
    if let Some((path, _)) = reference.split_once('?') {
        return path.trim_start().rsplit('/').next().filter(|kind| is_type(kind));
    }
    match target(reference)? {
        Target::Id { kind, .. } | Target::Identifier { kind, .. } => kind,
    }
}

/// Types whose bare name is no id.
const KNOWN_TYPES: [&str; 8] =
    ["Patient", "Encounter", "Condition", "Practitioner", "PractitionerRole", "Organization", "Location", "Group"];

/// `Type?identifier=system|value`; other conditions, or further ones, cannot be looked up.
fn conditional<'a>(path: &'a str, query: &'a str) -> Option<Target<'a>> {
    let token = query.strip_prefix("identifier=").filter(|token| !token.contains('&'))?;
    let kind = path.rsplit('/').next().filter(|kind| is_type(kind));
    let token = percent_decode_str(token).decode_utf8().ok()?;
    let (system, value) = match token {
        Cow::Borrowed(token) => match token.split_once('|') {
            Some((system, value)) => (Some(Cow::Borrowed(system.trim())), Cow::Borrowed(value.trim())),
            None => (None, Cow::Borrowed(token.trim())),
        },
        Cow::Owned(token) => match token.split_once('|') {
            Some((system, value)) => (Some(Cow::Owned(system.trim().to_owned())), Cow::Owned(value.trim().to_owned())),
            None => (None, Cow::Owned(token.trim().to_owned())),
        },
    };
    (!value.is_empty()).then_some(Target::Identifier { kind, system, value })
}

/// The text behind a scheme, which may be in any case.
fn without_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let head = text.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
}

/// Whether a segment of a path looks like a resource type, as `R4` and `FHIR` in a server's address do not.
fn is_type(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_ascii_uppercase())
        && segment.bytes().all(|byte| byte.is_ascii_alphabetic())
        && segment.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// A path without the version at its end: `Patient/x/_history/2` is `Patient/x`.
fn without_history(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((before, "_history")) => before,
        Some((before, _)) => before.strip_suffix("/_history").unwrap_or(path),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id<'a>(kind: Option<&'a str>, id: &'a str) -> Option<Target<'a>> {
        Some(Target::Id { kind, id })
    }

    fn identifier<'a>(kind: Option<&'a str>, system: Option<&'a str>, value: &'a str) -> Option<Target<'a>> {
        Some(Target::Identifier { kind, system: system.map(Cow::Borrowed), value: Cow::Borrowed(value) })
    }

    #[test]
    fn every_style_names_its_target() {
        let patient = Some("Patient");
        for (reference, wanted) in [
            ("Patient/p-1", id(patient, "p-1")),
            ("/Patient/p-1", id(patient, "p-1")),
            ("Patient/p-1/", id(patient, "p-1")),
            ("Patient/p-1/_history/7", id(patient, "p-1")),
            ("Patient/p-1#part", id(patient, "p-1")),
            ("https://example.org/fhir/Patient/p-1", id(patient, "p-1")),
            ("https://example.org/fhir/Patient/p-1/_history/7", id(patient, "p-1")),
            ("https://example.org/R4/p-1", id(None, "p-1")),
            ("https://example.org/FHIR/p-1", id(None, "p-1")),
            ("urn:uuid:0c6a", id(None, "0c6a")),
            ("URN:UUID:0C6a", id(None, "0C6a")),
            ("urn:oid:1.2.3", id(None, "1.2.3")),
            ("p1", id(None, "p1")),
            ("Group/1", id(Some("Group"), "1")),
            ("Patient?identifier=http://x.org/mrn|17", identifier(patient, Some("http://x.org/mrn"), "17")),
            ("Patient?identifier=http%3A%2F%2Fx.org%2Fmrn%7C17", identifier(patient, Some("http://x.org/mrn"), "17")),
            ("http://a/fhir/Patient?identifier=17", identifier(patient, None, "17")),
            ("Patient?identifier=|17", identifier(patient, Some(""), "17")),
            ("?identifier=17", identifier(None, None, "17")),
            ("Patient?identifier=a|", None),
            ("Patient?identifier=a|17&active=true", None),
            ("Patient?name=x", None),
            ("#p1", None),
            ("Patient/", None),
            ("Patient", None),
            ("http://a/fhir/Patient/", None),
            ("http://a/fhir/Patient", None),
            ("Patient/_history/2", None),
            ("urn:mrn:17", None),
            ("urn:uuid:", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(target(reference), wanted, "{reference}");
        }
    }

    #[test]
    fn the_type_is_read_where_it_is_named() {
        assert_eq!(target_type("Practitioner/1"), Some("Practitioner"));
        assert_eq!(target_type("http://a/fhir/Practitioner/1/_history/2"), Some("Practitioner"));
        assert_eq!(target_type("Practitioner?identifier=a|b"), Some("Practitioner"));
        assert_eq!(target_type("Practitioner?name=a"), Some("Practitioner"));
        assert_eq!(target_type("urn:uuid:1"), None);
        assert_eq!(target_type("x"), None);
    }

    #[test]
    fn an_identifier_counts_where_there_is_no_reference() {
        let read = |json: &'static str| crate::read::resource::read::<Reference<'_>>(json).expect("a reference");
        let alone = read(r#"{"type":"Patient","identifier":{"system":"urn:x","value":" 17 "}}"#);
        assert_eq!(alone.target(), identifier(Some("Patient"), Some("urn:x"), "17"));
        let both = read(r#"{"reference":"Patient/p","identifier":{"system":"urn:x","value":"17"}}"#);
        assert_eq!(both.target(), id(Some("Patient"), "p"));
        let inside = read(r##"{"reference":"#p","identifier":{"value":"17"}}"##);
        assert_eq!(inside.target(), None);
        let typed = read(r#"{"reference":"urn:uuid:p","type":"http://hl7.org/fhir/StructureDefinition/Group"}"#);
        assert_eq!(typed.target(), id(Some("Group"), "p"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,60}") {
            let _ = (target(&text), logical_id(&text), target_type(&text));
        }

        #[test]
        fn an_id_survives_every_style_and_an_identifier_is_no_id(id in "[a-z0-9.-]{1,64}") {
            for reference in [
                format!("Patient/{id}"), format!("urn:uuid:{id}"), format!("http://a.org/fhir/Patient/{id}/_history/1"),
            ] {
                prop_assert_eq!(logical_id(&reference), Some(id.as_str()));
            }
            let reference = format!("Patient?identifier=urn:x|{id}");
            prop_assert_eq!(logical_id(&reference), None);
            prop_assert_eq!(target(&reference), identifier(Some("Patient"), Some("urn:x"), &id));
        }
    }
}
