//! The logical id in a FHIR reference, whatever its style.

use percent_encoding::percent_decode_str;

/// The logical id that a reference names; none for a contained resource (`#x`) and for text without an id.
pub(super) fn logical_id(reference: &str) -> Option<String> {
    let reference = reference.trim();
    if reference.is_empty() || reference.starts_with('#') {
        return None;
    }
    if let Some((_, query)) = reference.split_once('?') {
        let value = query.split('&').find_map(|pair| pair.strip_prefix("identifier="))?;
        let value = percent_decode_str(value).decode_utf8_lossy();
        let id = value.rsplit_once('|').map_or(&*value, |(_, id)| id);
        return (!id.is_empty()).then(|| id.to_owned());
    }
    if let Some(urn) = reference.strip_prefix("urn:") {
        return urn.rsplit_once(':').map(|(_, id)| id.to_owned()).filter(|id| !id.is_empty());
    }
    let path = reference.split('#').next().unwrap_or_default();
    let path = path.split_once("/_history").map_or(path, |(path, _)| path);
    path.rsplit('/').next().filter(|id| !id.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_gives_its_id() {
        let id = |reference| logical_id(reference).unwrap_or_default();
        assert_eq!(id("Practitioner/p1"), "p1");
        assert_eq!(id("Practitioner/p1/_history/3"), "p1");
        assert_eq!(id("urn:uuid:0b-1"), "0b-1");
        assert_eq!(id("https://example.org/fhir/Practitioner/p1"), "p1");
        assert_eq!(id("Practitioner?identifier=http%3A%2F%2Fhl7.org%2Fnpi%7C99"), "99");
        assert_eq!(id("Practitioner?identifier=http://hl7.org/npi|99"), "99");
        assert_eq!(id("#contained"), "");
        assert_eq!(id(""), "");
        assert_eq!(id("Practitioner/"), "");
    }
}
