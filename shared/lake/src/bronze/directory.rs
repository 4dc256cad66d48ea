//! The names of Organizations and Locations of one landed object, for references that carry no display.
//!
//! The first name of an id stays, so that the result does not depend on how the object was cut into chunks.

use std::collections::{BTreeMap, BTreeSet};

use metriccare_fhir::read::{Named, reference};

/// Names by logical id, and the ids that were asked for in vain.
#[derive(Debug, Default)]
pub(super) struct Directory {
    names: BTreeMap<String, String>,
    wanted: BTreeSet<String>,
}

/// A name that a chunk found, with the ids it goes by.
pub(super) type Found = (String, String);

impl Directory {
    /// The name of a reference's target, where the directory knows it.
    pub(super) fn name(&self, raw_reference: Option<&str>) -> Option<&str> {
        self.names.get(reference::logical_id(raw_reference?)?.as_ref()).map(String::as_str)
    }

    /// Takes what a chunk found and what it missed.
    pub(super) fn learn(&mut self, found: Vec<Found>, wanted: BTreeSet<String>) {
        for (id, name) in found {
            self.names.entry(id).or_insert(name);
        }
        self.wanted.extend(wanted);
    }

    /// Whether a name came after a reference to it: the object must be read again with the names known.
    pub(super) fn came_late(&self) -> bool {
        self.wanted.iter().any(|id| self.names.contains_key(id))
    }

    /// Whether no name is known.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// All ids that a named resource goes by: its own, its entry's, and its identifiers'.
pub(super) fn ids_of(named: &Named<'_>, full_url: Option<&str>) -> Vec<Found> {
    let Some(name) = named.name.as_ref().and_then(|name| name.trimmed()) else { return Vec::new() };
    let own = named.id.as_ref().and_then(|id| id.trimmed()).map(str::to_owned);
    let entry = full_url.and_then(reference::logical_id).map(|id| id.into_owned());
    let identifiers = named.identifier.as_deref().unwrap_or_default().iter();
    let identifiers = identifiers.filter_map(|identifier| identifier.value.as_ref()?.trimmed().map(str::to_owned));
    own.into_iter().chain(entry).chain(identifiers).map(|id| (id, name.to_owned())).collect()
}
