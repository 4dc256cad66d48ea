//! Patient: the same shape in R4 and R5, and below 1 KB of JSON.

use super::line::Line;
use super::{Code, Date, Gender, Id, Instant, Meta, Named, Race};

/// A patient as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Patient<'a> {
    /// The logical id.
    pub id: Id,
    /// The version.
    pub meta: Meta,
    /// The number in the medical record number, written as `MC-<number>`.
    pub mrn: u64,
    /// The family name.
    pub family: &'a str,
    /// The given name.
    pub given: &'a str,
    /// Administrative gender.
    pub gender: Gender,
    /// Date of birth.
    pub birth_date: Date,
    /// When the patient died, if so.
    pub deceased: Option<Instant>,
    /// The race category, written as US Core's extension.
    pub race: Option<Race>,
    /// City of the home address.
    pub city: &'a str,
    /// State of the home address, two letters.
    pub state: &'a str,
    /// The preferred language, coded from BCP 47.
    pub language: Code<'a>,
    /// The hospital that keeps the record.
    pub managing_organization: Named<'a>,
}

/// Writes a patient as one JSON line; R4 and R5 are the same here.
pub fn write_patient(out: &mut Vec<u8>, patient: &Patient<'_>) {
    let mut line = Line(out);
    line.begin("Patient", patient.id, patient.meta);
    if let Some(race) = patient.race.map(Race::code) {
        line.raw(concat!(
            r#","extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":["#,
            r#"{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"#
        ));
        line.text(race.code).raw(r#"}},{"url":"text","valueString":"#).text(race.display).raw("}]}]");
    }
    line.raw(concat!(
        r#","identifier":[{"type":{"coding":[{"#,
        r#""system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}],"text":"MRN"},"#,
        r#""system":"urn:metriccare:mrn","value":"MC-"#
    ));
    line.number(patient.mrn).raw(r#""}],"active":true,"name":[{"family":"#).text(patient.family);
    line.raw(r#","given":["#).text(patient.given).raw(r#"]}],"gender":"#).text(patient.gender.code().code);
    line.raw(r#","birthDate":"#).date(patient.birth_date);
    if let Some(time) = patient.deceased {
        line.raw(r#","deceasedDateTime":"#).instant(time);
    }
    line.raw(r#","address":[{"city":"#).text(patient.city).raw(r#","state":"#).text(patient.state);
    line.raw(concat!(
        r#","country":"US"}],"communication":[{"language":{"coding":[{"#,
        r#""system":"urn:ietf:bcp:47","code":"#
    ));
    line.text(patient.language.code).raw(r#"}],"text":"#).text(patient.language.display);
    line.raw(r#"},"preferred":true}],"managingOrganization":"#);
    line.named("Organization", patient.managing_organization).end();
}
