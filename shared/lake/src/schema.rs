//! The tables of the lake: every table, its columns in order, their types and the partition column.
//!
//! This is the one source of schema: Parquet files, the Glue tables of the template and the documentation are held
//! against it. A partition column is part of the table but not of its files.

use std::sync::Arc;

use crate::relational;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The type of a column, in the words of Athena's DDL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text, `string` in Athena.
    Text,
    /// UTC microseconds, `timestamp` in Athena.
    Timestamp,
    /// A calendar date.
    Date,
    /// A 64-bit count.
    BigInt,
    /// A 64-bit float: rates, hours, days' means.
    Double,
    /// A flag.
    Boolean,
    /// An amount of money with two decimals.
    Money,
}

impl Kind {
    /// The Arrow type that is written to Parquet.
    pub fn data_type(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Date => DataType::Date32,
            Kind::BigInt => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Boolean => DataType::Boolean,
            Kind::Money => DataType::Decimal128(14, 2),
        }
    }

    /// The type's name in Athena's DDL and in the Glue catalog.
    pub fn athena(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Timestamp => "timestamp",
            Kind::Date => "date",
            Kind::BigInt => "bigint",
            Kind::Double => "double",
            Kind::Boolean => "boolean",
            Kind::Money => "decimal(14,2)",
        }
    }
}

/// One table: its folder (`silver/encounter`), its columns in the documented order, and its partition column.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// The folder below the lake's root, without slashes at its ends.
    pub path: &'static str,
    /// All columns in the documented order, the partition column included.
    pub columns: &'static [(&'static str, Kind)],
    /// The column whose value is in the path (`bucket=07`) and not in the file.
    pub partition: Option<&'static str>,
}

