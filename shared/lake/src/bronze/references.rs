//! What the references of one landed object mean, as far as the object itself says so.
//!
//! Three things cannot be known where a reference stands: which resource of the object has the address that it equals, who
//! carries the identifier that it names, and what an Organization or a Location is called. The first reading of an object
//! collects these and what was asked for; only where an answer turns up is the object read again, with the answers known.
//! Where an address or identifier belongs to resources with different ids, it means none of them.

mod asked;
mod found;

use std::collections::{BTreeMap, HashMap, HashSet};

use metriccare_fhir::read::{
    Reference,
    reference::{Target, target},
};
use xxhash_rust::xxh3::Xxh3Default;

pub(super) use asked::Asked;
pub(super) use found::{Found, Identity, looked_up, pass_over};

/// What a patient reference may mean.
pub(super) const PATIENT: &[&str] = &["Patient"];
/// What an encounter reference may mean.
pub(super) const ENCOUNTER: &[&str] = &["Encounter"];
/// What a reference to a clinician may mean.
pub(super) const PRACTITIONER: &[&str] = &["Practitioner", "PractitionerRole"];

/// Addresses, identifiers or names that are kept of one object, at most.
pub(super) const MOST: usize = 1_000_000;
/// Identifiers that are kept before it is known which are asked for.
const UNASKED: usize = 10_000;

/// A type of resource whose name is wanted.
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

    fn kinds(self) -> &'static [&'static str] {
        match self {
            Place::Organization => &["Organization"],
            Place::Location => &["Location"],
        }
    }
}

/// Something for each type of place.
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

/// The fingerprint of a type, a namespace and a value: what is kept of an identifier, which may be personal and long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct IdentifierKey(u128);

impl IdentifierKey {
    /// Without a namespace, the key stands for that value in any.
    fn new(kind: &str, system: Option<&str>, value: &str) -> Self {
        let mut hash = Xxh3Default::new();
        for part in [Some(kind), system, Some(value)] {
            hash.update(&part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
            hash.update(part.unwrap_or_default().as_bytes());
        }
        IdentifierKey(hash.digest128())
    }
}

/// What a reference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// The resource with this logical id.
    Id(&'a str),
    /// Nothing that could be looked up, or a resource of a type that does not belong there.
    Nothing,
    /// A resource that nobody, or more than one resource, in the object is.
    Unresolved,
}

impl<'a> Meaning<'a> {
    /// The logical id, where it means one.
    pub(super) fn id(self) -> Option<&'a str> {
        match self {
            Meaning::Id(id) => Some(id),
            Meaning::Nothing | Meaning::Unresolved => None,
        }
    }
}

/// A reference of a resource, and what it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    /// Where it stands, such as `Encounter.subject`.
    pub(super) element: &'static str,
    pub(super) reference: &'a Reference<'a>,
    /// The types that it may mean.
    pub(super) kinds: &'static [&'static str],
    pub(super) meaning: Meaning<'a>,
}

/// The id in `Type/id`, as most references are, which is quicker seen than parsed.
fn typed_id<'a>(raw: &'a str, kinds: &[&str]) -> Option<&'a str> {
    let id = kinds.iter().find_map(|kind| raw.strip_prefix(kind)?.strip_prefix('/'))?;
    (!id.is_empty() && memchr::memchr3(b'/', b'?', b'#', id.as_bytes()).is_none()).then_some(id)
}

/// What a reading of the object collects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// The first: addresses, names, what is asked for, and a limited number of identifiers.
    #[default]
    First,
    /// The second, where that limit was too small: the identifiers that are asked for as well.
    Collecting,
    /// The last: everything is known.
    Last,
}

/// A resource in the object: its type and its logical id.
type Resource = (String, String);

/// What is known of an object's references.
#[derive(Debug, Default)]
pub(super) struct References {
    reading: Reading,
    /// Resources by the addresses of their entries; none where an address is that of several.
    addresses: HashMap<String, Option<Resource>>,
    /// The logical ids of those who carry an identifier; none where several do.
    identifiers: HashMap<IdentifierKey, Option<String>>,
    names: Each<BTreeMap<String, String>>,
    asked: Asked,
    /// The identifiers to collect, of a reading that knows which are asked for.
    wanted: HashSet<IdentifierKey>,
    /// Types of which an identifier was passed over.
    uncollected: HashSet<String>,
    too_many: bool,
}

/// What has to follow a reading of the object.
pub(super) enum Next {
    /// Nothing: all that could be known was known.
    Done,
    /// Another reading with this knowledge.
    ReadAgain(Box<References>),
    /// Nothing: the object has more addresses, identifiers or names to look up than are kept.
    TooMany,
}

