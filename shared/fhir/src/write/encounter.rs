//! Encounter: the resource that differs most between R4 and R5.
//!
//! Class, period, stay, reason and participant have other names or shapes in the two versions; the status of a finished
//! encounter is another word. Everything else is shared.

use super::line::Line;
use super::{
    AdmitSource, Code, Diagnosis, Disposition, EncounterClass, EncounterStatus, FhirVersion, Id, Instant,
    LocationStatus, Meta, Named, Priority,
};

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACT_PRIORITY: &str = "http://terminology.hl7.org/CodeSystem/v3-ActPriority";
const ADMIT_SOURCE: &str = "http://terminology.hl7.org/CodeSystem/admit-source";
const DISPOSITION: &str = "http://terminology.hl7.org/CodeSystem/discharge-disposition";

/// One place of an encounter, with the time spent there.
#[derive(Clone, Copy, Debug)]
pub struct LocationPeriod<'a> {
    /// The place.
    pub location: Named<'a>,
    /// Whether the patient is still there.
    pub status: LocationStatus,
    /// The beginning of the time there.
    pub start: Instant,
    /// Its end, unless it goes on.
    pub end: Option<Instant>,
}

/// An encounter as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Encounter<'a> {
    /// The logical id.
    pub id: Id,
    /// The version.
    pub meta: Meta,
    /// The state.
    pub status: EncounterStatus,
    /// The kind.
    pub class: EncounterClass,
    /// The kind in words, written as `type.text`: Inpatient, Outpatient, Emergency, Virtual, Home Health.
    pub kind: &'a str,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// The patient.
    pub subject: Id,
    /// When it began.
    pub start: Instant,
    /// When it ended, unless it goes on.
    pub end: Option<Instant>,
    /// The places, in order.
    pub locations: &'a [LocationPeriod<'a>],
    /// The attending physician.
    pub attending: Named<'a>,
    /// The hospital.
    pub provider: Named<'a>,
    /// Why the patient came.
    pub reason: Option<Diagnosis<'a>>,
    /// Where an inpatient came from.
    pub admit_source: Option<AdmitSource>,
    /// Where the patient went.
    pub disposition: Option<Disposition>,
}

/// Writes an encounter as one JSON line of the given version.
pub fn write_encounter(out: &mut Vec<u8>, encounter: &Encounter<'_>, version: FhirVersion) {
    let r5 = version == FhirVersion::R5;
    let mut line = Line(out);
    line.begin("Encounter", encounter.id, encounter.meta);
    line.raw(r#","status":""#).raw(encounter.status.word(version));
    line.raw(if r5 { r#"","class":[{"coding":["# } else { r#"","class":"# }).coding(ACT_CODE, encounter.class.code());
    line.raw(if r5 { r#"]}],"type":[{"text":"# } else { r#","type":[{"text":"# }).text(encounter.kind).raw("}]");
    if let Some(priority) = encounter.priority {
        line.raw(r#","priority":"#);
        concept(&mut line, ACT_PRIORITY, priority.code());
    }
    line.raw(r#","subject":"#).reference("Patient", encounter.subject);
    line.raw(concat!(
        r#","participant":[{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","#,
        r#""code":"ATND","display":"attender"}],"text":"attending physician"}],"period":"#
    ));
    line.period(encounter.start, encounter.end);
    line.raw(if r5 { r#","actor":"# } else { r#","individual":"# }).named("Practitioner", encounter.attending);
    line.raw(if r5 { r#"}],"actualPeriod":"# } else { r#"}],"period":"# }).period(encounter.start, encounter.end);
    if let Some(reason) = &encounter.reason {
        line.raw(if r5 { r#","reason":[{"value":[{"concept":"# } else { r#","reasonCode":["# }).diagnosis(reason);
        line.raw(if r5 { "}]}]" } else { "]" });
    }
    stay(&mut line, encounter, r5);
    if !encounter.locations.is_empty() {
        line.raw(r#","location":["#);
        for (i, place) in encounter.locations.iter().enumerate() {
            line.raw(if i == 0 { r#"{"location":"# } else { r#",{"location":"# }).named("Location", place.location);
            line.raw(r#","status":""#).raw(place.status.code().code).raw(r#"","period":"#);
            line.period(place.start, place.end).raw("}");
        }
        line.raw("]");
    }
    line.raw(r#","serviceProvider":"#).named("Organization", encounter.provider).end();
}

/// Pushes where the patient came from and went to, where either is known.
fn stay(line: &mut Line<'_>, encounter: &Encounter<'_>, r5: bool) {
    if encounter.admit_source.is_none() && encounter.disposition.is_none() {
        return;
    }
    line.raw(if r5 { r#","admission":{"# } else { r#","hospitalization":{"# });
    if let Some(source) = encounter.admit_source {
        line.raw(r#""admitSource":"#);
        concept(line, ADMIT_SOURCE, source.code());
    }
    if let Some(disposition) = encounter.disposition {
        line.raw(if encounter.admit_source.is_some() {
            r#","dischargeDisposition":"#
        } else {
            r#""dischargeDisposition":"#
        });
        concept(line, DISPOSITION, disposition.code());
    }
    line.raw("}");
}

fn concept(line: &mut Line<'_>, system: &str, code: Code<'_>) {
    line.raw(r#"{"coding":["#).coding(system, code).raw("]}");
}
