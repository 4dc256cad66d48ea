//! Patient: one resource, one row of `bronze/patient`.

use metriccare_fhir::read::{Fault, Patient, Text, reference::Reference};

use super::{Origin, Version, columns::columns, date, instant, partition};
use crate::bronze::{
    entry_facts::EntryFacts,
    references::{Place, References},
};

columns! {
    /// Rows of `bronze/patient`.
    PatientRows for BRONZE_PATIENT;
    patient_id TextColumn, mrn TextColumn, active NumberColumn, gender DictionaryColumn,
    birth_date NumberColumn, city DictionaryColumn, state DictionaryColumn, country DictionaryColumn, language DictionaryColumn,
    deceased_time NumberColumn, sourcename DictionaryColumn, precombine_ts NumberColumn,
    fhir_version DictionaryColumn, version_id DictionaryColumn, last_updated NumberColumn,
    content_id TextColumn,
}

/// A Patient whose values have been parsed: it can become a row.
pub(in crate::bronze) struct PatientRow<'a> {
    patient: &'a Patient<'a>,
    id: &'a str,
    birth_date: Option<i32>,
    deceased: Option<i64>,
    version: Version<'a>,
}

impl<'a> PatientRow<'a> {
    pub(in crate::bronze) fn of(
        patient: &'a Patient<'a>,
        id: &'a str,
        facts: EntryFacts<'a>,
        origin: Origin<'_>,
    ) -> Result<Self, Fault> {
        Ok(PatientRow {
            patient,
            id,
            birth_date: date("birthDate", patient.birth_date.as_ref())?,
            deceased: instant("deceasedDateTime", patient.deceased_date_time.as_ref())?,
            version: Version::of(patient.meta.as_ref(), facts, origin, None)?,
        })
    }

    /// References whose target's name has to come from the same landed object.
    pub(in crate::bronze) fn nameless(&self) -> impl Iterator<Item = (Place, &'a Reference<'a>)> {
        let organization = self.patient.managing_organization.as_ref();
        let nameless = organization.filter(|organization| organization.display().is_none());
        nameless.map(|organization| (Place::Organization, organization)).into_iter()
    }

    /// The hospital's name: the reference's words, else the Organization's.
    pub(in crate::bronze) fn hospital<'d>(&'d self, references: &'d References) -> Result<Option<&'d str>, Fault> {
        let organization = self.patient.managing_organization.as_ref();
        let named = || references.name(Place::Organization, organization);
        partition("managingOrganization", organization.and_then(Reference::display).or_else(named))
    }

    pub(in crate::bronze) fn append(&self, rows: &mut PatientRows, origin: Origin<'_>, content_id: &str) {
        let patient = self.patient;
        let address = patient.address.as_deref().and_then(<[_]>::first);
        rows.patient_id.append_option(origin.id(Some(self.id)));
        rows.mrn.append_option(patient.mrn());
        rows.active.append_option(patient.active);
        rows.gender.append_option(patient.gender.as_ref().and_then(Text::trimmed));
        rows.birth_date.append_option(self.birth_date);
        rows.city.append_option(address.and_then(|address| address.city.as_ref()?.trimmed()));
        rows.state.append_option(address.and_then(|address| address.state.as_ref()?.trimmed()));
        rows.country.append_option(address.and_then(|address| address.country.as_ref()?.trimmed()));
        rows.language.append_option(patient.language());
        rows.deceased_time.append_option(self.deceased);
        rows.sourcename.append_value(origin.sourcename);
        rows.precombine_ts.append_value(origin.landed_micros);
        rows.fhir_version.append_option(self.version.fhir_version);
        rows.version_id.append_option(self.version.version_id);
        rows.last_updated.append_option(self.version.last_updated);
        rows.content_id.append_value(content_id);
    }
}
