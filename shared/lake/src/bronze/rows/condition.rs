//! Condition: one resource, one row of `bronze/condition`.

use metriccare_fhir::read::{CodeableConcept, Condition, Fault, Reference, Text};

use super::{Origin, Version, columns::columns, instant};
use crate::{
    bronze::{
        entry_facts::EntryFacts,
        references::{ENCOUNTER, Link, PATIENT, References},
    },
    silver::{death, infection::infection_type},
};

columns! {
    /// Rows of `bronze/condition`.
    ConditionRows for BRONZE_CONDITION;
    condition_id TextColumn, patient_ref TextColumn, encounter_ref TextColumn, code_system DictionaryColumn,
    code DictionaryColumn, display DictionaryColumn, clinical_status DictionaryColumn, verification_status DictionaryColumn,
    category DictionaryColumn, onset_time NumberColumn, abatement_time NumberColumn,
    recorded_time NumberColumn, sourcename DictionaryColumn, precombine_ts NumberColumn,
    patient_id TextColumn, encounter_id TextColumn, fhir_version DictionaryColumn, version_id DictionaryColumn,
    last_updated NumberColumn, content_id TextColumn, infection_type DictionaryColumn, death NumberColumn,
}

/// A Condition whose values have been parsed: it can become a row.
pub(in crate::bronze) struct ConditionRow<'a> {
    condition: &'a Condition<'a>,
    id: &'a str,
    onset: Option<i64>,
    abatement: Option<i64>,
    recorded: Option<i64>,
    patient: Option<Link<'a>>,
    encounter: Option<Link<'a>>,
    version: Version<'a>,
}

impl<'a> ConditionRow<'a> {
    pub(in crate::bronze) fn of(
        condition: &'a Condition<'a>,
        id: &'a str,
        facts: EntryFacts<'a>,
        origin: Origin<'_>,
        references: &'a References,
    ) -> Result<Self, Fault> {
        let onset_period = condition.onset_period.as_ref().and_then(|period| period.start.as_ref());
        let abatement_period = condition.abatement_period.as_ref().and_then(|period| period.start.as_ref());
        Ok(ConditionRow {
            condition,
            id,
            onset: instant("onset", condition.onset_date_time.as_ref().or(onset_period))?,
            abatement: instant("abatement", condition.abatement_date_time.as_ref().or(abatement_period))?,
            recorded: instant("recordedDate", condition.recorded_date.as_ref())?,
            patient: references.link("Condition.subject", condition.subject.as_ref(), PATIENT),
            encounter: references.link("Condition.encounter", condition.encounter.as_ref(), ENCOUNTER),
            version: Version::of(condition.meta.as_ref(), facts, origin, condition.fhir_version())?,
        })
    }

