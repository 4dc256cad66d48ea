//! A landed object without what it says of one patient; every other record keeps its bytes.
//!
//! Taken out are the Patient, its deletions, and every resource that names it as its subject. What cannot be split into
//! records and holds the patient's id is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    ops::Range,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::relational::{self, Landed, without_patient::RowsLeft};

/// The elements that name a resource's patient.
const SUBJECTS: [&str; 4] = ["subject", "patient", "beneficiary", "for"];

/// A landed object from which records were taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct WithoutPatient {
    /// What is left, compressed as it came.
    pub bytes: Vec<u8>,
    /// The records that were taken out.
    pub removed: u64,
    /// The records that are left.
    pub left: u64,
    /// Whether the id still occurs in what is left, in records that do not name it as their subject.
    pub mentioned: bool,
}

/// Why a patient cannot be taken out of an object.
#[derive(Debug, thiserror::Error)]
pub enum WithoutPatientError {
    /// It cannot be decompressed.
    #[error("it cannot be decompressed ({0})")]
    Unreadable(#[from] io::Error),
    /// It is a damaged Parquet file.
    #[error("it is a damaged Parquet file ({0})")]
    Damaged(String),
    /// It holds the id, and is not made of records that can be told apart.
    #[error("it holds the patient's id and cannot be split into records")]
    Unsplittable,
}

/// Takes a patient, by the id that stands in the object, out of its bytes; none where it does not hold the id. The key decides
/// whether it is CSV where the bytes alone do not.
///
/// # Errors
/// What cannot be decompressed, or holds the id and cannot be split into records.
pub fn without_patient(key: &str, object: &[u8], id: &str) -> Result<Option<WithoutPatient>, WithoutPatientError> {
    let landed = relational::recognise(&object[..object.len().min(16 * 1024)], key);
    if let Some(Landed::Parquet) = landed {
        let rows = relational::without_patient::parquet(object, id).map_err(WithoutPatientError::Damaged)?;
        return Ok(rows.map(|RowsLeft { bytes, removed, left }| WithoutPatient {
            bytes,
            removed,
            left,
            mentioned: false,
        }));
    }
    let gzip = object.starts_with(&[0x1f, 0x8b]);
    let mut unpacked = Vec::new();
    let text = if gzip {
        MultiGzDecoder::new(object).read_to_end(&mut unpacked)?;
        unpacked.as_slice()
    } else {
        object
    };
    if id.is_empty() || !holds(text, id) {
        return Ok(None);
    }
    if let Some(Landed::Csv(names)) = landed {
        let rows = relational::without_patient::csv(text, &names, id, holds);
        let RowsLeft { bytes, removed, left } = rows.ok_or(WithoutPatientError::Unsplittable)?;
        let mentioned = holds(&bytes, id);
        return Ok(Some(WithoutPatient { bytes: packed(bytes, gzip)?, removed, left, mentioned }));
    }
    let mut patient = Patient { id, ..Patient::default() };
    let documents = documents(text);
    for range in &documents {
        if let Some(records) = Records::of(&text[range.clone()]) {
            records.each(|entry| patient.learn(entry));
        }
    }
    let (mut bytes, mut removed, mut left, mut at) = (Vec::with_capacity(text.len()), 0, 0, 0);
    for range in documents {
        bytes.extend_from_slice(&text[at..range.start]);
        at = range.end;
        let document = &text[range];
        let Some(records) = Records::of(document) else {
            if !holds(document, id) {
                left += 1;
                bytes.extend_from_slice(document);
            } else if document.starts_with(b"{") && document.len() > 1 {
                // A broken line: whom it speaks of cannot be known, so that it goes as a whole.
                removed += 1;
                at += line_end(&text[at..]);
            } else {
                return Err(WithoutPatientError::Unsplittable);
            }
            continue;
        };
        let kept = records.kept(document, &patient);
        removed += kept.removed;
        left += kept.left;
        bytes.extend_from_slice(&kept.bytes);
        if kept.bytes.is_empty() {
            at += line_end(&text[at..]);
        }
    }
    bytes.extend_from_slice(&text[at..]);
    let mentioned = holds(&bytes, id);
    Ok(Some(WithoutPatient { bytes: packed(bytes, gzip)?, removed, left, mentioned }))
}

/// Bytes compressed as their object was.
fn packed(bytes: Vec<u8>, gzip: bool) -> io::Result<Vec<u8>> {
    if !gzip {
        return Ok(bytes);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    encoder.finish()
}

/// The length of the line break that a text begins with.
fn line_end(text: &[u8]) -> usize {
    if text.starts_with(b"\r\n") { 2 } else { usize::from(text.starts_with(b"\n")) }
}

/// Whether a text holds an id that is not a part of a longer one.
pub(super) fn holds(text: &[u8], id: &str) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    memchr::memmem::find_iter(text, id).any(|start| {
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        !part(before) && !part(text.get(start + id.len()))
    })
}

/// The JSON documents of an object: itself where it is one, else each of its lines that is not blank.
fn documents(text: &[u8]) -> Vec<Range<usize>> {
    let start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let whole = trimmed(text, start..text.len());
    if Records::of(&text[whole.clone()]).is_some() || text[whole.clone()].starts_with(b"[") {
        return vec![whole];
    }
    let (mut lines, mut at) = (Vec::new(), start);
    for line in text[start..].split_inclusive(|byte| *byte == b'\n') {
        let range = trimmed(text, at..at + line.len());
        at += line.len();
        if !range.is_empty() {
            lines.push(range);
        }
    }
    lines
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_ascii_start().len());
    start..(start + part.trim_ascii().len())
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "resourceType", default)]
    resource_type: Value,
    #[serde(borrow, default)]
    entry: Option<Vec<&'a RawValue>>,
}

