//! One chunk of records made into rows. Chunks know nothing of each other, so they are read on any thread.

use metriccare_fhir::read::{
    Bundle, Condition, Encounter, Entry, Fault, Head, Identified, MOST_ENTRIES, Named, Patient, Reference, Rule, Text,
    pull, resource, types,
};

use super::{
    Counts, Limits,
    entry::{self, EntryKind},
    entry_facts::EntryFacts,
    records::{Chunk, Span, SpanKind},
    references::{Asked, Found, Identity, Link, Meaning, PATIENT, Place, References, looked_up, pass_over},
    rows::{Origin, Rows, condition::ConditionRow, encounter::EncounterRow, patient::PatientRow},
    withdrawn_patients::REASON,
};
use crate::keys::content_id;

/// What a chunk held besides its rows.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) counts: Counts,
    pub(super) found: Vec<Found>,
    pub(super) asked: Asked,
}

/// How deep Bundles within Bundles are opened. Systems wrap one in another, hardly ever two: what lies deeper is made to
/// exhaust its reader, who goes one call and one reading of the rest deeper with each.
const DEEPEST_BUNDLE: usize = 8;

/// Reads a chunk's records with what is known of the object's references, and appends their rows.
pub(super) fn read(
    chunk: &Chunk,
    origin: Origin<'_>,
    references: &References,
    limits: Limits,
    rows: &mut Rows,
) -> Findings {
    let mut reader = Reader { rows, findings: Findings::default(), origin, references, limits };
    for span in &chunk.spans {
        reader.span(span, &chunk.bytes[span.bytes.clone()]);
    }
    reader.findings
}

struct Reader<'a> {
    rows: &'a mut Rows,
    findings: Findings,
    origin: Origin<'a>,
    references: &'a References,
    limits: Limits,
}

/// What a readable record turned out to be.
enum Read {
    Row,
    Skipped(&'static str),
}

/// What a record is counted as that is of no type of FHIR: what it calls its type may be anything, a name or a birth date too.
const NO_FHIR_TYPE: &str = "no FHIR type";

impl Reader<'_> {
    fn span(&mut self, span: &Span, bytes: &[u8]) {
        if let SpanKind::Broken(rule, reason) = span.kind {
            if rule == Rule::TooLarge && span.length > self.limits.record as u64 {
                let reason = format!(
                    "the record has {} bytes, and a line, a document or an entry of a Bundle may have {}",
                    span.length, self.limits.record
                );
                return self.quarantine(span, bytes, None, &Fault::new(rule, reason));
            }
            if rule == Rule::TooLarge {
                let reason = format!("{reason}: that is {} bytes. Land it in parts", self.limits.unpacked);
                return self.quarantine(span, bytes, None, &Fault::new(rule, reason));
            }
            return self.quarantine(span, bytes, None, &Fault::new(rule, reason));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.quarantine(span, bytes, None, &Fault::new(Rule::NotUtf8, "the record is not UTF-8"));
        };
        match span.kind {
            SpanKind::Entry => self.entry(span, text, 1),
            _ => self.record(span, text, EntryFacts::default(), 0),
        }
    }

