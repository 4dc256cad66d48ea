//! The rows of bronze: one struct of columns a table, and the mapping from a resource to its row.
//!
//! Columns stand in the order of [`crate::schema`]; a test holds them against it.

mod columns;
pub mod condition;
pub mod encounter;
pub mod patient;
pub mod quarantine;

pub use columns::TableRows;
pub use condition::ConditionRows;
pub use encounter::EncounterRows;
pub use patient::PatientRows;
pub use quarantine::QuarantineRows;

use metriccare_fhir::read::{Fault, Meta, Rule, Text, time};

/// The number of bronze's tables.
pub(super) const TABLES: usize = 4;

/// The rows that a thread has made, by table.
#[derive(Debug, Default)]
pub struct Rows {
    /// Rows of `bronze/encounter`.
    pub encounters: EncounterRows,
    /// Rows of `bronze/patient`.
    pub patients: PatientRows,
    /// Rows of `bronze/condition`.
    pub conditions: ConditionRows,
    /// Rows of `bronze/quarantine`.
    pub quarantine: QuarantineRows,
}

impl Rows {
    /// The tables, always in the same order.
    pub fn tables(&self) -> [&dyn TableRows; TABLES] {
        [&self.encounters, &self.patients, &self.conditions, &self.quarantine]
    }

    fn tables_mut(&mut self) -> [&mut dyn TableRows; TABLES] {
        [&mut self.encounters, &mut self.patients, &mut self.conditions, &mut self.quarantine]
    }

    /// The rows of each table.
    pub fn lengths(&self) -> [usize; TABLES] {
        self.tables().map(TableRows::len)
    }

    /// Takes out all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.tables_mut().into_iter().for_each(TableRows::clear);
    }

    /// Takes out the texts of columns that have no rows.
    pub fn forget_texts(&mut self) {
        self.tables_mut().into_iter().for_each(TableRows::forget_texts);
    }
}

/// What every row of a chunk has in common.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The landed object's key.
    pub sourcename: &'a str,
    /// When it landed, in UTC microseconds.
    pub landed_micros: i64,
}

/// What every resource's row ends with.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// `R4` or `R5`, where the resource tells.
    pub fhir_version: Option<&'static str>,
    /// `meta.versionId`.
    pub version_id: Option<&'a str>,
    /// `meta.lastUpdated` in UTC microseconds.
    pub last_updated: Option<i64>,
}

impl<'a> Version<'a> {
    fn of(meta: Option<&'a Meta<'_>>, fhir_version: Option<&'static str>) -> Result<Self, Fault> {
        Ok(Version {
            fhir_version,
            version_id: meta.and_then(|meta| meta.version_id.as_ref()?.trimmed()),
            last_updated: instant("meta.lastUpdated", meta.and_then(|meta| meta.last_updated.as_ref()))?,
        })
    }
}

/// The instant of an element in UTC microseconds; none where it is coarser than a day.
fn instant(element: &str, text: Option<&Text<'_>>) -> Result<Option<i64>, Fault> {
    let Some(text) = text else { return Ok(None) };
    match time::parse(text) {
        Some(moment) => Ok(moment.micros()),
        None => Err(Fault::new(Rule::BadValue, format!("{element}: not a FHIR date, or a time without its zone"))),
    }
}

/// The date of an element in days since 1970-01-01; the first day of what is coarser.
fn date(element: &str, text: Option<&Text<'_>>) -> Result<Option<i32>, Fault> {
    let Some(text) = text else { return Ok(None) };
    match time::parse_date(text) {
        Some(days) => Ok(Some(days)),
        None => Err(Fault::new(Rule::BadValue, format!("{element}: not a FHIR date"))),
    }
}

/// The longest hospital name that can be a directory's name on every store, in bytes once escaped.
const LONGEST_PARTITION: usize = 200;

/// A value that becomes a directory; refused where no file system would take it.
fn partition<'a>(element: &str, value: Option<&'a str>) -> Result<Option<&'a str>, Fault> {
    match value {
        // An escape is three bytes: what is short enough needs no look.
        Some(value)
            if value.len() > LONGEST_PARTITION / 3 && crate::keys::hive_escape(value).len() > LONGEST_PARTITION =>
        {
            Err(Fault::new(
                Rule::BadValue,
                format!("{element}: longer than {LONGEST_PARTITION} bytes, it cannot name a partition"),
            ))
        }
        other => Ok(other),
    }
}
