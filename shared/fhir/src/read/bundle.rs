//! Bundle entries: the resource, and what the request and the response beside it say.
//!
//! A history, a transaction and a bulk export's `deleted` file state in the request whether the resource was written or
//! deleted, and in the response when, and which version that made.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Text;

/// How many entries a Bundle inside a line, a list or another Bundle may have; one that is a document of its own is read
/// entry by entry and may have any number.
pub const MOST_ENTRIES: usize = 100_000;

/// A Bundle whose entries are unread; for Bundles inside a line or a list.
#[derive(Debug, Deserialize)]
pub struct Bundle<'a> {
    /// The entries, unread.
    #[serde(borrow)]
    pub entry: Option<Entries<'a>>,
}

/// The entries of a Bundle, up to [`MOST_ENTRIES`].
#[derive(Debug, Default)]
pub struct Entries<'a> {
    /// The entries, unread.
    pub list: Vec<&'a RawValue>,
    /// Whether there are more than are kept.
    pub too_many: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Entries::default();
                while entries.list.len() < MOST_ENTRIES {
                    match sequence.next_element()? {
                        Some(entry) => entries.list.push(entry),
                        None => return Ok(entries),
                    }
                }
                while sequence.next_element::<IgnoredAny>()?.is_some() {
                    entries.too_many = true;
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_seq(List)
    }
}

/// An entry of a Bundle.
#[derive(Debug, Deserialize)]
pub struct Entry<'a> {
    /// The entry's identity: references that equal it mean this entry's resource.
    #[serde(rename = "fullUrl", borrow)]
    pub full_url: Option<Text<'a>>,
    /// The resource, unread.
    #[serde(borrow)]
    pub resource: Option<&'a RawValue>,
    /// What was asked of the server.
    #[serde(borrow)]
    pub request: Option<Request<'a>>,
    /// What the server answered.
    #[serde(borrow)]
    pub response: Option<Response<'a>>,
}

/// `Bundle.entry.request`.
#[derive(Debug, Default, Deserialize)]
pub struct Request<'a> {
    /// The HTTP method.
    #[serde(borrow)]
    pub method: Option<Text<'a>>,
    /// The address, relative to the server's base.
    #[serde(borrow)]
    pub url: Option<Text<'a>>,
}

/// `Bundle.entry.response`.
#[derive(Debug, Default, Deserialize)]
pub struct Response<'a> {
    /// The HTTP status, with or without its words.
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    /// The ETag of the resource's version.
    #[serde(borrow)]
    pub etag: Option<Text<'a>>,
    /// When the version came to be.
    #[serde(rename = "lastModified", borrow)]
    pub last_modified: Option<Text<'a>>,
}

impl Entry<'_> {
    /// Whether the request has this method, in any case.
    pub fn has_method(&self, method: &str) -> bool {
        let request = self.request.as_ref().and_then(|request| request.method.as_ref()?.trimmed());
        request.is_some_and(|request| request.eq_ignore_ascii_case(method))
    }

    /// Whether the response's status is there and is not 2xx.
    pub fn failed(&self) -> bool {
        let status = self.response.as_ref().and_then(|response| response.status.as_ref()?.trimmed());
        status.is_some_and(|status| {
            let digits = status.bytes().take_while(u8::is_ascii_digit).count();
            digits != 3 || !status.starts_with('2')
        })
    }

    /// The request's address, trimmed.
    pub fn url(&self) -> Option<&str> {
        self.request.as_ref()?.url.as_ref()?.trimmed()
    }

    /// The version that the response's ETag names.
    pub fn version_id(&self) -> Option<&str> {
        let etag = self.response.as_ref()?.etag.as_ref()?.trimmed()?;
        let etag = etag.strip_prefix("W/").or_else(|| etag.strip_prefix("w/")).unwrap_or(etag);
        let version = etag.trim_matches('"').trim();
        (!version.is_empty()).then_some(version)
    }

    /// When the response says that the version came to be.
    pub fn last_modified(&self) -> Option<&Text<'_>> {
        self.response.as_ref()?.last_modified.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::resource;

    fn entry(json: &str) -> Entry<'_> {
        resource::read(json).expect("an entry")
    }

    #[test]
    fn only_a_status_of_2xx_succeeded() {
        for (status, failed) in [
            ("200", false),
            ("201 Created", false),
            (" 204 No Content ", false),
            ("", false),
            ("404", true),
            ("412 Precondition Failed", true),
            ("304", true),
            ("OK", true),
            ("2", true),
            ("2000", true),
        ] {
            let json = format!(r#"{{"response":{{"status":"{status}"}}}}"#);
            assert_eq!(entry(&json).failed(), failed, "{status}");
        }
        assert!(!entry("{}").failed());
    }

    #[test]
    fn weak_and_strong_etags_name_their_version() {
        for (etag, version) in
            [(r#"W/\"3\""#, Some("3")), (r#"\"a-b\""#, Some("a-b")), ("7", Some("7")), (r#"W/\"\""#, None), ("", None)]
        {
            let json = format!(r#"{{"response":{{"etag":"{etag}"}}}}"#);
            assert_eq!(entry(&json).version_id(), version, "{etag}");
        }
    }

    #[test]
    fn methods_are_read_in_any_case() {
        assert!(entry(r#"{"request":{"method":"delete","url":"Encounter/e"}}"#).has_method("DELETE"));
        assert!(!entry(r#"{"request":{"url":"Encounter/e"}}"#).has_method("DELETE"));
    }
}
