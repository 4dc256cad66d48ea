//! The columns of the eight tables and the kinds of their values: what headers, readers and Parquet schemas are made of.
//!
//! The names are those of the relational data set's users; providers and facilities have the field's usual ones. An
//! empty cell of any kind is a missing value.

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A time in UTC, `YYYY-MM-DD HH:MM:SS`.
    Time,
    /// A whole number.
    Whole,
    /// An amount of money with two decimals.
    Amount,
    /// A number with up to four decimals.
    Decimal,
    /// `true` or `false`.
    Flag,
}

/// A table's name and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name, without an ending.
    pub name: &'static str,
    /// The columns, in their order.
    pub columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The first line of the table's CSV file.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(",") + "\n"
    }
}

use Kind::{Amount, Date, Decimal, Flag, Text, Time, Whole};

/// One row a patient.
pub const PATIENTS: Table = Table {
    name: "patients",
    columns: &[
        ("patient_id", Text),
        ("first_name", Text),
        ("last_name", Text),
        ("date_of_birth", Date),
        ("age", Whole),
        ("gender", Text),
        ("race", Text),
        ("comorbidities", Text),
        ("is_high_cost", Flag),
        ("enrollment_date", Date),
        ("active", Flag),
    ],
};

/// One row a contact with a hospital.
pub const ENCOUNTERS: Table = Table {
    name: "encounters",
    columns: &[
        ("encounter_id", Text),
        ("patient_id", Text),
        ("provider_id", Text),
        ("facility_id", Text),
        ("encounter_type", Text),
        ("encounter_date", Time),
        ("discharge_date", Time),
        ("length_of_stay", Whole),
        ("primary_diagnosis", Text),
        ("secondary_diagnoses", Text),
        ("primary_procedure", Text),
        ("secondary_procedures", Text),
        ("is_readmission", Flag),
        ("readmission_days", Whole),
        ("discharge_disposition", Text),
        ("severity_level", Whole),
    ],
};

/// One row a line of a claim.
pub const CLAIMS: Table = Table {
    name: "claims",
    columns: &[
        ("claim_id", Text),
        ("patient_id", Text),
        ("provider_id", Text),
        ("claim_date", Date),
        ("service_date", Date),
        ("procedure_code", Text),
        ("claim_amount", Amount),
        ("allowed_amount", Amount),
        ("paid_amount", Amount),
        ("adjudication_status", Text),
        ("is_fraudulent", Flag),
        ("denial_reason", Text),
        ("claim_line_number", Whole),
    ],
};

/// One row a stay with a registered procedure.
pub const REGISTRY: Table = Table {
    name: "registry",
    columns: &[
        ("registry_id", Text),
        ("patient_id", Text),
        ("provider_id", Text),
        ("procedure_name", Text),
        ("procedure_date", Date),
        ("has_complication", Flag),
        ("complication_type", Text),
        ("complication_date", Date),
        ("outcome", Text),
        ("risk_score", Decimal),
        ("mortality_flag", Flag),
        ("readmission_flag", Flag),
        ("days_to_readmission", Whole),
    ],
};

/// One row a clinician.
pub const PROVIDERS: Table = Table {
    name: "providers",
    columns: &[
        ("provider_id", Text),
        ("first_name", Text),
        ("last_name", Text),
        ("gender", Text),
        ("specialty", Text),
        ("credential", Text),
        ("facility_id", Text),
        ("active", Flag),
    ],
};

/// One row a hospital.
pub const FACILITIES: Table = Table {
    name: "facilities",
    columns: &[
        ("facility_id", Text),
        ("facility_name", Text),
        ("facility_type", Text),
        ("city", Text),
        ("state", Text),
        ("bed_count", Whole),
        ("teaching", Flag),
    ],
};

/// One row a facility and measure.
pub const CMS_MEASURES: Table = Table {
    name: "cms_measures",
    columns: &[
        ("report_id", Text),
        ("facility_id", Text),
        ("measure_code", Text),
        ("measure_name", Text),
        ("report_date", Date),
        ("measure_value", Decimal),
        ("benchmark_value", Decimal),
        ("percentile_rank", Decimal),
        ("performance_status", Text),
    ],
};

/// One row a facility, month and type of infection.
pub const HAI_DATA: Table = Table {
    name: "hai_data",
    columns: &[
        ("report_id", Text),
        ("facility_id", Text),
        ("hai_type", Text),
        ("report_date", Date),
        ("infection_count", Whole),
        ("patient_days", Whole),
        ("infection_rate", Decimal),
        ("national_benchmark", Decimal),
        ("status", Text),
    ],
};

/// The tables that are written patient by patient, in the order of [`super::Rows`].
pub const BY_PATIENT: [Table; 4] = [PATIENTS, ENCOUNTERS, CLAIMS, REGISTRY];
