//! Organization, Location and Practitioner: what the other resources refer to.

use super::line::Line;
use super::{FhirVersion, Gender, Id, Meta, Named};

/// A hospital as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Organization<'a> {
    /// The logical id.
    pub id: Id,
    /// The version.
    pub meta: Meta,
    /// The hospital's name.
    pub name: &'a str,
    /// Its city.
    pub city: &'a str,
    /// Its state, two letters.
    pub state: &'a str,
}

/// A department of a hospital as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Location<'a> {
    /// The logical id.
    pub id: Id,
    /// The version.
    pub meta: Meta,
    /// The department's name.
    pub name: &'a str,
    /// The hospital it belongs to.
    pub managing_organization: Named<'a>,
}

/// A clinician as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Practitioner<'a> {
    /// The logical id.
    pub id: Id,
    /// The version.
    pub meta: Meta,
    /// The family name.
    pub family: &'a str,
    /// The given name.
    pub given: &'a str,
    /// Administrative gender.
    pub gender: Gender,
    /// The specialty in words.
    pub specialty: &'a str,
}

/// Writes a hospital as one JSON line of the given version.
pub fn write_organization(out: &mut Vec<u8>, organization: &Organization<'_>, version: FhirVersion) {
    let mut line = Line(out);
    line.begin("Organization", organization.id, organization.meta);
    line.raw(concat!(
        r#","active":true,"type":[{"coding":[{"#,
        r#""system":"http://terminology.hl7.org/CodeSystem/organization-type","code":"prov","#,
        r#""display":"Healthcare Provider"}]}],"name":"#
    ));
    line.text(organization.name);
    // R5 moved the address into the contact.
    line.raw(if version == FhirVersion::R5 { r#","contact":[{"address":"# } else { r#","address":["# });
    line.raw(r#"{"city":"#).text(organization.city).raw(r#","state":"#).text(organization.state);
    line.raw(r#","country":"US"}"#).raw(if version == FhirVersion::R5 { "}]" } else { "]" }).end();
}

/// Writes a department as one JSON line; R4 and R5 are the same here.
pub fn write_location(out: &mut Vec<u8>, location: &Location<'_>) {
    let mut line = Line(out);
    line.begin("Location", location.id, location.meta);
    line.raw(r#","status":"active","name":"#).text(location.name);
    line.raw(r#","mode":"instance","managingOrganization":"#);
    line.named("Organization", location.managing_organization).end();
}

/// Writes a clinician as one JSON line; R4 and R5 are the same here.
pub fn write_practitioner(out: &mut Vec<u8>, practitioner: &Practitioner<'_>) {
    let mut line = Line(out);
    line.begin("Practitioner", practitioner.id, practitioner.meta);
    line.raw(r#","active":true,"name":[{"family":"#).text(practitioner.family);
    line.raw(r#","given":["#).text(practitioner.given).raw(r#"],"suffix":["MD"]}],"gender":"#);
    line.text(practitioner.gender.code().code).raw(r#","qualification":[{"code":{"text":"#);
    line.text(practitioner.specialty).raw("}}]").end();
}
