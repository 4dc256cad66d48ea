//! References of every style against the rules said once more, one reference at a time and with all entries at hand.

use std::{collections::BTreeSet, num::NonZeroUsize};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    Flattened, Limits,
    tests::{column, run},
};

/// How an entry is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    None,
    /// `urn:uuid:` and the resource's own id.
    OwnUrn,
    /// `urn:uuid:` and something else.
    OtherUrn,
    /// A server's address that ends in the type and the resource's own id.
    OwnUrl,
    /// A server's address that ends in the type and another id.
    OtherUrl,
}

/// A resource that references may mean.
#[derive(Clone, Debug)]
struct Target {
    kind: &'static str,
    number: u8,
    address: Address,
    has_id: bool,
    /// Namespaces (0 is none) and values.
    identifiers: Vec<(u8, u8)>,
}

/// How a reference names what it means.
#[derive(Clone, Debug)]
enum Style {
    Missing,
    Typed(&'static str, u8),
    Version(&'static str, u8),
    Url(&'static str, u8),
    Urn(&'static str, u8),
    /// The address of the target with this number.
    Address(usize, bool),
    /// A type, a namespace (none for any, 0 for without one) and a value.
    Query(&'static str, Option<u8>, u8),
    Element(Option<&'static str>, Option<u8>, u8),
    Contained,
    TypeAlone,
}

#[derive(Clone, Debug)]
struct Referrer {
    kind: &'static str,
    subject: Style,
    encounter: Style,
}

const KINDS: [&str; 3] = ["Patient", "Group", "Encounter"];

fn id(kind: &str, number: u8) -> String {
    format!("{}{number}", kind.to_ascii_lowercase())
}

fn system(number: u8) -> String {
    format!("http://example.org/ids|{number}").replace('|', "/")
}

impl Target {
    fn id(&self) -> String {
        id(self.kind, self.number)
    }

    fn full_url(&self) -> Option<String> {
        let (kind, id) = (self.kind, self.id());
        match self.address {
            Address::None => None,
            Address::OwnUrn => Some(format!("urn:uuid:{id}")),
            Address::OtherUrn => Some(format!("urn:uuid:0c6a-{id}")),
            Address::OwnUrl => Some(format!("http://a.org/fhir/{kind}/{id}")),
            Address::OtherUrl => Some(format!("http://b.org/fhir/{kind}/9{id}")),
        }
    }

    fn json(&self) -> Value {
        let identifiers: Vec<_> =
            self.identifiers.iter().map(|(space, value)| identifier(Some(*space), *value)).collect();
        let mut resource = json!({"resourceType": self.kind, "identifier": identifiers});
        if self.has_id || !matches!(self.address, Address::OwnUrn | Address::OwnUrl) {
            resource["id"] = self.id().into();
        }
        resource
    }
}

fn identifier(space: Option<u8>, value: u8) -> Value {
    let mut identifier = json!({"value": value.to_string()});
    if let Some(space) = space.filter(|space| *space > 0) {
        identifier["system"] = system(space).into();
    }
    identifier
}

impl Style {
    fn json(&self, targets: &[Target]) -> Option<Value> {
        Some(match self {
            Style::Missing => return None,
            Style::Typed(kind, number) => json!({"reference": format!("{kind}/{}", id(kind, *number))}),
            Style::Version(kind, number) => json!({"reference": format!("{kind}/{}/_history/3", id(kind, *number))}),
            Style::Url(kind, number) => json!({"reference": format!("https://c.org/R4/{kind}/{}", id(kind, *number))}),
            Style::Urn(kind, number) => json!({"reference": format!("URN:uuid:{}", id(kind, *number))}),
            Style::Address(at, upper) => {
                let url = targets.get(*at)?.full_url()?;
                json!({"reference": if *upper { url.replacen("urn:uuid:", "urn:UUID:", 1) } else { url }})
            }
            Style::Query(kind, space, value) => {
                let system = space.map(|space| if space == 0 { String::new() } else { system(space) });
                let token = system.map_or_else(|| value.to_string(), |system| format!("{system}%7C{value}"));
                json!({"reference": format!("{kind}?identifier={token}")})
            }
            Style::Element(kind, space, value) => {
                let mut reference = json!({"identifier": identifier(*space, *value)});
                if let Some(kind) = kind {
                    reference["type"] = (*kind).into();
                }
                reference
            }
            Style::Contained => json!({"reference": "#p1"}),
            Style::TypeAlone => json!({"reference": "Patient/"}),
        })
    }

    /// The id that the reference means where this type is expected, and whether it is unresolved.
    fn meaning(&self, expected: &str, targets: &[Target]) -> (Option<String>, bool) {
        let plain = |kind: &str, number: u8| ((kind == expected).then(|| id(kind, number)), false);
        match self {
            Style::Missing | Style::Contained | Style::TypeAlone => (None, false),
            Style::Typed(kind, number) | Style::Version(kind, number) | Style::Url(kind, number) => {
                plain(kind, *number)
            }
            // It says no type. A group that has it as its address decides, else it is taken for what is expected there:
            // patients and encounters are too many to keep the types of their own ids.
            Style::Urn(kind, number) => {
                let url = format!("urn:uuid:{}", id(kind, *number));
                let group =
                    targets.iter().any(|target| target.full_url().as_ref() == Some(&url) && target.kind == "Group");
                if group { plain(kind, *number) } else { (Some(id(kind, *number)), false) }
            }
            Style::Address(at, _) => match targets.get(*at) {
                Some(target) if target.address == Address::OwnUrn && target.kind != "Group" => {
                    (Some(target.id()), false)
                }
                Some(target) if target.full_url().is_some() => plain(target.kind, target.number),
                _ => (None, false),
            },
            Style::Query(kind, space, value) => carrier(Some(kind), expected, *space, *value, targets),
            Style::Element(kind, space, value) => {
                // An element without a namespace is one of any.
                carrier(*kind, expected, space.filter(|space| *space > 0), *value, targets)
            }
        }
    }
}

fn carrier(
    kind: Option<&str>,
    expected: &str,
    space: Option<u8>,
    value: u8,
    targets: &[Target],
) -> (Option<String>, bool) {
    if kind.is_some_and(|kind| kind != expected) {
        return (None, false);
    }
    let carries = |target: &&Target| {
        target.kind == expected
            && target.identifiers.iter().any(|(of, is)| *is == value && space.is_none_or(|space| space == *of))
    };
    let ids: BTreeSet<String> = targets.iter().filter(carries).map(Target::id).collect();
    if ids.len() == 1 { (ids.into_iter().next(), false) } else { (None, true) }
}

fn target() -> impl Strategy<Value = Target> {
    let address = prop::sample::select(vec![
        Address::None,
        Address::OwnUrn,
        Address::OtherUrn,
        Address::OwnUrl,
        Address::OtherUrl,
    ]);
    let identifiers = prop::collection::vec((0..3u8, 0..4u8), 0..3);
    (prop::sample::select(&KINDS[..]), 0..4u8, address, any::<bool>(), identifiers)
        .prop_map(|(kind, number, address, has_id, identifiers)| Target { kind, number, address, has_id, identifiers })
}

fn style() -> impl Strategy<Value = Style> {
    let kind = || prop::sample::select(&KINDS[..]);
    let space = || prop::option::of(0..3u8);
    prop_oneof![
        1 => Just(Style::Missing),
        2 => (kind(), 0..4u8).prop_map(|(kind, number)| Style::Typed(kind, number)),
        1 => (kind(), 0..4u8).prop_map(|(kind, number)| Style::Version(kind, number)),
        1 => (kind(), 0..4u8).prop_map(|(kind, number)| Style::Url(kind, number)),
        2 => (kind(), 0..4u8).prop_map(|(kind, number)| Style::Urn(kind, number)),
        4 => (0..8usize, any::<bool>()).prop_map(|(at, upper)| Style::Address(at, upper)),
        3 => (kind(), space(), 0..4u8).prop_map(|(kind, space, value)| Style::Query(kind, space, value)),
        3 => (prop::option::of(kind()), space(), 0..4u8)
            .prop_map(|(kind, space, value)| Style::Element(kind, space, value)),
        1 => Just(Style::Contained),
        1 => Just(Style::TypeAlone),
    ]
}

fn referrer() -> impl Strategy<Value = Referrer> {
    (prop::sample::select(vec!["Encounter", "Condition"]), style(), style())
        .prop_map(|(kind, subject, encounter)| Referrer { kind, subject, encounter })
}

/// The entries of the object: targets and referrers, mixed.
fn entries(targets: &[Target], referrers: &[Referrer], order: &[usize]) -> Vec<Value> {
    let with_url = |url: Option<String>, resource: Value| {
        let mut entry = Map::new();
        if let Some(url) = url {
            entry.insert("fullUrl".to_owned(), url.into());
        }
        entry.insert("resource".to_owned(), resource);
        Value::Object(entry)
    };
    let mut entries: Vec<Value> = targets.iter().map(|target| with_url(target.full_url(), target.json())).collect();
    for (at, referrer) in referrers.iter().enumerate() {
        let mut resource = json!({"resourceType": referrer.kind, "id": format!("r{at:02}")});
        if let Some(subject) = referrer.subject.json(targets) {
            resource["subject"] = subject;
        }
        if let Some(encounter) = referrer.encounter.json(targets).filter(|_| referrer.kind == "Condition") {
            resource["encounter"] = encounter;
        }
        entries.push(with_url(None, resource));
    }
    for (at, to) in order.iter().enumerate() {
        let (at, to) = (at % entries.len(), to % entries.len());
        entries.swap(at, to);
    }
    entries
}

/// The ids that a column holds, by the referrer's own id.
fn found(flat: &Flattened<Vec<u8>>, kind: &str, name: &str) -> Vec<(String, Option<String>)> {
    let table = format!("bronze/{}", kind.to_ascii_lowercase());
    let ids = column(flat, &table, &format!("{}_id", kind.to_ascii_lowercase()));
    let mut rows: Vec<_> = ids.into_iter().flatten().zip(column(flat, &table, name)).collect();
    rows.retain(|(id, _)| id.starts_with('r'));
    rows.sort();
    rows
}

fn agrees(flat: &Flattened<Vec<u8>>, targets: &[Target], referrers: &[Referrer]) {
    let of = |kind: &'static str| {
        referrers
            .iter()
            .enumerate()
            .filter(move |(_, one)| one.kind == kind)
            .map(|(at, one)| (format!("r{at:02}"), one))
    };
    let mut unresolved = 0;
    let mut expect = |kind: &'static str, name: &str, expected: &str, style: fn(&Referrer) -> &Style| {
        let wanted: Vec<_> = of(kind)
            .map(|(id, one)| {
                let (meaning, open) = style(one).meaning(expected, targets);
                unresolved += u64::from(open);
                (id, meaning)
            })
            .collect();
        assert_eq!(found(flat, kind, name), wanted, "{kind}.{name}");
    };
    expect("Encounter", "patient_id", "Patient", |one| &one.subject);
    expect("Condition", "patient_id", "Patient", |one| &one.subject);
    expect("Condition", "encounter_id", "Encounter", |one| &one.encounter);
    assert_eq!(flat.counts.unresolved.values().sum::<u64>(), unresolved);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn references_mean_what_the_rules_say(
        targets in prop::collection::vec(target(), 0..8),
        referrers in prop::collection::vec(referrer(), 1..8),
        order in prop::collection::vec(0..16usize, 16),
        chunk in prop::sample::select(vec![64_usize, 500, 4 << 20]),
        threads in 1..4usize,
    ) {
        let limits = Limits { chunk, ..Limits::default() };
        let threads = NonZeroUsize::new(threads).expect("at least one");
        let list = entries(&targets, &referrers, &order);
        let bundle = json!({"resourceType": "Bundle", "entry": list}).to_string();
        agrees(&run("a.json", bundle.as_bytes(), threads, limits), &targets, &referrers);
        let lines: Vec<_> = list.iter().map(|entry| json!({"resourceType": "Bundle", "entry": [entry]}).to_string()).collect();
        agrees(&run("a.ndjson", lines.join("\n").as_bytes(), threads, limits), &targets, &referrers);
        // Without a Bundle nothing has an address, and everything its own id.
        let bare: Vec<_> = targets.into_iter().map(|one| Target { address: Address::None, has_id: true, ..one }).collect();
        let lines: Vec<_> =
            entries(&bare, &referrers, &order).iter().map(|entry| entry["resource"].to_string()).collect();
        agrees(&run("a.ndjson", lines.join("\n").as_bytes(), threads, limits), &bare, &referrers);
    }
}
