//! The world as eight relational tables, in CSV: the second view of the same lives.
//!
//! People, stays, hospitals and clinicians have the ids that the FHIR view gives them. Flags agree with dates, amounts
//! with each other, and measures with the stays behind them; a stay that is still open at the year's end is there with
//! the type `Inpatient (in progress)` and no discharge. Facilities, providers, measures and infections are written once
//! for the whole run, the other tables patient by patient.

mod cell_texts;
mod claim_totals;
mod claims;
mod columns;
mod csv;
mod encounters;
mod people;
mod procedure;
mod registry;
mod rows;
#[cfg(test)]
mod tests;
mod totals;
mod writer;

pub(crate) use claim_totals::ClaimTotals;
pub use columns::{
    BY_PATIENT, CLAIMS, CMS_MEASURES, ENCOUNTERS, FACILITIES, HAI_DATA, Kind, PATIENTS, PROVIDERS, REGISTRY, Table,
};
pub(crate) use csv::Row;
pub use people::{facilities_csv, providers_csv};
pub use rows::Rows;
pub use totals::TableTotals;
pub use writer::TablesWriter;
