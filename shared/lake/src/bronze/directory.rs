//! The names of Organizations and Locations of one landed object, for references that carry no display.
//!
//! The first name of an id stays, so that the result does not depend on how the object was cut into chunks. An id is one
//! resource only within its type: systems number both from 1.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use metriccare_fhir::read::{
    Named,
    reference::{self, Reference, target_type},
};

/// A type of resource that gives names to references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A hospital.
    Organization,
    /// A department.
    Location,
}

impl Place {
    /// The type of that name, where its resources have names that are wanted.
    pub(super) fn of(resource_type: &str) -> Option<Place> {
        match resource_type {
            "Organization" => Some(Place::Organization),
            "Location" => Some(Place::Location),
            _ => None,
        }
    }

    /// The id of this type that a reference points at; none where the reference names another type.
    fn id(self, raw_reference: &str) -> Option<Cow<'_, str>> {
        match target_type(raw_reference) {
            Some(kind) if Place::of(kind) != Some(self) => None,
            _ => reference::logical_id(raw_reference),
        }
    }
}

/// Something for each type.
#[derive(Debug, Default)]
struct Each<T> {
    organizations: T,
    locations: T,
}

impl<T> Each<T> {
    fn of(&self, place: Place) -> &T {
        match place {
            Place::Organization => &self.organizations,
            Place::Location => &self.locations,
        }
    }

    fn of_mut(&mut self, place: Place) -> &mut T {
        match place {
            Place::Organization => &mut self.organizations,
            Place::Location => &mut self.locations,
        }
    }
}

/// Names by type and logical id, and the ids that were asked for in vain.
#[derive(Debug, Default)]
pub(super) struct Directory {
    names: Each<BTreeMap<String, String>>,
    wanted: Wanted,
}

/// The ids of references that carry no display.
#[derive(Debug, Default)]
pub(super) struct Wanted(Each<BTreeSet<String>>);

impl Wanted {
    /// Asks for the name of a reference's target.
    pub(super) fn add(&mut self, place: Place, reference: &Reference<'_>) {
        let Some(id) = reference.raw().and_then(|raw| place.id(raw)) else { return };
        let ids = self.0.of_mut(place);
        if !ids.contains(id.as_ref()) {
            ids.insert(id.into_owned());
        }
    }
}

/// A name that a chunk found, with an id that it goes by.
#[derive(Debug)]
pub(super) struct Found {
    place: Place,
    id: String,
    name: String,
}

impl Directory {
    /// The name of a reference's target, where the directory knows it.
    pub(super) fn name(&self, place: Place, raw_reference: Option<&str>) -> Option<&str> {
        self.names.of(place).get(place.id(raw_reference?)?.as_ref()).map(String::as_str)
    }

    /// Takes what a chunk found and what it missed.
    pub(super) fn learn(&mut self, found: Vec<Found>, wanted: Wanted) {
        for Found { place, id, name } in found {
            self.names.of_mut(place).entry(id).or_insert(name);
        }
        self.wanted.0.organizations.extend(wanted.0.organizations);
        self.wanted.0.locations.extend(wanted.0.locations);
    }

    /// Whether a name came after a reference to it: the object must be read again with the names known.
    pub(super) fn came_late(&self) -> bool {
        let known = |place: Place| self.wanted.0.of(place).iter().any(|id| self.names.of(place).contains_key(id));
        known(Place::Organization) || known(Place::Location)
    }

    /// Whether no name is known.
    pub(super) fn is_empty(&self) -> bool {
        self.names.organizations.is_empty() && self.names.locations.is_empty()
    }
}

/// A named resource's name under all ids that it goes by: its own, its entry's, and its identifiers'.
pub(super) fn names_of(place: Place, named: &Named<'_>, full_url: Option<&str>) -> Vec<Found> {
    let Some(name) = named.name.as_ref().and_then(|name| name.trimmed()) else { return Vec::new() };
    let own = named.id.as_ref().and_then(|id| id.trimmed()).map(str::to_owned);
    let entry = full_url.and_then(reference::logical_id).map(|id| id.into_owned());
    let identifiers = named.identifier.as_deref().unwrap_or_default().iter();
    let identifiers = identifiers.filter_map(|identifier| identifier.value.as_ref()?.trimmed().map(str::to_owned));
    let found = |id| Found { place, id, name: name.to_owned() };
    own.into_iter().chain(entry).chain(identifiers).map(found).collect()
}