impl Table {
    /// The columns that stand in the file, in order: all but the partition column.
    pub fn file_columns(&self) -> impl Iterator<Item = (&'static str, Kind)> + '_ {
        self.columns.iter().copied().filter(|(name, _)| Some(*name) != self.partition)
    }

    /// The Arrow schema of the table's files.
    pub fn file_schema(&self) -> SchemaRef {
        schema(self.file_columns())
    }

    /// The Arrow schema of the whole table, the partition column included, as transformations pass it on.
    pub fn full_schema(&self) -> SchemaRef {
        schema(self.columns.iter().copied())
    }

    /// The table's name in the Glue catalog: `silver/encounter` is `silver_encounter`.
    pub fn glue_name(&self) -> String {
        self.path.replace('/', "_")
    }
}

fn schema(columns: impl Iterator<Item = (&'static str, Kind)>) -> SchemaRef {
    Arc::new(Schema::new(columns.map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect::<Vec<_>>()))
}

/// Declares a table as a constant: its folder, its columns, and the partition column where there is one.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident = $path:literal, $partition:expr; $($column:ident $kind:ident),+ $(,)?) => {
        $(#[$doc])*
        pub const $name: Table = Table {
            path: $path,
            columns: &[$((stringify!($column), Kind::$kind)),+],
            partition: $partition,
        };
    };
}

table! {
    /// One row per Encounter resource that was accepted.
    BRONZE_ENCOUNTER = "bronze/encounter", Some("hospital_name");
    encounter_id Text, status Text, encounter_type Text, patient_ref Text, admission_time Timestamp,
    discharge_time Timestamp, department Text, participant_role Text, practitioner_ref Text, hospital_name Text,
    sourcename Text, precombine_ts Timestamp, patient_id Text, encounter_class Text, priority Text,
    admit_source Text, discharge_disposition Text, reason_code Text, reason_display Text, fhir_version Text,
    version_id Text, last_updated Timestamp, content_id Text, practitioner_id Text,
}

table! {
    /// One row per Patient resource that was accepted.
    BRONZE_PATIENT = "bronze/patient", Some("hospital_name");
    patient_id Text, mrn Text, active Boolean, gender Text, birth_date Date, city Text, state Text, country Text,
    language Text, deceased_time Timestamp, hospital_name Text, sourcename Text, precombine_ts Timestamp,
    fhir_version Text, version_id Text, last_updated Timestamp, content_id Text,
}

table! {
    /// One row per Condition resource that was accepted.
    BRONZE_CONDITION = "bronze/condition", Some("recorded_year");
    condition_id Text, patient_ref Text, encounter_ref Text, code_system Text, code Text, display Text,
    clinical_status Text, verification_status Text, category Text, onset_time Timestamp, abatement_time Timestamp,
    recorded_time Timestamp, recorded_year BigInt, sourcename Text, precombine_ts Timestamp, patient_id Text,
    encounter_id Text, fhir_version Text, version_id Text, last_updated Timestamp, content_id Text,
    infection_type Text, death Boolean,
}

table! {
    /// One row per record that could not be read, whole, with the reason.
    BRONZE_QUARANTINE = "bronze/quarantine", Some("ingest_date");
    sourcename Text, line BigInt, resource_type Text, rule Text, reason Text, raw Text, precombine_ts Timestamp,
    ingest_date Date,
}

table! {
    /// One row per landed object: what it held and how its records were handled.
    BRONZE_INGEST_LOG = "bronze/ingest_log", Some("ingest_date");
    sourcename Text, content_id Text, etag Text, bytes BigInt, status Text, records BigInt, accepted BigInt,
    quarantined BigInt, skipped BigInt, patients BigInt, encounters BigInt, conditions BigInt, deletions BigInt,
    precombine_ts Timestamp, ingest_date Date,
}

table! {
    /// One row per deletion of a Patient, Encounter or Condition: a version that says that the resource is gone.
    BRONZE_DELETION = "bronze/deletion", Some("ingest_date");
    resource_type Text, resource_id Text, deleted_time Timestamp, version_id Text, sourcename Text,
    precombine_ts Timestamp, ingest_date Date,
}

table! {
    /// One row per landed object, or patient, that was withdrawn: a patient is only named by a keyed digest.
    BRONZE_WITHDRAWAL = "bronze/withdrawal", Some("ingest_date");
    sourcename Text, patient_digest Text, reason Text, records BigInt, withdrawn_time Timestamp, ingest_date Date,
}

table! {
    /// The latest version of every patient.
    SILVER_PATIENT = "silver/patient", Some("bucket");
    patient_id Text, mrn Text, gender Text, birth_date Date, city Text, state Text, country Text, language Text,
    hospital_name Text, deceased_time Timestamp, last_updated Timestamp, version_id Text, precombine_ts Timestamp,
    content_id Text, bucket Text,
}

table! {
    /// The latest version of every encounter, normalised, with its place among the patient's stays.
    SILVER_ENCOUNTER = "silver/encounter", Some("bucket");
    encounter_id Text, patient_id Text, hospital_name Text, encounter_class Text, encounter_type Text, status Text,
    department Text, practitioner_id Text, admission_time Timestamp, discharge_time Timestamp, length_days BigInt,
    length_hours Double, priority Text, admit_source Text, discharge_disposition Text, reason_code Text,
    reason_display Text, prior_encounter_id Text, days_since_prior BigInt, readmit_flag Boolean,
    last_updated Timestamp, version_id Text, precombine_ts Timestamp, content_id Text, bucket Text,
}

table! {
    /// The latest version of every condition.
    SILVER_CONDITION = "silver/condition", Some("bucket");
    condition_id Text, patient_id Text, encounter_id Text, code_system Text, code Text, display Text,
    clinical_status Text, category Text, infection_type Text, death Boolean, onset_time Timestamp,
    recorded_time Timestamp, last_updated Timestamp, version_id Text, precombine_ts Timestamp, content_id Text,
    bucket Text,
}

table! {
    /// The stay ledger: one row per stay with every verdict and its reason.
    GOLD_STAY = "gold/stay", Some("bucket");
    stay_id Text, patient_id Text, hospital_name Text, department Text, admission_time Timestamp,
    discharge_time Timestamp, month Text, length_days BigInt, length_hours Double, age_at_admission BigInt,
    age_band Text, gender Text, state Text, language Text, reason_code Text, discharge_disposition Text,
    priority Text, planned Boolean, planned_rule Text, next_stay_id Text, days_to_next BigInt, naive_index Boolean,
    naive_readmitted Boolean, index_status Text, readmitted Boolean, readmission_stay_id Text, hwr_status Text,
    died_in_hospital Boolean, died_30d Boolean, infections BigInt, bucket Text,
}

table! {
    /// 30-day readmission by hospital, month of discharge and definition.
    GOLD_READMISSION = "gold/readmission", None;
    hospital_name Text, month Text, definition Text, index_stays BigInt, readmissions BigInt, rate Double,
    ci_low Double, ci_high Double, national_rate Double, comparison Text, provisional Boolean,
}

table! {
    /// Mortality by hospital, month and definition.
    GOLD_MORTALITY = "gold/mortality", None;
    hospital_name Text, month Text, definition Text, stays BigInt, deaths BigInt, rate Double, ci_low Double,
    ci_high Double, provisional Boolean,
}

table! {
    /// Length of stay by hospital, department and month of discharge.
    GOLD_LENGTH_OF_STAY = "gold/length_of_stay", None;
    hospital_name Text, department Text, month Text, discharges BigInt, total_days BigInt, alos Double,
    median_days Double, geometric_mean_days Double,
}

table! {
    /// Hospital infections by hospital, month and type.
    GOLD_INFECTION = "gold/infection", None;
    hospital_name Text, month Text, infection_type Text, infections BigInt, present_on_admission BigInt,
    patient_days BigInt, rate Double, per BigInt, ci_low Double, ci_high Double,
}

table! {
    /// Occupied and staffed beds by hospital and month.
    GOLD_OCCUPANCY = "gold/occupancy", None;
    hospital_name Text, month Text, patient_days BigInt, average_daily_census Double, staffed_beds BigInt,
    bed_days BigInt, occupancy_rate Double,
}

table! {
    /// Load by hospital, department and month of admission.
    GOLD_DEPARTMENT_LOAD = "gold/department_load", None;
    hospital_name Text, department Text, month Text, encounters BigInt, emergency_encounters BigInt,
    inpatient_encounters BigInt, total_hours Double, patient_days BigInt, average_daily_census Double,
    share_of_hospital Double,
}

table! {
    /// Stays and outcomes by gender, age band, language and state.
    GOLD_DEMOGRAPHICS = "gold/demographics", None;
    dimension Text, value Text, month Text, stays BigInt, index_stays BigInt, readmissions BigInt,
    readmission_rate Double, deaths BigInt, mortality_rate Double, patients BigInt,
}

table! {
    /// Returns and deaths within 30 days of patients from 65 years, by hospital, month and disease.
    GOLD_COHORT = "gold/cohort", None;
    hospital_name Text, month Text, cohort Text, index_stays BigInt, readmissions BigInt, readmission_rate Double,
    readmission_ci_low Double, readmission_ci_high Double, national_readmission_rate Double,
    readmission_comparison Text, stays BigInt, deaths_30d BigInt, mortality_rate Double, mortality_ci_low Double,
    mortality_ci_high Double, national_mortality_rate Double, mortality_comparison Text,
}

table! {
    /// Inpatients at midnight by hospital, department and date.
    GOLD_CENSUS = "gold/census", None;
    hospital_name Text, department Text, date Date, patients BigInt,
}

table! {
    /// The whole lake in one row per metric.
    GOLD_SUMMARY = "gold/summary", None;
    metric Text, definition Text, numerator BigInt, denominator BigInt, value Double, provisional Boolean,
}

/// Every table of the lake, bronze first, in the order of the documentation.
pub const TABLES: &[&Table] = &[
    &BRONZE_ENCOUNTER,
    &BRONZE_PATIENT,
    &BRONZE_CONDITION,
    &BRONZE_QUARANTINE,
    &BRONZE_INGEST_LOG,
    &BRONZE_DELETION,
    &BRONZE_WITHDRAWAL,
    &SILVER_PATIENT,
    &SILVER_ENCOUNTER,
    &SILVER_CONDITION,
    &GOLD_STAY,
    &GOLD_READMISSION,
    &GOLD_MORTALITY,
    &GOLD_LENGTH_OF_STAY,
    &GOLD_INFECTION,
    &GOLD_OCCUPANCY,
    &GOLD_DEPARTMENT_LOAD,
    &GOLD_DEMOGRAPHICS,
    &GOLD_COHORT,
    &GOLD_CENSUS,
    &GOLD_SUMMARY,
    &relational::PATIENTS.bronze,
    &relational::PROVIDERS.bronze,
    &relational::FACILITIES.bronze,
    &relational::ENCOUNTERS.bronze,
    &relational::CLAIMS.bronze,
    &relational::REGISTRY.bronze,
    &relational::CMS_MEASURES.bronze,
    &relational::HAI_DATA.bronze,
    &relational::PATIENTS.silver,
    &relational::PROVIDERS.silver,
    &relational::FACILITIES.silver,
    &relational::ENCOUNTERS.silver,
    &relational::CLAIMS.silver,
    &relational::REGISTRY.silver,
    &relational::CMS_MEASURES.silver,
    &relational::HAI_DATA.silver,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_columns_exist_and_are_not_in_the_file() {
        for table in TABLES {
            if let Some(partition) = table.partition {
                assert!(table.columns.iter().any(|(name, _)| *name == partition), "{}", table.path);
                assert!(table.file_columns().all(|(name, _)| name != partition), "{}", table.path);
            }
        }
    }

    #[test]
    fn glue_names_are_unique() {
        let names: std::collections::BTreeSet<_> = TABLES.iter().map(|t| t.glue_name()).collect();
        assert_eq!(names.len(), TABLES.len());
    }
}
