//! The eight tables of the relational set: what each is called, its columns with their types, and its primary key.
//!
//! Each is kept twice: `bronze/rel_<name>` has every row that landed, silver has the latest row of each primary key (the
//! star: dimensions and facts).

use crate::schema::{Kind, Table};

/// One table of the relational set.
#[derive(Debug)]
pub struct RelationalTable {
    /// The name, which is that of its CSV file without the ending.
    pub name: &'static str,
    /// The columns of the CSV file, in their order, with the types that bronze and silver give them.
    pub columns: &'static [(&'static str, Kind)],
    /// The columns of the primary key; the first one decides the bucket.
    pub key: &'static [&'static str],
    /// Its table in bronze.
    pub bronze: Table,
    /// Its table in silver.
    pub silver: Table,
}

/// Declares a relational table with its bronze and silver tables, so that their columns cannot differ.
macro_rules! relational {
    ($(#[$doc:meta])* $constant:ident = $name:literal, $silver:literal, $key:expr; $($column:ident $kind:ident),+ $(,)?) => {
        $(#[$doc])*
        pub const $constant: RelationalTable = RelationalTable {
            name: $name,
            columns: &[$((stringify!($column), Kind::$kind)),+],
            key: &$key,
            bronze: Table {
                path: concat!("bronze/rel_", $name),
                columns: &[
                    $((stringify!($column), Kind::$kind),)+
                    ("sourcename", Kind::Text),
                    ("precombine_ts", Kind::Timestamp),
                    ("content_id", Kind::Text),
                    ("ingest_date", Kind::Date),
                ],
                partition: Some("ingest_date"),
            },
            silver: Table {
                path: $silver,
                columns: &[
                    $((stringify!($column), Kind::$kind),)+
                    ("precombine_ts", Kind::Timestamp),
                    ("content_id", Kind::Text),
                    ("bucket", Kind::Text),
                ],
                partition: Some("bucket"),
            },
        };
    };
}

relational! {
    /// One row per patient.
    PATIENTS = "patients", "silver/dim_patient", ["patient_id"];
    patient_id Text, first_name Text, last_name Text, date_of_birth Date, age BigInt, gender Text, race Text,
    comorbidities Text, is_high_cost Boolean, enrollment_date Date, active Boolean,
}

relational! {
    /// One row per clinician.
    PROVIDERS = "providers", "silver/dim_provider", ["provider_id"];
    provider_id Text, first_name Text, last_name Text, gender Text, specialty Text, credential Text, facility_id Text,
    active Boolean,
}

relational! {
    /// One row per hospital.
    FACILITIES = "facilities", "silver/dim_facility", ["facility_id"];
    facility_id Text, facility_name Text, facility_type Text, city Text, state Text, bed_count BigInt, teaching Boolean,
}

relational! {
    /// One row per contact with a hospital.
    ENCOUNTERS = "encounters", "silver/fact_encounter", ["encounter_id"];
    encounter_id Text, patient_id Text, provider_id Text, facility_id Text, encounter_type Text,
    encounter_date Timestamp, discharge_date Timestamp, length_of_stay BigInt, primary_diagnosis Text,
    secondary_diagnoses Text, primary_procedure Text, secondary_procedures Text, is_readmission Boolean,
    readmission_days BigInt, discharge_disposition Text, severity_level BigInt,
}

relational! {
    /// One row per line of a claim.
    CLAIMS = "claims", "silver/fact_claim", ["claim_id", "claim_line_number"];
    claim_id Text, patient_id Text, provider_id Text, claim_date Date, service_date Date, procedure_code Text,
    claim_amount Money, allowed_amount Money, paid_amount Money, adjudication_status Text, is_fraudulent Boolean,
    denial_reason Text, claim_line_number BigInt,
}

relational! {
    /// One row per registered procedure.
    REGISTRY = "registry", "silver/fact_registry", ["registry_id"];
    registry_id Text, patient_id Text, provider_id Text, procedure_name Text, procedure_date Date,
    has_complication Boolean, complication_type Text, complication_date Date, outcome Text, risk_score Double,
    mortality_flag Boolean, readmission_flag Boolean, days_to_readmission BigInt,
}

relational! {
    /// One row per facility and quality measure.
    CMS_MEASURES = "cms_measures", "silver/fact_measure", ["report_id"];
    report_id Text, facility_id Text, measure_code Text, measure_name Text, report_date Date, measure_value Double,
    benchmark_value Double, percentile_rank Double, performance_status Text,
}

relational! {
    /// One row per facility, period and type of infection.
    HAI_DATA = "hai_data", "silver/fact_hai", ["report_id"];
    report_id Text, facility_id Text, hai_type Text, report_date Date, infection_count BigInt, patient_days BigInt,
    infection_rate Double, national_benchmark Double, status Text,
}

/// The eight tables, in the order of the documentation.
pub const RELATIONAL: [&RelationalTable; 8] =
    [&PATIENTS, &PROVIDERS, &FACILITIES, &ENCOUNTERS, &CLAIMS, &REGISTRY, &CMS_MEASURES, &HAI_DATA];

impl RelationalTable {
    /// The table whose bronze file a key names; none for keys elsewhere.
    pub fn of_bronze_key(key: &str) -> Option<&'static RelationalTable> {
        let names =
            |table: &&RelationalTable| key.strip_prefix(table.bronze.path).is_some_and(|rest| rest.starts_with('/'));
        RELATIONAL.into_iter().find(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_columns_and_bronze_keys_name_their_table() {
        for table in RELATIONAL {
            for key in table.key {
                assert!(table.columns.iter().any(|(name, _)| name == key), "{}.{key}", table.name);
            }
            let key = format!("{}/ingest_date=2025-01-01/a.parquet", table.bronze.path);
            assert_eq!(RelationalTable::of_bronze_key(&key).map(|found| found.name), Some(table.name));
        }
        assert!(RelationalTable::of_bronze_key("bronze/encounter/hospital_name=A/a.parquet").is_none());
    }
}
