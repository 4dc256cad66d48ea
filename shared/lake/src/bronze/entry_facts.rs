//! What a Bundle's entry says about the resource in it: addresses, version and time.

use metriccare_fhir::read::{
    Entry, Fault, Rule, Text,
    reference::{logical_id, target_type},
};

/// What an entry says about its resource; nothing where the resource lies in no entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EntryFacts<'a> {
    /// The entry's identity.
    pub(super) full_url: Option<&'a str>,
    /// The address that the resource was PUT to.
    pub(super) put_url: Option<&'a str>,
    /// The version in the response's ETag.
    pub(super) version_id: Option<&'a str>,
    /// The time of that version in the response.
    pub(super) last_modified: Option<&'a Text<'a>>,
}

impl<'a> EntryFacts<'a> {
    pub(super) fn of(entry: &'a Entry<'_>) -> Self {
        EntryFacts {
            full_url: entry.full_url.as_ref().and_then(Text::trimmed),
            put_url: entry.url().filter(|_| entry.has_method("PUT")),
            version_id: entry.version_id(),
            last_modified: entry.last_modified(),
        }
    }

    /// The id of a resource: its own, else the one in the entry's `fullUrl`, else the one it was PUT to.
    pub(super) fn id<'r>(&self, kind: &str, own: Option<&'r Text<'_>>) -> Result<&'r str, Fault>
    where
        'a: 'r,
    {
        let address = |url: Option<&'a str>| {
            let url = url.filter(|url| target_type(url).is_none_or(|named| named == kind))?;
            logical_id(url)
        };
        own.and_then(Text::trimmed)
            .or_else(|| address(self.full_url))
            .or_else(|| address(self.put_url.filter(|url| target_type(url).is_some())))
            .ok_or_else(|| Fault::new(Rule::NoId, "the resource has no id"))
    }
}