    /// References to other resources.
    pub(in crate::bronze) fn links(&self) -> impl Iterator<Item = Link<'a>> {
        self.patient.into_iter().chain(self.encounter)
    }

    /// The year that the condition was recorded in, UTC.
    pub(in crate::bronze) fn recorded_year(&self) -> Option<i32> {
        use chrono::Datelike;
        chrono::DateTime::from_timestamp_micros(self.recorded?).map(|time| time.year())
    }

    pub(in crate::bronze) fn append(&self, rows: &mut ConditionRows, origin: Origin<'_>, content_id: &str) {
        let condition = self.condition;
        let (subject, encounter) = (condition.subject.as_ref(), condition.encounter.as_ref());
        let coded = condition.code.as_ref().map(Coded::of).unwrap_or_default();
        rows.condition_id.append_option(origin.id(Some(self.id)));
        rows.patient_ref.append_option(subject.and_then(Reference::raw));
        rows.encounter_ref.append_option(encounter.and_then(Reference::raw));
        rows.code_system.append_option(coded.system);
        rows.code.append_option(coded.code);
        rows.display.append_option(coded.display);
        rows.clinical_status.append_option(condition.clinical_status.as_ref().and_then(CodeableConcept::code_or_text));
        rows.verification_status
            .append_option(condition.verification_status.as_ref().and_then(CodeableConcept::code_or_text));
        rows.category.append_option(condition.category.as_deref().and_then(|list| list.first()?.code_or_text()));
        rows.onset_time.append_option(self.onset);
        rows.abatement_time.append_option(self.abatement);
        rows.recorded_time.append_option(self.recorded);
        rows.sourcename.append_value(origin.sourcename);
        rows.precombine_ts.append_value(origin.landed_micros);
        rows.patient_id.append_option(origin.id(self.patient.and_then(|link| link.meaning.id())));
        rows.encounter_id.append_option(origin.id(self.encounter.and_then(|link| link.meaning.id())));
        rows.fhir_version.append_option(self.version.fhir_version);
        rows.version_id.append_option(self.version.version_id);
        rows.last_updated.append_option(self.version.last_updated);
        rows.content_id.append_value(content_id);
        let verification = condition.verification_status.as_ref().and_then(CodeableConcept::code_or_text);
        let code = condition.code.as_ref();
        rows.infection_type.append_option(code.and_then(|code| infection(code, verification)));
        rows.death.append_value(code.is_some_and(|code| is_death(code, verification)));
    }
}

/// The infection that any of the codings names, one that names it exactly first; the text's where there is no code.
fn infection(concept: &CodeableConcept<'_>, verification: Option<&str>) -> Option<&'static str> {
    let codings = || concept.codings().iter().filter(|coding| coding.code().is_some());
    let mut types = codings().filter_map(|coding| {
        infection_type(coding.system.as_ref().and_then(Text::trimmed), coding.code(), None, verification)
    });
    let general = types.clone().next();
    let text = concept.text.as_deref();
    types
        .find(|kind| *kind != "other")
        .or(general)
        .or_else(|| codings().next().is_none().then(|| infection_type(None, None, text, verification)).flatten())
}

/// Whether any of the codings says that the patient died; the text where there is no code.
fn is_death(concept: &CodeableConcept<'_>, verification: Option<&str>) -> bool {
    let codings = || concept.codings().iter().filter(|coding| coding.code().is_some());
    let is = |system: Option<&str>, code: Option<&str>, text: Option<&str>| {
        death::is_death(system, code, text, verification)
    };
    codings().any(|coding| is(coding.system.as_deref(), coding.code(), None))
        || codings().next().is_none() && is(None, None, concept.text.as_deref())
}

/// The coding that stands for a condition.
#[derive(Default)]
struct Coded<'a> {
    system: Option<&'a str>,
    code: Option<&'a str>,
    display: Option<&'a str>,
}

impl<'a> Coded<'a> {
    /// The coding that tells which infection it is, else one that tells only that it is some infection, else the first
    /// one; the text where there is no coding. Systems put the general concept before or behind the exact one.
    fn of(concept: &'a CodeableConcept<'_>) -> Self {
        let text = concept.text.as_ref().and_then(Text::trimmed);
        let coded = || concept.codings().iter().filter(|coding| coding.code().is_some());
        let system = |coding: &'a metriccare_fhir::read::Coding<'_>| coding.system.as_ref().and_then(Text::trimmed);
        let mut best = None;
        for coding in coded() {
            match infection_type(system(coding), coding.code(), None, None) {
                Some("other") => best = best.or(Some(coding)),
                Some(_) => {
                    best = Some(coding);
                    break;
                }
                None => {}
            }
        }
        match best.or_else(|| coded().next()).or_else(|| concept.codings().first()) {
            Some(coding) => Coded {
                system: system(coding),
                code: coding.code(),
                display: coding.display.as_ref().and_then(Text::trimmed).or(text),
            },
            None => Coded { system: None, code: None, display: text },
        }
    }
}

#[cfg(test)]
mod tests;
