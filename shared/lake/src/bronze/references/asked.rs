//! What the references of a chunk ask for: what only the whole object can answer.

use std::collections::{BTreeSet, HashSet};

use metriccare_fhir::read::{Reference, reference::Target};

use super::{Each, IdentifierKey, Meaning, Place, References};

/// The names and identifiers that were asked for.
#[derive(Debug, Default)]
pub(in crate::bronze) struct Asked {
    /// The ids of places whose name is wanted.
    names: Each<BTreeSet<String>>,
    pub(super) identifiers: HashSet<IdentifierKey>,
    /// The types of those identifiers.
    kinds: BTreeSet<&'static str>,
    /// Whether there is any reference that may equal an address.
    pub(super) any: bool,
}

impl Asked {
    /// Asks for the name of the place that a reference means.
    pub(in crate::bronze) fn name(&mut self, references: &References, place: Place, reference: &Reference<'_>) {
        match references.meaning(reference, place.kinds()) {
            Meaning::Id(id) => {
                let ids = self.names.of_mut(place);
                if !ids.contains(id) {
                    ids.insert(id.to_owned());
                }
            }
            Meaning::Nothing => {}
            Meaning::Unresolved => self.target(reference, place.kinds()),
        }
        self.any = true;
    }

    /// Asks for the resource that a reference means by an identifier.
    pub(in crate::bronze) fn target(&mut self, reference: &Reference<'_>, kinds: &[&'static str]) {
        let Some(Target::Identifier { kind, system, value }) = reference.target() else { return };
        for one in kinds.iter().copied().filter(|one| kind.is_none_or(|kind| kind == *one)) {
            self.kinds.insert(one);
            self.identifiers.insert(IdentifierKey::new(one, system.as_deref(), &value));
        }
    }

    /// Notes that a reference is there, which may equal an address.
    pub(in crate::bronze) fn reference(&mut self) {
        self.any = true;
    }

    pub(super) fn add(&mut self, other: Asked) {
        self.names.organizations.extend(other.names.organizations);
        self.names.locations.extend(other.names.locations);
        self.identifiers.extend(other.identifiers);
        self.kinds.extend(other.kinds);
        self.any |= other.any;
    }

    pub(super) fn len(&self) -> usize {
        self.names.organizations.len() + self.names.locations.len() + self.identifiers.len()
    }

    pub(super) fn places(&self, place: Place) -> impl Iterator<Item = &str> {
        self.names.of(place).iter().map(String::as_str)
    }

    pub(super) fn names_one_of(&self, kinds: &HashSet<String>) -> bool {
        self.kinds.iter().any(|kind| kinds.contains(*kind))
    }
}