impl References {
    /// What a reference means where a resource of one of these types is expected.
    pub(super) fn meaning<'a>(&'a self, reference: &'a Reference<'_>, kinds: &[&str]) -> Meaning<'a> {
        if self.addresses.is_empty()
            && let Some(id) = reference.raw().and_then(|raw| typed_id(raw, kinds))
        {
            return Meaning::Id(id);
        }
        if !self.addresses.is_empty()
            && let Some(resource) = reference.raw().and_then(|raw| self.at_address(raw))
        {
            return match resource {
                Some((kind, id)) if kinds.contains(&kind.as_str()) => Meaning::Id(id),
                Some(_) => Meaning::Nothing,
                None => Meaning::Unresolved,
            };
        }
        match reference.target() {
            Some(Target::Id { kind, id }) if kind.is_none_or(|kind| kinds.contains(&kind)) => Meaning::Id(id),
            Some(Target::Identifier { kind, system, value }) if kind.is_none_or(|kind| kinds.contains(&kind)) => self
                .carrier(
                    kinds.iter().copied().filter(|one| kind.is_none_or(|kind| kind == *one)),
                    system.as_deref(),
                    &value,
                ),
            _ => Meaning::Nothing,
        }
    }

    /// A reference of a resource with what it means.
    pub(super) fn link<'a>(
        &'a self,
        element: &'static str,
        reference: Option<&'a Reference<'a>>,
        kinds: &'static [&'static str],
    ) -> Option<Link<'a>> {
        let reference = reference?;
        Some(Link { element, reference, kinds, meaning: self.meaning(reference, kinds) })
    }

    /// The name of the place that a reference means, where the object names it.
    pub(super) fn name(&self, place: Place, reference: Option<&Reference<'_>>) -> Option<&str> {
        let names = self.names.of(place);
        if names.is_empty() {
            return None;
        }
        names.get(self.meaning(reference?, place.kinds()).id()?).map(String::as_str)
    }

    fn at_address(&self, raw: &str) -> Option<&Option<Resource>> {
        let exact = self.addresses.get(&*found::address(raw));
        exact.or_else(|| self.addresses.get(raw.split_once("/_history/")?.0))
    }

    fn carrier<'k>(&self, kinds: impl Iterator<Item = &'k str>, system: Option<&str>, value: &str) -> Meaning<'_> {
        let mut carrier = None;
        for kind in kinds {
            match self.identifiers.get(&IdentifierKey::new(kind, system, value)) {
                Some(Some(id)) if carrier.is_none_or(|known| known == id) => carrier = Some(id),
                Some(_) => return Meaning::Unresolved,
                None => {}
            }
        }
        carrier.map_or(Meaning::Unresolved, |id| Meaning::Id(id))
    }

    /// Takes what a chunk found and asked for; chunks come in the order of the object.
    pub(super) fn learn(&mut self, found: Vec<Found>, asked: Asked) {
        for found in found {
            match found {
                Found::Name { place, id, name } => _ = self.names.of_mut(place).entry(id).or_insert(name),
                Found::Address { address, kind, id } => {
                    let known = self.addresses.entry(address).or_insert_with(|| Some((kind.clone(), id.clone())));
                    if known.as_ref().is_some_and(|known| *known != (kind, id)) {
                        *known = None;
                    }
                }
                Found::Identifier { key, kind, id } => self.learn_identifier(key, kind, id),
                Found::PassedOver { kind } => _ = self.uncollected.insert(kind.to_owned()),
            }
        }
        self.asked.add(asked);
        let names = self.names.organizations.len() + self.names.locations.len();
        self.too_many |= self.addresses.len() > MOST || names > MOST || self.asked.len() > MOST;
    }

    fn learn_identifier(&mut self, key: IdentifierKey, kind: &str, id: String) {
        if let Some(known) = self.identifiers.get_mut(&key) {
            if known.as_ref().is_some_and(|known| *known != id) {
                *known = None;
            }
        } else if self.reading == Reading::First && self.identifiers.len() >= UNASKED {
            self.uncollected.insert(kind.to_owned());
        } else {
            self.identifiers.insert(key, Some(id));
        }
    }

    /// An empty knowledge for what a reading with this one learns.
    pub(super) fn to_learn(&self) -> References {
        References { reading: self.reading, ..References::default() }
    }

    /// Whether more is known already than may be kept: the rest of the reading is in vain.
    pub(super) fn has_too_many(&self) -> bool {
        self.too_many
    }

    /// What has to follow the reading that learned this.
    pub(super) fn next_step(mut self) -> Next {
        if self.too_many {
            return Next::TooMany;
        }
        match self.reading {
            Reading::Last => return Next::Done,
            Reading::First if self.asked.names_one_of(&self.uncollected) => {
                let wanted = std::mem::take(&mut self.asked.identifiers);
                let known = References { reading: Reading::Collecting, wanted, ..References::default() };
                return Next::ReadAgain(Box::new(known));
            }
            Reading::First | Reading::Collecting => {}
        }
        let named = [Place::Organization, Place::Location]
            .into_iter()
            .any(|place| self.asked.places(place).any(|id| self.names.of(place).contains_key(id)));
        let addressed = self.asked.any && !self.addresses.is_empty();
        let carried = || self.asked.identifiers.iter().any(|key| self.identifiers.contains_key(key));
        if named || addressed || carried() {
            self.reading = Reading::Last;
            self.asked = Asked::default();
            return Next::ReadAgain(Box::new(self));
        }
        Next::Done
    }
}