/// The records of a document.
enum Records<'a> {
    One(&'a RawValue),
    /// Entries of a Bundle, or elements of an array, which may be Bundles.
    Many {
        entries: bool,
        raw: Vec<&'a RawValue>,
    },
}

/// What is left of a document.
struct Kept {
    bytes: Vec<u8>,
    removed: u64,
    left: u64,
}

impl<'a> Records<'a> {
    /// None where it is not JSON.
    fn of(document: &'a [u8]) -> Option<Self> {
        if document.starts_with(b"[") {
            return serde_json::from_slice(document).ok().map(|raw| Records::Many { entries: false, raw });
        }
        let whole: &RawValue = serde_json::from_slice(document).ok()?;
        match serde_json::from_slice(document) {
            Ok(Head { resource_type, entry: Some(raw) }) if resource_type == "Bundle" => {
                Some(Records::Many { entries: true, raw })
            }
            _ => Some(Records::One(whole)),
        }
    }

    /// Gives every record: an entry of a Bundle as it is, a resource as the entry that would hold it.
    fn each(&self, mut take: impl FnMut(&Value)) {
        match self {
            Records::One(raw) => take(&entry(raw, false)),
            Records::Many { entries, raw } => raw.iter().for_each(|raw| match (entries, Records::of(bytes(raw))) {
                (false, Some(bundle @ Records::Many { .. })) => bundle.each(&mut take as &mut dyn FnMut(&Value)),
                _ => take(&entry(raw, *entries)),
            }),
        }
    }

    fn kept(&self, document: &[u8], patient: &Patient<'_>) -> Kept {
        let (entries, raw) = match self {
            Records::One(raw) if patient.is_in(&entry(raw, false)) => {
                return Kept { bytes: Vec::new(), removed: 1, left: 0 };
            }
            Records::One(_) => return Kept { bytes: document.to_vec(), removed: 0, left: 1 },
            Records::Many { entries, raw } => (*entries, raw),
        };
        let (mut removed, mut left, mut parts) = (0, 0, Vec::new());
        for raw in raw {
            if let (false, Some(bundle @ Records::Many { .. })) = (entries, Records::of(bytes(raw))) {
                let kept = bundle.kept(bytes(raw), patient);
                removed += kept.removed;
                left += kept.left;
                parts.push(kept.bytes);
            } else if patient.is_in(&entry(raw, entries)) {
                removed += 1;
            } else {
                left += 1;
                parts.push(bytes(raw).to_vec());
            }
        }
        if removed == 0 {
            return Kept { bytes: document.to_vec(), removed, left };
        }
        let place = |raw: &RawValue| bytes(raw).as_ptr().addr() - document.as_ptr().addr();
        let start = raw.first().map_or(0, |first| place(first));
        let end = raw.last().map_or(0, |last| place(last) + bytes(last).len());
        let bytes = [&document[..start], &parts.join(&b",\n"[..]), &document[end..]].concat();
        Kept { bytes, removed, left }
    }
}

