//! References in the five styles that systems send, and the logical id each one points at.
//!
//! `Patient/x` (also `/_history/…`), `urn:uuid:x`, an absolute URL, and `Type?identifier=system|x` all give x;
//! `#x` is inside its own resource and gives none.

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
    /// The target in words.
    #[serde(borrow)]
    pub display: Option<Text<'a>>,
}

impl Reference<'_> {
    /// The reference as it came, without white space around it.
    pub fn raw(&self) -> Option<&str> {
        self.reference.as_ref()?.trimmed()
    }

    /// The logical id of the target.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        logical_id(self.raw()?)
    }

    /// The target's words, trimmed.
    pub fn display(&self) -> Option<&str> {
        self.display.as_ref()?.trimmed()
    }
}

/// The logical id that a reference points at; `None` where it has none.
///
/// ```
/// use metriccare_fhir::read::reference::logical_id;
/// assert_eq!(logical_id("Patient/p1/_history/2").as_deref(), Some("p1"));
/// assert_eq!(logical_id("urn:uuid:2f43a8b7").as_deref(), Some("2f43a8b7"));
/// assert_eq!(logical_id("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi%7C99").as_deref(), Some("99"));
/// assert_eq!(logical_id("#contained"), None);
/// ```
pub fn logical_id(reference: &str) -> Option<Cow<'_, str>> {
    let reference = reference.trim();
    if reference.starts_with('#') {
        return None;
    }
    let id = if let Some(id) = reference.strip_prefix("urn:uuid:").or_else(|| reference.strip_prefix("urn:oid:")) {
        Cow::Borrowed(id)
    } else if let Some((_, query)) = reference.split_once('?') {
        let value = query.split('&').find_map(|pair| pair.strip_prefix("identifier="))?;
        let value = percent_decode_str(value).decode_utf8().ok()?;
        match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.rsplit_once('|').map_or(text, |(_, id)| id)),
            Cow::Owned(text) => Cow::Owned(text.rsplit_once('|').map_or(text.as_str(), |(_, id)| id).to_owned()),
        }
    } else {
        let path = reference.split_once('#').map_or(reference, |(path, _)| path);
        let path = without_history(path.trim_end_matches('/'));
        Cow::Borrowed(path.rsplit_once('/').map_or(path, |(_, id)| id))
    };
    (!id.is_empty()).then_some(id)
}

/// A path without the version at its end: `Patient/x/_history/2` is `Patient/x`.
fn without_history(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((before, "_history")) => before,
        Some((before, _)) => before.strip_suffix("/_history").unwrap_or(path),
        None => path,
    }
}

/// The resource type that a reference names, where it names one.
pub fn target_type(reference: &str) -> Option<&str> {
    if reference.starts_with('#') || reference.starts_with("urn:") {
        return None;
    }
    let path = reference.split_once('?').map_or(reference, |(path, _)| path);
    if path.len() < reference.len() {
        return path.rsplit('/').next().filter(|kind| !kind.is_empty());
    }
    let (before, _) = without_history(path.trim_end_matches('/')).rsplit_once('/')?;
    before.rsplit('/').next().filter(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_style_gives_its_id() {
        for (reference, id) in [
            ("Patient/p-1", Some("p-1")),
            ("Patient/p-1/_history/7", Some("p-1")),
            ("https://example.org/fhir/Patient/p-1", Some("p-1")),
            ("https://example.org/fhir/Patient/p-1/_history/7", Some("p-1")),
            ("urn:uuid:0c6a", Some("0c6a")),
            ("Patient?identifier=http://x.org/mrn|17", Some("17")),
            ("Patient?identifier=http%3A%2F%2Fx.org%2Fmrn%7C17", Some("17")),
            ("Patient?identifier=17", Some("17")),
            ("Patient?name=x", None),
            ("#p1", None),
            ("p1", Some("p1")),
            ("Patient/", Some("Patient")),
            ("", None),
        ] {
            assert_eq!(logical_id(reference).as_deref(), id, "{reference}");
        }
    }

    #[test]
    fn the_type_is_read_where_it_is_named() {
        assert_eq!(target_type("Practitioner/1"), Some("Practitioner"));
        assert_eq!(target_type("http://a/fhir/Practitioner/1/_history/2"), Some("Practitioner"));
        assert_eq!(target_type("Practitioner?identifier=a|b"), Some("Practitioner"));
        assert_eq!(target_type("urn:uuid:1"), None);
        assert_eq!(target_type("x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,60}") {
            let _ = (logical_id(&text), target_type(&text));
        }

        #[test]
        fn an_id_survives_every_style(id in "[A-Za-z0-9.-]{1,64}") {
            for reference in [
                format!("Patient/{id}"), format!("urn:uuid:{id}"), format!("http://a.org/fhir/Patient/{id}/_history/1"),
                format!("Patient?identifier=urn:x|{id}"),
            ] {
                let read = logical_id(&reference);
                prop_assert_eq!(read.as_deref(), Some(id.as_str()));
            }
        }
    }
}
