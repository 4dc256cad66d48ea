//! Pushes pieces of a JSON line into a byte buffer.
//!
//! The writers put JSON's punctuation and FHIR's element names down as literals; only values come through here, so that
//! there is one place that escapes text and one that formats ids.

use super::{Code, Date, Diagnosis, Id, Instant, Meta, Named};

const HEX: &[u8; 16] = b"0123456789abcdef";
const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const SNOMED: &str = "http://snomed.info/sct";

/// A line of JSON under construction.
pub(super) struct Line<'a>(pub(super) &'a mut Vec<u8>);

impl Line<'_> {
    /// Pushes JSON as it is.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// Pushes a text value with its quotes, escaped.
    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.0.push(b'"');
        // All bytes are looked at, which is quicker than stopping at the first: hardly any text has to be escaped.
        let special = |b: u8| (b < 0x20) | (b == b'"') | (b == b'\\');
        if !value.bytes().fold(false, |found, b| found | special(b)) {
            self.0.extend_from_slice(value.as_bytes());
        } else {
            for b in value.bytes() {
                match b {
                    b'"' => self.0.extend_from_slice(b"\\\""),
                    b'\\' => self.0.extend_from_slice(b"\\\\"),
                    0..0x20 => {
                        self.0.extend_from_slice(b"\\u00");
                        self.0.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
                    }
                    _ => self.0.push(b),
                }
            }
        }
        self.0.push(b'"');
        self
    }

    /// Pushes an id without quotes.
    pub(super) fn id(&mut self, id: Id) -> &mut Self {
        push_id(self.0, id);
        self
    }

    /// Pushes a whole number.
    pub(super) fn number(&mut self, value: u64) -> &mut Self {
        let (mut digits, mut at, mut rest) = ([0u8; 20], 20, value);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
        self
    }

    /// Pushes an instant with its quotes.
    pub(super) fn instant(&mut self, value: Instant) -> &mut Self {
        self.0.push(b'"');
        value.push(self.0);
        self.0.push(b'"');
        self
    }

    /// Pushes a date with its quotes.
    pub(super) fn date(&mut self, value: Date) -> &mut Self {
        self.0.push(b'"');
        value.push(self.0);
        self.0.push(b'"');
        self
    }

    /// Pushes the beginning that all resources share: the opening brace, resourceType, id, meta.
    pub(super) fn begin(&mut self, kind: &str, id: Id, meta: Meta) -> &mut Self {
        self.raw(r#"{"resourceType":""#).raw(kind).raw(r#"","id":""#).id(id);
        self.raw(r#"","meta":{"versionId":""#).number(u64::from(meta.version));
        self.raw(r#"","lastUpdated":"#).instant(meta.last_updated).raw("}")
    }

    /// Pushes the closing brace and the end of the line.
    pub(super) fn end(&mut self) {
        self.0.extend_from_slice(b"}\n");
    }

    /// Pushes a reference object, `{"reference":"Kind/id"}`.
    pub(super) fn reference(&mut self, kind: &str, id: Id) -> &mut Self {
        self.raw(r#"{"reference":""#).raw(kind).raw("/").id(id).raw(r#""}"#)
    }

    /// Pushes a reference object with its display.
    pub(super) fn named(&mut self, kind: &str, named: Named<'_>) -> &mut Self {
        self.raw(r#"{"reference":""#).raw(kind).raw("/").id(named.id).raw(r#"","display":"#);
        self.text(named.display).raw("}")
    }

    /// Pushes a period object; without an end it is open.
    pub(super) fn period(&mut self, start: Instant, end: Option<Instant>) -> &mut Self {
        self.raw(r#"{"start":"#).instant(start);
        if let Some(end) = end {
            self.raw(r#","end":"#).instant(end);
        }
        self.raw("}")
    }

    /// Pushes a coding object.
    pub(super) fn coding(&mut self, system: &str, code: Code<'_>) -> &mut Self {
        self.raw(r#"{"system":""#).raw(system).raw(r#"","code":"#).text(code.code);
        self.raw(r#","display":"#).text(code.display).raw("}")
    }

    /// Pushes a diagnosis as a CodeableConcept, ICD-10-CM before SNOMED CT.
    pub(super) fn diagnosis(&mut self, diagnosis: &Diagnosis<'_>) -> &mut Self {
        self.raw("{");
        if diagnosis.icd10.is_some() || diagnosis.snomed.is_some() {
            self.raw(r#""coding":["#);
            if let Some(code) = diagnosis.icd10 {
                self.coding(ICD10, code);
            }
            if let Some(code) = diagnosis.snomed {
                if diagnosis.icd10.is_some() {
                    self.raw(",");
                }
                self.coding(SNOMED, code);
            }
            self.raw("],");
        }
        self.raw(r#""text":"#).text(diagnosis.text).raw("}")
    }
}

/// Pushes an id as 36 characters in the shape of a UUID.
pub(super) fn push_id(out: &mut Vec<u8>, id: Id) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = uuid::Uuid::from_u128(id.0).as_hyphenated().encode_lower(&mut text);
    out.extend_from_slice(text.as_bytes());
}
