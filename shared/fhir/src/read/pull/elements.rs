//! Which key feeds which field: one line for each element that is read, R4's and R5's spellings alike.

use serde::de::IgnoredAny;

use super::reader::{Reader, Unusual};
use crate::read::{
    CodeableConcept, Coding, Condition, Encounter, Identified, Meta, Named, OneOrMany, Patient, Text,
    coding::ClassElement,
    encounter::{Admission, LocationEntry, Participant, Reason, ReasonValue},
    patient::{Address, Communication, Identifier},
    reference::{BusinessIdentifier, Reference},
    resource::Period,
};

/// A value that is read where the reader stands.
pub trait Pull<'a>: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// Where anything in it is unusual.
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual>;
}

impl<'a> Pull<'a> for Text<'a> {
    #[inline]
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        reader.string().map(Text::from)
    }
}

impl<'a> Pull<'a> for bool {
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        let value = reader.peek() == b't';
        reader.word(if value { "true" } else { "false" })?;
        Ok(value)
    }
}

impl<'a> Pull<'a> for IgnoredAny {
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        reader.skip().map(|()| IgnoredAny)
    }
}

impl<'a, T: Pull<'a>> Pull<'a> for Option<T> {
    #[inline]
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        if reader.peek() == b'n' {
            reader.word("null")?;
            return Ok(None);
        }
        T::pull(reader).map(Some)
    }
}

impl<'a, T: Pull<'a>> Pull<'a> for Box<T> {
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        T::pull(reader).map(Box::new)
    }
}

impl<'a, T: Pull<'a>> Pull<'a> for Vec<T> {
    #[inline]
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        // Most of FHIR's lists have one element.
        let mut values = Vec::with_capacity(1);
        reader.array(|reader| {
            values.push(T::pull(reader)?);
            Ok(())
        })?;
        Ok(values)
    }
}

impl<'a, T: Pull<'a>> Pull<'a> for OneOrMany<T> {
    fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
        match reader.peek() {
            b'[' => Vec::pull(reader).map(OneOrMany::Many),
            _ => Box::pull(reader).map(OneOrMany::One),
        }
    }
}

/// Reads objects of these types: the values of the named keys, and nothing of the others.
macro_rules! objects {
    ($($object:ident { $($key:literal $field:ident),+ $(,)? })+) => {$(
        impl<'a> Pull<'a> for $object<'a> {
            fn pull(reader: &mut Reader<'a>) -> Result<Self, Unusual> {
                let mut object = $object::default();
                $(let mut $field = false;)+
                reader.object(|reader, key| match key {
                    $($key => {
                        // serde refuses a known key that stands twice.
                        if std::mem::replace(&mut $field, true) {
                            return Err(Unusual);
                        }
                        object.$field = Pull::pull(reader)?;
                        Ok(())
                    })+
                    _ => reader.skip(),
                })?;
                Ok(object)
            }
        }
    )+};
}

objects! {
    Encounter {
        "id" id, "meta" meta, "status" status, "class" class, "type" kind, "priority" priority, "subject" subject,
        "period" period, "actualPeriod" actual_period, "participant" participant, "reasonCode" reason_code,
        "reason" reason, "hospitalization" hospitalization, "admission" admission, "location" location,
        "serviceProvider" service_provider,
    }
    Participant { "type" kind, "individual" individual, "actor" actor }
    Reason { "value" value }
    ReasonValue { "concept" concept }
    Admission { "admitSource" admit_source, "dischargeDisposition" discharge_disposition }
    LocationEntry { "location" location, "status" status, "period" period }

    Patient {
        "id" id, "meta" meta, "identifier" identifier, "active" active, "gender" gender, "birthDate" birth_date,
        "deceasedDateTime" deceased_date_time, "address" address, "communication" communication,
        "managingOrganization" managing_organization,
    }
    Identifier { "type" kind, "system" system, "value" value }
    Address { "city" city, "state" state, "country" country }
    Communication { "language" language, "preferred" preferred }

    Condition {
        "id" id, "meta" meta, "clinicalStatus" clinical_status, "verificationStatus" verification_status,
        "category" category, "code" code, "subject" subject, "encounter" encounter, "onsetDateTime" onset_date_time,
        "onsetPeriod" onset_period, "abatementDateTime" abatement_date_time, "abatementPeriod" abatement_period,
        "recordedDate" recorded_date, "participant" participant, "recorder" recorder, "asserter" asserter,
    }

    Named { "id" id, "name" name, "identifier" identifier }
    Identified { "id" id, "identifier" identifier }
    BusinessIdentifier { "system" system, "value" value }

    Meta { "versionId" version_id, "lastUpdated" last_updated }
    Period { "start" start, "end" end }
    Coding { "system" system, "code" code, "display" display }
    CodeableConcept { "coding" coding, "text" text }
    ClassElement { "code" code, "coding" coding, "text" text }
    Reference { "reference" reference, "type" kind, "identifier" identifier, "display" display }
}
