//! What a chunk's resources answer: their addresses, the identifiers that they carry, and the names of places.

use std::borrow::Cow;

use metriccare_fhir::read::{Text, patient::Identifier, reference::BusinessIdentifier};

use super::{IdentifierKey, Place, Reading, References, Target, target};

/// An answer to a reference that may stand anywhere in the object.
#[derive(Debug)]
pub(in crate::bronze) enum Found {
    /// The name of a place with this id.
    Name { place: Place, id: String, name: String },
    /// The address of a resource that its type and id do not give away.
    Address { address: String, kind: String, id: String },
    /// An identifier that a resource with this id carries.
    Identifier { key: IdentifierKey, kind: &'static str, id: String },
    /// Identifiers of a resource of this type were not looked at.
    PassedOver { kind: &'static str },
}

/// A namespace, empty where there is none, and a value in it.
#[derive(Clone, Copy, Debug)]
pub(in crate::bronze) struct Identity<'a> {
    system: &'a str,
    value: &'a str,
}

impl<'a> Identity<'a> {
    fn of(system: Option<&'a Text<'_>>, value: Option<&'a Text<'_>>) -> Option<Self> {
        let system = system.and_then(Text::trimmed).unwrap_or_default();
        Some(Identity { system, value: value?.trimmed()? })
    }

    /// The identifiers of a patient.
    pub(in crate::bronze) fn of_patient(list: Option<&'a [Identifier<'_>]>) -> impl Iterator<Item = Self> {
        let list = list.unwrap_or_default().iter();
        list.filter_map(|one| Identity::of(one.system.as_ref(), one.value.as_ref()))
    }

    /// The identifiers of any other resource.
    pub(in crate::bronze) fn of_others(list: Option<&'a [BusinessIdentifier<'_>]>) -> impl Iterator<Item = Self> {
        let list = list.unwrap_or_default().iter();
        list.filter_map(|one| Identity::of(one.system.as_ref(), one.value.as_ref()))
    }
}

/// The types whose identifiers are looked at wherever they stand. Patients are, in a Bundle; encounters are not, until they
/// are asked for.
const FEW: [&str; 4] = ["Practitioner", "PractitionerRole", "Organization", "Location"];

/// Other types that a reference may mean where a patient, an encounter or a clinician is expected: a `urn:uuid:` does not say
/// that it means one of them. (One that ends in the own id of a patient where an encounter is expected is not found out:
/// every patient of the object would have to be kept.)
const MISTAKABLE: [&str; 6] = ["Group", "Device", "RelatedPerson", "HealthcareService", "CareTeam", "EpisodeOfCare"];

/// The type, where its resources have no row and yet are to be read for their ids and identifiers.
pub(in crate::bronze) fn looked_up(kind: &str) -> Option<&'static str> {
    FEW.into_iter().chain(MISTAKABLE).find(|known| *known == kind)
}

/// An address as it is compared: the scheme of a URN may be in any case.
pub(super) fn address(raw: &str) -> Cow<'_, str> {
    const URN: &str = "urn:uuid:";
    match raw.get(..URN.len()) {
        Some(scheme) if scheme != URN && scheme.eq_ignore_ascii_case(URN) => {
            Cow::Owned(format!("{URN}{}", &raw[URN.len()..]))
        }
        _ => Cow::Borrowed(raw),
    }
}

/// Notes that the identifiers of a resource were not looked at.
pub(in crate::bronze) fn pass_over(kind: &'static str, found: &mut Vec<Found>) {
    if !matches!(found.last(), Some(Found::PassedOver { kind: last }) if *last == kind) {
        found.push(Found::PassedOver { kind });
    }
}

impl References {
    /// Whether this reading collects at all.
    pub(in crate::bronze) fn collects(&self) -> bool {
        self.reading != Reading::Last
    }

    /// Whether this reading looks at the identifiers of encounters.
    pub(in crate::bronze) fn collects_encounters(&self) -> bool {
        self.reading == Reading::Collecting
    }

    /// The address of a resource, where it is to be kept: one that ends in the resource's type and id needs no keeping.
    pub(in crate::bronze) fn found_address(&self, kind: &str, id: &str, full_url: Option<&str>) -> Option<Found> {
        let full_url = full_url.filter(|_| self.collects())?;
        let plain = match target(full_url) {
            Some(Target::Id { kind: Some(named), id: tail }) => named == kind && tail == id,
            Some(Target::Id { kind: None, id: tail }) => tail == id && !MISTAKABLE.contains(&kind),
            _ => false,
        };
        (!plain).then(|| Found::Address {
            address: address(full_url).into_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
        })
    }

    /// The identifiers of a resource that are to be kept.
    pub(in crate::bronze) fn found_identifiers<'i>(
        &self,
        kind: &'static str,
        id: &str,
        identifiers: impl Iterator<Item = Identity<'i>>,
        in_bundle: bool,
        found: &mut Vec<Found>,
    ) {
        if !self.collects() {
            return;
        }
        let asked = self.reading == Reading::Collecting;
        if !asked && !FEW.contains(&kind) && !in_bundle {
            return pass_over(kind, found);
        }
        for Identity { system, value } in identifiers {
            for system in [Some(system), None] {
                let key = IdentifierKey::new(kind, system, value);
                if !asked || self.wanted.contains(&key) {
                    found.push(Found::Identifier { key, kind, id: id.to_owned() });
                }
            }
        }
    }
}
