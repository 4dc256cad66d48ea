//! Condition: one resource, one row of `bronze/condition`.

use metriccare_fhir::read::{CodeableConcept, Condition, Fault, Text, reference::Reference};

use super::{Origin, Version, columns::columns, instant};
use crate::silver::infection::infection_type;

columns! {
    /// Rows of `bronze/condition`.
    ConditionRows for BRONZE_CONDITION;
    condition_id TextColumn, patient_ref TextColumn, encounter_ref TextColumn, code_system DictionaryColumn,
    code DictionaryColumn, display DictionaryColumn, clinical_status DictionaryColumn, verification_status DictionaryColumn,
    category DictionaryColumn, onset_time NumberColumn, abatement_time NumberColumn,
    recorded_time NumberColumn, sourcename DictionaryColumn, precombine_ts NumberColumn,
    patient_id TextColumn, encounter_id TextColumn, fhir_version DictionaryColumn, version_id DictionaryColumn,
    last_updated NumberColumn, content_id TextColumn,
}

/// A Condition whose values have been parsed: it can become a row.
pub(in crate::bronze) struct ConditionRow<'a> {
    condition: &'a Condition<'a>,
    id: &'a str,
    onset: Option<i64>,
    abatement: Option<i64>,
    recorded: Option<i64>,
    version: Version<'a>,
}

impl<'a> ConditionRow<'a> {
    pub(in crate::bronze) fn of(condition: &'a Condition<'a>, id: &'a str) -> Result<Self, Fault> {
        let onset_period = condition.onset_period.as_ref().and_then(|period| period.start.as_ref());
        let abatement_period = condition.abatement_period.as_ref().and_then(|period| period.start.as_ref());
        Ok(ConditionRow {
            condition,
            id,
            onset: instant("onset", condition.onset_date_time.as_ref().or(onset_period))?,
            abatement: instant("abatement", condition.abatement_date_time.as_ref().or(abatement_period))?,
            recorded: instant("recordedDate", condition.recorded_date.as_ref())?,
            version: Version::of(condition.meta.as_ref(), condition.fhir_version())?,
        })
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
        rows.condition_id.append_value(self.id);
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
        rows.patient_id.append_option(subject.and_then(Reference::id));
        rows.encounter_id.append_option(encounter.and_then(Reference::id));
        rows.fhir_version.append_option(self.version.fhir_version);
        rows.version_id.append_option(self.version.version_id);
        rows.last_updated.append_option(self.version.last_updated);
        rows.content_id.append_value(content_id);
    }
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