fn bytes(raw: &RawValue) -> &[u8] {
    raw.get().as_bytes()
}

/// A record as the entry of a Bundle.
fn entry(raw: &RawValue, is_entry: bool) -> Value {
    let value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    if is_entry { value } else { serde_json::json!({ "resource": value }) }
}

/// What is known of the patient in one object.
#[derive(Default)]
struct Patient<'a> {
    id: &'a str,
    /// The fullUrls of all entries, and whether each is the patient's.
    full_urls: BTreeMap<String, bool>,
    /// Its identifiers, `system|value`.
    identifiers: BTreeSet<String>,
}

impl Patient<'_> {
    /// Notes the entry's fullUrl, and the identifiers of the patient.
    fn learn(&mut self, entry: &Value) {
        let is_patient = self.is(entry);
        if let Some(url) = entry["fullUrl"].as_str() {
            self.full_urls.insert(url.to_owned(), is_patient);
        }
        if is_patient && let Some(identifiers) = entry["resource"]["identifier"].as_array() {
            self.identifiers.extend(identifiers.iter().filter_map(token));
        }
    }

    /// Whether an entry is the patient, or a deletion of it.
    fn is(&self, entry: &Value) -> bool {
        let (resource, url) = (&entry["resource"], entry["request"]["url"].as_str());
        let of_entry = || [url, entry["fullUrl"].as_str()].into_iter().flatten().any(|url| self.is_at(url));
        match (resource["resourceType"].as_str(), resource["id"].as_str()) {
            (Some("Patient"), Some(id)) => id == self.id || of_entry(),
            (Some("Patient") | None, _) => of_entry(),
            _ => false,
        }
    }

    /// Whether an entry speaks of the patient.
    fn is_in(&self, entry: &Value) -> bool {
        let named = |value: &Value| {
            value["reference"].as_str().is_some_and(|reference| self.means(reference))
                || token(&value["identifier"]).is_some_and(|token| self.identifiers.contains(&token))
        };
        let subject = |value: &Value| match value {
            Value::Array(values) => values.iter().any(named),
            value => named(value),
        };
        self.is(entry) || SUBJECTS.iter().any(|element| subject(&entry["resource"][element]))
    }

    /// Whether a reference means the patient.
    fn means(&self, reference: &str) -> bool {
        if let Some(is_patient) = self.full_urls.get(reference) {
            return *is_patient;
        }
        if let Some(token) = reference.strip_prefix("Patient?identifier=") {
            let token = percent_encoding::percent_decode_str(token).decode_utf8_lossy();
            return self.identifiers.contains(token.as_ref());
        }
        reference == self.id || self.is_at(reference)
    }

    /// Whether a URL is the patient's: `Patient/x`, also absolute or of one version, or `urn:uuid:x`.
    fn is_at(&self, url: &str) -> bool {
        if url.get(..9).is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:uuid:")) {
            return &url[9..] == self.id;
        }
        let url = url.split_once("/_history/").map_or(url, |(url, _)| url);
        let mut segments = url.rsplit('/');
        segments.next() == Some(self.id) && segments.next() == Some("Patient")
    }
}

