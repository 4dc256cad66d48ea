//! Encounter: one resource, one row of `bronze/encounter`.

use std::borrow::Cow;

use metriccare_fhir::read::{
    CodeableConcept, Encounter, Fault, Reference, Text,
    encounter::{LocationEntry, Participant},
};

use super::{Origin, Version, columns::columns, instant, partition, plausible};
use crate::{
    bronze::{
        entry_facts::EntryFacts,
        references::{Link, Meaning, PATIENT, PRACTITIONER, Place, References},
    },
    silver::disposition::hl7_disposition,
};

columns! {
    /// Rows of `bronze/encounter`.
    EncounterRows for BRONZE_ENCOUNTER;
    encounter_id TextColumn, status DictionaryColumn, encounter_type DictionaryColumn, patient_ref TextColumn,
    admission_time NumberColumn, discharge_time NumberColumn,
    department DictionaryColumn, participant_role DictionaryColumn, practitioner_ref DictionaryColumn,
    sourcename DictionaryColumn, precombine_ts NumberColumn, patient_id TextColumn,
    encounter_class DictionaryColumn, priority DictionaryColumn, admit_source DictionaryColumn,
    discharge_disposition DictionaryColumn, reason_code DictionaryColumn, reason_display DictionaryColumn,
    fhir_version DictionaryColumn, version_id DictionaryColumn, last_updated NumberColumn,
    content_id TextColumn, practitioner_id DictionaryColumn,
}

/// An Encounter whose values have been parsed: it can become a row.
pub(in crate::bronze) struct EncounterRow<'a> {
    encounter: &'a Encounter<'a>,
    id: &'a str,
    admission: Option<i64>,
    discharge: Option<i64>,
    /// The department's words, or the reference that a Location of the same object may name.
    department: Option<&'a Reference<'a>>,
    /// The hospital's own words.
    hospital: Option<&'a str>,
    participant: Option<&'a Participant<'a>>,
    patient: Option<Link<'a>>,
    practitioner: Option<Link<'a>>,
    version: Version<'a>,
}

impl<'a> EncounterRow<'a> {
    pub(in crate::bronze) fn of(
        encounter: &'a Encounter<'a>,
        id: &'a str,
        facts: EntryFacts<'a>,
        origin: Origin<'_>,
        references: &'a References,
    ) -> Result<Self, Fault> {
        let when = encounter.when();
        let admission = instant("period.start", when.and_then(|period| period.start.as_ref()))?;
        let discharge = instant("period.end", when.and_then(|period| period.end.as_ref()))?;
        let status = encounter.status.as_deref();
        let discharge = plausible::encounter_end(status, admission, discharge, origin.landed_micros)?;
        let participant = encounter.participant.as_deref().and_then(|list| attending(list, references));
        let clinician = participant.and_then(Participant::who).filter(|who| is_practitioner(who, references));
        let hospital = encounter.service_provider.as_ref().and_then(Reference::display);
        Ok(EncounterRow {
            encounter,
            id,
            admission,
            discharge,
            department: department(encounter.location.as_deref().unwrap_or_default(), discharge)?,
            hospital: partition("serviceProvider.display", hospital)?,
            participant,
            patient: references.link("Encounter.subject", encounter.subject.as_ref(), PATIENT),
            practitioner: references.link("Encounter.participant", clinician, PRACTITIONER),
            version: Version::of(encounter.meta.as_ref(), facts, origin, encounter.fhir_version())?,
        })
    }

    /// References whose target's name has to come from the same landed object.
    pub(in crate::bronze) fn nameless(&self) -> impl Iterator<Item = (Place, &'a Reference<'a>)> {
        let provider = self.encounter.service_provider.as_ref().map(|provider| (Place::Organization, provider));
        let department = self.department.map(|place| (Place::Location, place));
        provider.into_iter().chain(department).filter(|(_, reference)| reference.display().is_none())
    }

