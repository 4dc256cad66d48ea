//! The three resources that silver keeps, and what each calls its columns.

use crate::schema::{self, Table};

/// A resource type of silver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Patients.
    Patient,
    /// Encounters.
    Encounter,
    /// Conditions.
    Condition,
}

impl Resource {
    /// Every resource of silver.
    pub const ALL: [Resource; 3] = [Resource::Patient, Resource::Encounter, Resource::Condition];

    /// The resource whose bronze file a key names; none for quarantine, ingest log and keys elsewhere.
    pub fn of_bronze_key(key: &str) -> Option<Resource> {
        let below =
            |resource: &Resource| key.strip_prefix(resource.bronze().path).is_some_and(|rest| rest.starts_with('/'));
        Resource::ALL.into_iter().find(below)
    }

    /// The resource's type in FHIR.
    pub fn fhir_type(self) -> &'static str {
        match self {
            Resource::Patient => "Patient",
            Resource::Encounter => "Encounter",
            Resource::Condition => "Condition",
        }
    }

    /// The resource's table in bronze.
    pub fn bronze(self) -> &'static Table {
        match self {
            Resource::Patient => &schema::BRONZE_PATIENT,
            Resource::Encounter => &schema::BRONZE_ENCOUNTER,
            Resource::Condition => &schema::BRONZE_CONDITION,
        }
    }

    /// The resource's table in silver.
    pub fn silver(self) -> &'static Table {
        match self {
            Resource::Patient => &schema::SILVER_PATIENT,
            Resource::Encounter => &schema::SILVER_ENCOUNTER,
            Resource::Condition => &schema::SILVER_CONDITION,
        }
    }

    /// The resource's number in keys and pages of the record index.
    pub(super) fn code(self) -> u8 {
        match self {
            Resource::Patient => 1,
            Resource::Encounter => 2,
            Resource::Condition => 3,
        }
    }

    /// The column with the resource's own id.
    pub(super) fn id_column(self) -> &'static str {
        match self {
            Resource::Patient => "patient_id",
            Resource::Encounter => "encounter_id",
            Resource::Condition => "condition_id",
        }
    }

    /// The time by which the resource's silver file is sorted, before the id.
    pub(super) fn time_column(self) -> Option<&'static str> {
        match self {
            Resource::Patient => None,
            Resource::Encounter => Some("admission_time"),
            Resource::Condition => Some("recorded_time"),
        }
    }

    /// The silver columns that come from the resource alone, in order: all but those that [`super::merge`] derives.
    pub(super) fn own_columns(self) -> Vec<&'static str> {
        self.silver().file_columns().map(|(name, _)| name).filter(|name| !DERIVED.contains(name)).collect()
    }

    /// The bronze columns that silver is made from, in bronze's order.
    pub(super) fn bronze_columns(self) -> Vec<&'static str> {
        let own = self.own_columns();
        self.bronze().columns.iter().map(|(name, _)| *name).filter(|name| own.contains(name)).collect()
    }
}

/// Columns of silver/encounter that are computed from merged rows.
const DERIVED: [&str; 5] = ["length_days", "length_hours", "prior_encounter_id", "days_since_prior", "readmit_flag"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bronze_keys_name_their_resource() {
        assert_eq!(Resource::of_bronze_key("bronze/encounter/hospital_name=A/x.parquet"), Some(Resource::Encounter));
        assert_eq!(Resource::of_bronze_key("bronze/quarantine/ingest_date=2025-01-01/x.parquet"), None);
        assert_eq!(Resource::of_bronze_key("bronze/patients/x.parquet"), None);
    }

    #[test]
    fn silver_needs_what_bronze_has() {
        assert_eq!(Resource::Encounter.bronze_columns().len(), 19);
        assert!(Resource::Condition.bronze_columns().contains(&"death"));
        assert!(Resource::Patient.bronze_columns().contains(&"hospital_name"));
    }
}