    /// An entry that lies within so many Bundles.
    fn entry(&mut self, span: &Span, text: &str, depth: usize) {
        let entry = match resource::read::<Entry<'_>>(text) {
            Ok(entry) => entry,
            Err(fault) => return self.quarantine(span, text.as_bytes(), None, &fault),
        };
        match entry::classify(&entry, self.origin) {
            Ok(EntryKind::Resource(resource, facts)) => self.record(span, resource, facts, depth),
            Ok(EntryKind::Deletion(deletion))
                if deletion.resource_type == "Patient" && self.origin.is_withdrawn(&deletion.resource_id) =>
            {
                self.skip(REASON);
            }
            Ok(EntryKind::Deletion(deletion)) => {
                self.rows.deletions.append(self.origin, &deletion);
                self.findings.counts.records += 1;
                self.findings.counts.deletions += 1;
            }
            Ok(EntryKind::Skipped(reason)) => self.skip(reason),
            Err(fault) => self.quarantine(span, text.as_bytes(), None, &fault),
        }
    }

    /// A resource that lies within so many Bundles; where it is one itself, its entries are the records.
    fn record(&mut self, span: &Span, text: &str, facts: EntryFacts<'_>, depth: usize) {
        let kind = match resource_type(text) {
            Ok(kind) => kind,
            Err(fault) => return self.quarantine(span, text.as_bytes(), None, &fault),
        };
        if &*kind == "Bundle" {
            return self.bundle(span, text, depth);
        }
        match self.resource(&kind, text, facts, depth > 0) {
            Ok(Read::Row) => self.findings.counts.records += 1,
            Ok(Read::Skipped(kind)) => self.skip(kind),
            Err(fault) => self.quarantine(span, text.as_bytes(), Some(&kind), &fault),
        }
    }

    fn bundle(&mut self, span: &Span, text: &str, depth: usize) {
        let entries = if depth < DEEPEST_BUNDLE {
            resource::read::<Bundle<'_>>(text).map(|bundle| bundle.entry.unwrap_or_default()).and_then(|entries| {
                let reason = format!(
                    "entry: more than the {MOST_ENTRIES} entries that a Bundle within a line, a list or another Bundle may \
                     have: land it as a document of its own"
                );
                if entries.too_many { Err(Fault::new(Rule::TooLarge, reason)) } else { Ok(entries.list) }
            })
        } else {
            let reason =
                format!("entry.resource: a Bundle within {DEEPEST_BUNDLE} others is not opened, land it by itself");
            Err(Fault::new(Rule::BadValue, reason))
        };
        match entries {
            Ok(entries) => entries.into_iter().for_each(|entry| self.entry(span, entry.get(), depth + 1)),
            Err(fault) => self.quarantine(span, text.as_bytes(), Some("Bundle"), &fault),
        }
    }

    fn resource(&mut self, kind: &str, text: &str, facts: EntryFacts<'_>, in_bundle: bool) -> Result<Read, Fault> {
        self.check_elements(kind, text)?;
        match kind {
            "Encounter" => self.encounter(text, facts, in_bundle),
            "Patient" => self.patient(text, facts, in_bundle),
            "Condition" => self.condition(text, facts),
            other => {
                self.other(other, text, facts, in_bundle)?;
                Ok(Read::Skipped(types::resource_type(other).unwrap_or(NO_FHIR_TYPE)))
            }
        }
    }

    /// Refuses a resource with more elements than are read: each takes many times its bytes of memory.
    fn check_elements(&self, kind: &str, text: &str) -> Result<(), Fault> {
        let most = self.limits.elements;
        let is_read = matches!(kind, "Encounter" | "Patient" | "Condition")
            || Place::of(kind).is_some()
            || looked_up(kind).is_some();
        if is_read && text.len() > most && memchr::memchr_iter(b',', text.as_bytes()).count() > most {
            let reason =
                format!("the resource has more than the {most} elements, told by their commas, that it may have");
            return Err(Fault::new(Rule::TooLarge, reason));
        }
        Ok(())
    }

    fn encounter(&mut self, text: &str, facts: EntryFacts<'_>, in_bundle: bool) -> Result<Read, Fault> {
        let encounter: Encounter<'_> = pull::read(text)?;
        let id = self.id("Encounter", encounter.id.as_ref(), facts)?;
        let found = &mut self.findings.found;
        found.extend(self.references.found_address("Encounter", id, facts.full_url));
        if self.references.collects_encounters() {
            let encounter: Identified<'_> = pull::read(text)?;
            let identifiers = Identity::of_others(encounter.identifier.as_deref());
            self.references.found_identifiers("Encounter", id, identifiers, in_bundle, found);
        } else if self.references.collects() {
            pass_over("Encounter", found);
        }
        let row = EncounterRow::of(&encounter, id, facts, self.origin, self.references)?;
        let hospital = row.hospital(self.references)?;
        if self.is_of_withdrawn(row.links()) {
            self.look_up(row.links());
            return Ok(Read::Skipped(REASON));
        }
        row.append(self.rows.encounters.of(hospital), self.origin, self.references, &content_id(text.as_bytes()));
        self.name(row.nameless());
        self.look_up(row.links());
        self.findings.counts.encounters += 1;
        Ok(Read::Row)
    }

    fn patient(&mut self, text: &str, facts: EntryFacts<'_>, in_bundle: bool) -> Result<Read, Fault> {
        let patient: Patient<'_> = pull::read(text)?;
        let id = self.id("Patient", patient.id.as_ref(), facts)?;
        let found = &mut self.findings.found;
        found.extend(self.references.found_address("Patient", id, facts.full_url));
        let identifiers = Identity::of_patient(patient.identifier.as_deref());
        self.references.found_identifiers("Patient", id, identifiers, in_bundle, found);
        if self.origin.is_withdrawn(id) {
            return Ok(Read::Skipped(REASON));
        }
        let row = PatientRow::of(&patient, id, facts, self.origin)?;
        let hospital = row.hospital(self.references)?;
        row.append(self.rows.patients.of(hospital), self.origin, &content_id(text.as_bytes()));
        self.name(row.nameless());
        self.findings.counts.patients += 1;
        Ok(Read::Row)
    }

    fn condition(&mut self, text: &str, facts: EntryFacts<'_>) -> Result<Read, Fault> {
        let condition: Condition<'_> = pull::read(text)?;
        let id = self.id("Condition", condition.id.as_ref(), facts)?;
        let row = ConditionRow::of(&condition, id, facts, self.origin, self.references)?;
        if self.is_of_withdrawn(row.links()) {
            self.look_up(row.links());
            return Ok(Read::Skipped(REASON));
        }
        let year = row.recorded_year().map(|year| year.to_string());
        row.append(self.rows.conditions.of(year.as_deref()), self.origin, &content_id(text.as_bytes()));
        self.look_up(row.links());
        self.findings.counts.conditions += 1;
        Ok(Read::Row)
    }

    /// A resource without a row of its own: read where others refer to it, else only held to be JSON.
    fn other(&mut self, kind: &str, text: &str, facts: EntryFacts<'_>, in_bundle: bool) -> Result<(), Fault> {
        if let Some(place) = Place::of(kind) {
            let named: Named<'_> = pull::read(text)?;
            let id = facts.id(kind, named.id.as_ref()).ok();
            if let Some((id, name)) = id.zip(named.name.as_ref().and_then(Text::trimmed)) {
                self.findings.found.push(Found::Name { place, id: id.to_owned(), name: name.to_owned() });
            }
        }
        if let Some(kind) = looked_up(kind)
            && self.references.collects()
            && let Ok(resource) = pull::read::<Identified<'_>>(text)
        {
            if let Ok(id) = facts.id(kind, resource.id.as_ref()) {
                self.findings.found.extend(self.references.found_address(kind, id, facts.full_url));
                let identifiers = Identity::of_others(resource.identifier.as_deref());
                self.references.found_identifiers(kind, id, identifiers, in_bundle, &mut self.findings.found);
            }
            return Ok(());
        }
        if !resource::is_json(text) {
            return Err(resource::read::<serde::de::IgnoredAny>(text)
                .err()
                .unwrap_or_else(|| Fault::new(Rule::NotJson, "the resource is not JSON")));
        }
        Ok(())
    }

    /// The logical id of a resource, as the lake may keep it.
    fn id<'r>(&self, kind: &str, own: Option<&'r Text<'_>>, facts: EntryFacts<'r>) -> Result<&'r str, Fault> {
        let id = facts.id(kind, own)?;
        self.origin.check(id)?;
        Ok(id)
    }

    /// Asks for the names of places that have no display.
    fn name<'r>(&mut self, places: impl Iterator<Item = (Place, &'r Reference<'r>)>) {
        if self.references.collects() {
            places.for_each(|(place, reference)| self.findings.asked.name(self.references, place, reference));
        }
    }

    /// Counts the references that mean nobody known, and asks for them.
    fn look_up<'r>(&mut self, links: impl Iterator<Item = Link<'r>>) {
        for link in links {
            self.findings.asked.reference();
            if link.meaning == Meaning::Unresolved {
                self.findings.counts.unresolve(link.element);
                if self.references.collects() {
                    self.findings.asked.target(link.reference, link.kinds);
                }
            }
        }
    }

    /// Whether one of a resource's links means a patient that was withdrawn.
    fn is_of_withdrawn<'r>(&self, mut links: impl Iterator<Item = Link<'r>>) -> bool {
        let is_withdrawn =
            |link: Link<'_>| link.kinds == PATIENT && link.meaning.id().is_some_and(|id| self.origin.is_withdrawn(id));
        self.origin.withdrawn.is_some() && links.any(is_withdrawn)
    }

    fn skip(&mut self, reason: &str) {
        self.findings.counts.records += 1;
        self.findings.counts.skip(reason);
    }

    fn quarantine(&mut self, span: &Span, bytes: &[u8], resource_type: Option<&str>, fault: &Fault) {
        if let Some(patients) = self.origin.withdrawn
            && patients.holds_any_in(&String::from_utf8_lossy(bytes), resource_type, self.origin.source)
        {
            return self.skip(REASON);
        }
        self.findings.counts.records += 1;
        self.findings.counts.quarantine(fault.rule.name());
        self.rows.quarantine.append(self.origin, span, Some(bytes), resource_type, fault, self.limits.raw);
    }
}

/// The type of a resource: read off its beginning where it stands there, as it mostly does.
fn resource_type(text: &str) -> Result<Text<'_>, Fault> {
    let start = text.strip_prefix('{').map(str::trim_start).unwrap_or_default();
    let value = start.strip_prefix("\"resourceType\"").map(str::trim_start);
    let value = value.and_then(|value| value.strip_prefix(':')).map(str::trim_start);
    let kind = value.and_then(|value| value.strip_prefix('"')).and_then(|value| value.split_once('"'));
    if let Some((kind, _)) = kind
        && !kind.is_empty()
        && kind.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        return Ok(Text::from(kind));
    }
    let head = resource::read::<Head<'_>>(text).map_err(|fault| match fault.rule {
        Rule::WrongType => Fault::new(Rule::NoResourceType, "the record is no JSON object with a resourceType"),
        _ => fault,
    })?;
    head.resource_type
        .filter(|kind| kind.trimmed().is_some())
        .ok_or_else(|| Fault::new(Rule::NoResourceType, "the record has no resourceType"))
}