    /// References to other resources.
    pub(in crate::bronze) fn links(&self) -> impl Iterator<Item = Link<'a>> {
        self.patient.into_iter().chain(self.practitioner)
    }

    /// The hospital's name: the reference's words, else the Organization's.
    pub(in crate::bronze) fn hospital<'d>(&'d self, references: &'d References) -> Result<Option<&'d str>, Fault> {
        let provider = self.encounter.service_provider.as_ref();
        let named = || references.name(Place::Organization, provider);
        partition("serviceProvider", self.hospital.or_else(named))
    }

    pub(in crate::bronze) fn append(
        &self,
        rows: &mut EncounterRows,
        origin: Origin<'_>,
        references: &References,
        content_id: &str,
    ) {
        let encounter = self.encounter;
        let stay = encounter.stay();
        let reason = reason(encounter);
        rows.encounter_id.append_option(origin.id(Some(self.id)));
        rows.status.append_option(encounter.status.as_ref().and_then(Text::trimmed));
        rows.encounter_type.append_option(encounter.kind.as_deref().and_then(|kinds| kinds.first()?.words()));
        rows.patient_ref.append_option(encounter.subject.as_ref().and_then(Reference::raw));
        rows.admission_time.append_option(self.admission);
        rows.discharge_time.append_option(self.discharge);
        let named = |place: &'a Reference<'a>| references.name(Place::Location, Some(place));
        rows.department.append_option(self.department.and_then(|place| place.display().or_else(|| named(place))));
        rows.participant_role
            .append_option(self.participant.and_then(|participant| participant.kind.as_deref()?.first()?.words()));
        rows.practitioner_ref.append_option(self.practitioner.and_then(|link| link.reference.raw()));
        rows.sourcename.append_value(origin.sourcename);
        rows.precombine_ts.append_value(origin.landed_micros);
        rows.patient_id.append_option(origin.id(self.patient.and_then(|link| link.meaning.id())));
        rows.encounter_class.append_option(encounter.class_code());
        rows.priority.append_option(encounter.priority.as_ref().and_then(CodeableConcept::code_or_text));
        rows.admit_source
            .append_option(stay.and_then(|stay| stay.admit_source.as_ref()).and_then(CodeableConcept::code_or_text));
        rows.discharge_disposition
            .append_option(stay.and_then(|stay| stay.discharge_disposition.as_ref()).and_then(disposition));
        rows.reason_code.append_option(reason.code);
        rows.reason_display.append_option(reason.display);
        rows.fhir_version.append_option(self.version.fhir_version);
        rows.version_id.append_option(self.version.version_id);
        rows.last_updated.append_option(self.version.last_updated);
        rows.content_id.append_value(content_id);
        rows.practitioner_id.append_option(origin.id(self.practitioner.and_then(|link| link.meaning.id())));
    }
}

/// Of the places that were not only planned, the one with the longest period; the first listed where none is longer.
fn department<'a>(places: &'a [LocationEntry<'a>], discharge: Option<i64>) -> Result<Option<&'a Reference<'a>>, Fault> {
    let mut best: Option<(i64, &LocationEntry<'_>)> = None;
    for place in places {
        if matches!(place.status.as_deref(), Some("planned" | "reserved")) {
            continue;
        }
        let period = place.period.as_ref();
        let start = instant("location.period.start", period.and_then(|period| period.start.as_ref()))?;
        let end = instant("location.period.end", period.and_then(|period| period.end.as_ref()))?.or(discharge);
        let length = start.zip(end).map_or(0, |(start, end)| end.saturating_sub(start).max(0));
        if best.is_none_or(|(longest, _)| length > longest) {
            best = Some((length, place));
        }
    }
    Ok(best.and_then(|(_, place)| place.location.as_ref()))
}

/// The participant who is a practitioner, else the first one.
fn attending<'a, 'e>(participants: &'e [Participant<'a>], references: &References) -> Option<&'e Participant<'a>> {
    let practitioner =
        participants.iter().find(|participant| participant.who().is_some_and(|who| is_practitioner(who, references)));
    practitioner.or_else(|| participants.first())
}

fn is_practitioner(reference: &Reference<'_>, references: &References) -> bool {
    references.meaning(reference, PRACTITIONER) != Meaning::Nothing
}

/// The first code that the table of dispositions knows, else the first code.
fn disposition<'a>(concept: &'a CodeableConcept<'_>) -> Option<&'a str> {
    let codes = || concept.codings().iter().filter_map(|coding| coding.code());
    codes().find(|code| hl7_disposition(code).is_some()).or_else(|| codes().next())
}

struct Reason<'a> {
    code: Option<Cow<'a, str>>,
    display: Option<&'a str>,
}

/// The first ICD-10 coding of the reasons, upper case with its dot; else the first coding; else only words.
fn reason<'a>(encounter: &'a Encounter<'_>) -> Reason<'a> {
    let codings =
        || encounter.reasons().flat_map(|concept| concept.codings().iter().map(move |coding| (concept, coding)));
    let coded = || codings().filter(|(_, coding)| coding.code().is_some());
    let icd10 = coded().find(|(_, coding)| coding.is_icd10());
    let display = |concept: &'a CodeableConcept<'_>, coding: &'a metriccare_fhir::read::Coding<'_>| {
        coding.display.as_ref().and_then(Text::trimmed).or_else(|| concept.text.as_ref()?.trimmed())
    };
    if let Some((concept, coding)) = icd10 {
        return Reason { code: coding.code().map(with_dot), display: display(concept, coding) };
    }
    match coded().next() {
        Some((concept, coding)) => Reason { code: coding.code().map(Cow::Borrowed), display: display(concept, coding) },
        None => Reason { code: None, display: encounter.reasons().find_map(CodeableConcept::words) },
    }
}

/// An ICD-10 code in upper case, with the dot behind its third character.
fn with_dot(code: &str) -> Cow<'_, str> {
    let dotted = code.contains('.') || code.len() <= 3 || !code.is_ascii();
    if dotted && !code.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Cow::Borrowed(code);
    }
    let upper = code.to_ascii_uppercase();
    Cow::Owned(if dotted { upper } else { format!("{}.{}", &upper[..3], &upper[3..]) })
}

#[cfg(test)]
mod tests;
