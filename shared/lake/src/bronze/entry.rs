//! What a Bundle's entry is: a resource to take in, a deletion, or nothing for the lake.
//!
//! A deletion is a version of its resource that says that it is gone. It needs the resource's type and id and nothing
//! else, so they are taken from wherever the entry has them: the request, the `fullUrl`, the resource beside it.

use metriccare_fhir::read::{
    Entry, Fault, Meta, Rule, Text,
    reference::{logical_id, target_type},
    resource,
};
use serde::Deserialize;

use super::entry_facts::EntryFacts;
use super::rows::{Origin, instant, plausible};

/// The resources that the lake keeps.
const KEPT: [&str; 3] = ["Patient", "Encounter", "Condition"];

/// What is to be done with an entry.
pub(super) enum EntryKind<'a> {
    /// A resource to read.
    Resource(&'a str, EntryFacts<'a>),
    /// A deletion.
    Deletion(Deletion),
    /// Nothing, for this reason.
    Skipped(&'static str),
}

/// A version of a resource that says that it is gone.
#[derive(Debug)]
pub(super) struct Deletion {
    pub(super) resource_type: String,
    pub(super) resource_id: String,
    /// When it was deleted, in UTC microseconds, where the entry says so.
    pub(super) time: Option<i64>,
    pub(super) version_id: Option<String>,
}

/// The resource that stands beside a deletion.
#[derive(Debug, Deserialize)]
struct Deleted<'a> {
    #[serde(rename = "resourceType", borrow)]
    resource_type: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    meta: Option<Meta<'a>>,
}

/// Decides what an entry is.
pub(super) fn classify<'a>(entry: &'a Entry<'_>, origin: Origin<'_>) -> Result<EntryKind<'a>, Fault> {
    if entry.failed() {
        return Ok(EntryKind::Skipped("entry whose request failed"));
    }
    if entry.has_method("GET") || entry.has_method("HEAD") {
        return Ok(EntryKind::Skipped("entry that only reads"));
    }
    if entry.has_method("DELETE") {
        return deletion(entry, origin);
    }
    Ok(match entry.resource {
        Some(resource) => EntryKind::Resource(resource.get(), EntryFacts::of(entry)),
        None => EntryKind::Skipped("entry without resource"),
    })
}

fn deletion<'a>(entry: &'a Entry<'_>, origin: Origin<'_>) -> Result<EntryKind<'a>, Fault> {
    const OTHER: EntryKind<'_> = EntryKind::Skipped("deletion of another type");
    let url = entry.url().unwrap_or_default();
    let full_url = entry.full_url.as_ref().and_then(Text::trimmed);
    let resource = entry.resource.map(|resource| resource::read::<Deleted<'_>>(resource.get())).transpose()?;
    let own_type = resource.as_ref().and_then(|resource| resource.resource_type.as_ref()?.trimmed());
    let named = target_type(url).or_else(|| KEPT.into_iter().find(|kind| *kind == url.trim_matches('/')));
    let Some(kind) = named.or_else(|| full_url.and_then(target_type)).or(own_type) else {
        return Err(Fault::new(Rule::DeletionWithoutId, "request.url: the deletion names no resource"));
    };
    if !KEPT.contains(&kind) {
        return Ok(OTHER);
    }
    if url.contains('?') {
        let reason = "request.url: a conditional deletion names no resource, land the deletions that it led to";
        return Err(Fault::new(Rule::DeletionWithoutId, reason));
    }
    if url.contains("/_history") {
        return Ok(EntryKind::Skipped("deletion of one version"));
    }
    let of_kind = |url: &'a str| logical_id(url).filter(|_| target_type(url).is_none_or(|named| named == kind));
    let id = Some(url).filter(|url| target_type(url).is_some()).and_then(of_kind);
    let own_id = || resource.as_ref()?.id.as_ref()?.trimmed();
    let Some(id) = id.or_else(|| full_url.and_then(of_kind)).or_else(own_id) else {
        return Err(Fault::new(Rule::DeletionWithoutId, "request.url: the deletion has no id"));
    };
    let meta = resource.as_ref().and_then(|resource| resource.meta.as_ref());
    let time = instant("response.lastModified", entry.last_modified())?;
    let time = match time {
        Some(time) => Some(time),
        None => instant("meta.lastUpdated", meta.and_then(|meta| meta.last_updated.as_ref()))?,
    };
    plausible::updated("response.lastModified", time, origin.landed_micros)?;
    origin.check(id)?;
    let own_version = || meta?.version_id.as_ref()?.trimmed();
    Ok(EntryKind::Deletion(Deletion {
        resource_type: kind.to_owned(),
        resource_id: id.to_owned(),
        time,
        version_id: entry.version_id().or_else(own_version).map(str::to_owned),
    }))
}
