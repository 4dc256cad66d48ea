//! One chunk of records made into rows. Chunks know nothing of each other, so they are read on any thread.

use metriccare_fhir::read::{
    Condition, Encounter, Entry, Fault, Head, Named, Patient, Rule, Text, pull,
    reference::{self, Reference},
    resource::{self, Bundle},
};

use super::{
    Counts, Limits,
    directory::{Directory, Found, Place, Wanted, names_of},
    records::{Chunk, Span, SpanKind},
    rows::{Origin, Rows, condition::ConditionRow, encounter::EncounterRow, patient::PatientRow},
};
use crate::keys::content_id;

/// What a chunk held besides its rows.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) counts: Counts,
    pub(super) found: Vec<Found>,
    pub(super) wanted: Wanted,
}

/// How deep Bundles within Bundles are opened. Systems wrap one in another, hardly ever two: what lies deeper is made to
/// exhaust its reader, who goes one call and one reading of the rest deeper with each.
const DEEPEST_BUNDLE: usize = 8;

/// Reads a chunk's records with the names that are known so far, and appends their rows.
pub(super) fn read(
    chunk: &Chunk,
    origin: Origin<'_>,
    directory: &Directory,
    limits: Limits,
    rows: &mut Rows,
) -> Findings {
    let mut reader = Reader { rows, findings: Findings::default(), origin, directory, limits };
    for span in &chunk.spans {
        reader.span(span, &chunk.bytes[span.bytes.clone()]);
    }
    reader.findings
}

struct Reader<'a> {
    rows: &'a mut Rows,
    findings: Findings,
    origin: Origin<'a>,
    directory: &'a Directory,
    limits: Limits,
}

/// What a readable record turned out to be.
enum Read {
    Row,
    Skipped(String),
}

impl Reader<'_> {
    fn span(&mut self, span: &Span, bytes: &[u8]) {
        if let SpanKind::Broken(rule, reason) = span.kind {
            return self.quarantine(span, bytes, None, &Fault::new(rule, reason));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.quarantine(span, bytes, None, &Fault::new(Rule::NotUtf8, "the record is not UTF-8"));
        };
        match span.kind {
            SpanKind::Entry => self.entry(span, text, 1),
            _ => self.record(span, text, None, 0),
        }
    }

    /// An entry that lies within so many Bundles.
    fn entry(&mut self, span: &Span, text: &str, depth: usize) {
        match resource::read::<Entry<'_>>(text) {
            Ok(Entry { resource: Some(resource), full_url }) => {
                self.record(span, resource.get(), full_url.as_deref(), depth);
            }
            Ok(Entry { resource: None, .. }) => {
                self.findings.counts.records += 1;
                self.findings.counts.skip("entry without resource");
            }
            Err(fault) => self.quarantine(span, text.as_bytes(), None, &fault),
        }
    }

    /// A resource that lies within so many Bundles; where it is one itself, its entries are the records.
    fn record(&mut self, span: &Span, text: &str, full_url: Option<&str>, depth: usize) {
        let kind = match resource_type(text) {
            Ok(kind) => kind,
            Err(fault) => return self.quarantine(span, text.as_bytes(), None, &fault),
        };
        if &*kind == "Bundle" {
            return self.bundle(span, text, depth);
        }
        match self.resource(&kind, text, full_url) {
            Ok(Read::Row) => self.findings.counts.records += 1,
            Ok(Read::Skipped(kind)) => {
                self.findings.counts.records += 1;
                self.findings.counts.skip(&kind);
            }
            Err(fault) => self.quarantine(span, text.as_bytes(), Some(&kind), &fault),
        }
    }

    fn bundle(&mut self, span: &Span, text: &str, depth: usize) {
        let entries = if depth < DEEPEST_BUNDLE {
            resource::read::<Bundle<'_>>(text).map(|bundle| bundle.entry.unwrap_or_default())
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

    fn resource(&mut self, kind: &str, text: &str, full_url: Option<&str>) -> Result<Read, Fault> {
        match kind {
            "Encounter" => {
                let encounter: Encounter<'_> = pull::read(text)?;
                let id = id(encounter.id.as_ref(), full_url)?;
                let row = EncounterRow::of(&encounter, &id)?;
                let hospital = row.hospital(self.directory)?;
                row.append(
                    self.rows.encounters.of(hospital),
                    self.origin,
                    self.directory,
                    &content_id(text.as_bytes()),
                );
                self.want(row.nameless());
                self.findings.counts.encounters += 1;
            }
            "Patient" => {
                let patient: Patient<'_> = pull::read(text)?;
                let id = id(patient.id.as_ref(), full_url)?;
                let row = PatientRow::of(&patient, &id)?;
                let hospital = row.hospital(self.directory)?;
                row.append(self.rows.patients.of(hospital), self.origin, &content_id(text.as_bytes()));
                self.want(row.nameless());
                self.findings.counts.patients += 1;
            }
            "Condition" => {
                let condition: Condition<'_> = pull::read(text)?;
                let id = id(condition.id.as_ref(), full_url)?;
                let row = ConditionRow::of(&condition, &id)?;
                let year = row.recorded_year().map(|year| year.to_string());
                row.append(self.rows.conditions.of(year.as_deref()), self.origin, &content_id(text.as_bytes()));
                self.findings.counts.conditions += 1;
            }
            other => {
                if let Some(place) = Place::of(other) {
                    let named: Named<'_> = pull::read(text)?;
                    self.findings.found.extend(names_of(place, &named, full_url));
                } else if !resource::is_json(text) {
                    return Err(resource::read::<serde::de::IgnoredAny>(text)
                        .err()
                        .unwrap_or_else(|| Fault::new(Rule::NotJson, "the resource is not JSON")));
                }
                return Ok(Read::Skipped(other.to_owned()));
            }
        }
        Ok(Read::Row)
    }

    fn want<'r>(&mut self, references: impl Iterator<Item = (Place, &'r Reference<'r>)>) {
        for (place, reference) in references {
            self.findings.wanted.add(place, reference);
        }
    }

    fn quarantine(&mut self, span: &Span, bytes: &[u8], resource_type: Option<&str>, fault: &Fault) {
        self.findings.counts.records += 1;
        self.findings.counts.quarantine(fault.rule.name());
        self.rows.quarantine.append(self.origin, span, bytes, resource_type, fault, self.limits.raw);
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

/// The resource's own id, else the one in its Bundle entry's `urn:uuid:` address.
fn id<'a>(own: Option<&'a Text<'_>>, full_url: Option<&'a str>) -> Result<std::borrow::Cow<'a, str>, Fault> {
    own.and_then(Text::trimmed)
        .map(std::borrow::Cow::Borrowed)
        .or_else(|| full_url.filter(|url| url.starts_with("urn:uuid:")).and_then(reference::logical_id))
        .ok_or_else(|| Fault::new(Rule::NoId, "the resource has no id"))
}