/// An Identifier as a search token, `system|value`.
fn token(identifier: &Value) -> Option<String> {
    let value = identifier["value"].as_str()?;
    Some(format!("{}|{value}", identifier["system"].as_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, id: &str) -> (String, u64, u64, bool) {
        let cut = without_patient("a.ndjson", text.as_bytes(), id).expect("it can be split").expect("it holds the id");
        (String::from_utf8(cut.bytes).expect("UTF-8"), cut.removed, cut.left, cut.mentioned)
    }

    #[test]
    fn lines_lose_the_patient_and_its_records_and_keep_all_others() {
        let (patient, other) = (r#"{"resourceType":"Patient","id":"p1"}"#, r#"{"id":"p10" ,"resourceType":"Patient"}"#);
        let of = |reference: &str| {
            format!(r#"{{"resourceType":"Encounter","id":"e","subject":{{"reference":"{reference}"}}}}"#)
        };
        let stay = of("https://a.example/Patient/p1/_history/2");
        let broken = r#"{"resourceType":"Condition","subject":{"reference":"Patient/p1"#;
        let group = of("Group/p1");
        let text = [patient, other, &stay, broken, &group, &of("Patient/p10")].join("\n");
        let (left, removed, kept, mentioned) = cut(&text, "p1");
        assert_eq!((removed, kept, mentioned), (3, 3, true), "{left}");
        let lines: Vec<_> = left.lines().collect();
        assert_eq!(lines, [other, &group, &of("Patient/p10")]);
        assert_eq!(without_patient("a.ndjson", other.as_bytes(), "p1").expect("read"), None);
    }

    #[test]
    fn entries_are_found_by_full_url_identifier_and_request() {
        let kept = r#"{ "resource" : {"resourceType":"Encounter","id":"e9","subject":{"reference":"urn:uuid:22"}} }"#;
        let other = r#"{"fullUrl":"urn:uuid:22","resource":{"resourceType":"Patient","id":"p2"}}"#;
        let gone = [
            r#"{"fullUrl":"urn:uuid:11","resource":{"resourceType":"Patient","id":"p1","identifier":[{"system":"s","value":"7"}]}}"#,
            r#"{"resource":{"resourceType":"Encounter","id":"e1","subject":{"reference":"urn:uuid:11"}}}"#,
            r#"{"resource":{"resourceType":"Encounter","id":"e2","subject":{"reference":"Patient?identifier=s%7C7"}}}"#,
            r#"{"resource":{"resourceType":"Claim","id":"c","patient":{"identifier":{"system":"s","value":"7"}}}}"#,
            r#"{"request":{"method":"DELETE","url":"Patient/p1"}}"#,
        ];
        let entries = [gone[0], kept, gone[1], gone[2], other, gone[3], gone[4]].join(", ");
        let text = format!(r#"{{"resourceType":"Bundle","entry":[ {entries} ],"type":"batch"}}"#);
        let left = format!("{{\"resourceType\":\"Bundle\",\"entry\":[ {kept},\n{other} ],\"type\":\"batch\"}}");
        assert_eq!(cut(&text, "p1"), (left, 5, 2, false));
        let all = format!(r#"[{{"resourceType":"Bundle","entry":[{}]}}]"#, gone[0]);
        assert_eq!(cut(&all, "p1"), (r#"[{"resourceType":"Bundle","entry":[]}]"#.to_owned(), 1, 0, false));
    }

    #[test]
    fn gzip_stays_gzip_and_what_cannot_be_split_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder
            .write_all(b"{\"resourceType\":\"Patient\",\"id\":\"p1\"}\n{\"resourceType\":\"Patient\",\"id\":\"p2\"}\n")
            .expect("memory");
        let packed = encoder.finish().expect("memory");
        let cut = without_patient("a.ndjson.gz", &packed, "p1").expect("read").expect("held");
        let mut text = String::new();
        MultiGzDecoder::new(cut.bytes.as_slice()).read_to_string(&mut text).expect("gzip");
        assert_eq!((text.trim(), cut.removed, cut.left), (r#"{"resourceType":"Patient","id":"p2"}"#, 1, 1));
        assert!(matches!(without_patient("a.gz", &packed[..20], "p1"), Err(WithoutPatientError::Unreadable(_))));
        for text in [r#"[{"resourceType":"Patient","id":"p1"},"#, "patient_id,age\np1,7\n", "{\n\"id\": \"p1\",\n"] {
            assert!(
                matches!(without_patient("a.json", text.as_bytes(), "p1"), Err(WithoutPatientError::Unsplittable)),
                "{text}"
            );
        }
    }
}
