//! The rows of bronze: one struct of columns a table, and the mapping from a resource to its row.
//!
//! Columns stand in the order of [`crate::schema`]; a test holds them against it.

mod columns;
pub mod condition;
pub mod deletion;
pub mod encounter;
pub mod patient;
pub(super) mod plausible;
pub mod quarantine;

pub use columns::TableRows;
pub use condition::ConditionRows;
pub use deletion::DeletionRows;
pub use encounter::EncounterRows;
pub use patient::PatientRows;
pub use quarantine::QuarantineRows;

use std::borrow::Cow;

use metriccare_fhir::read::{Fault, Meta, Rule, Text, time};

use super::{WithdrawnPatients, entry_facts::EntryFacts};

/// The number of bronze's tables.
pub(super) const TABLES: usize = 5;

/// The rows that a thread has made, by table.
#[derive(Debug, Default)]
pub struct Rows {
    /// Rows of `bronze/encounter`.
    pub encounters: EncounterRows,
    /// Rows of `bronze/patient`.
    pub patients: PatientRows,
    /// Rows of `bronze/condition`.
    pub conditions: ConditionRows,
    /// Rows of `bronze/deletion`.
    pub deletions: DeletionRows,
    /// Rows of `bronze/quarantine`.
    pub quarantine: QuarantineRows,
}

impl Rows {
    /// The tables, always in the same order.
    pub fn tables(&self) -> [&dyn TableRows; TABLES] {
        [&self.encounters, &self.patients, &self.conditions, &self.deletions, &self.quarantine]
    }

    fn tables_mut(&mut self) -> [&mut dyn TableRows; TABLES] {
        [&mut self.encounters, &mut self.patients, &mut self.conditions, &mut self.deletions, &mut self.quarantine]
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
    /// The server that it comes from, where its key names one: ids are `<source>:<id>` then.
    pub source: Option<&'a str>,
    /// The patients that were withdrawn, whose records stay out.
    pub withdrawn: Option<&'a WithdrawnPatients>,
}

impl<'a> Origin<'a> {
    /// The origin of a landed object's rows.
    pub fn new(sourcename: &'a str, landed_micros: i64) -> Self {
        Origin { sourcename, landed_micros, source: crate::keys::source_of(sourcename), withdrawn: None }
    }

    /// The same origin of a lake from which these patients were withdrawn.
    pub(crate) fn without(self, withdrawn: Option<&'a WithdrawnPatients>) -> Self {
        Origin { withdrawn, ..self }
    }

    /// Whether the patient with this id in the landed object was withdrawn.
    pub(super) fn is_withdrawn(&self, id: &str) -> bool {
        self.withdrawn.is_some_and(|patients| self.id(Some(id)).is_some_and(|id| patients.holds(&id)))
    }

    /// Refuses an id that could be another source's.
    pub(super) fn check(&self, id: &str) -> Result<(), Fault> {
        if self.source.is_some() && id.contains(':') {
            return Err(Fault::new(Rule::BadValue, "id: it holds a colon, which parts a source from its ids"));
        }
        Ok(())
    }

    /// An id as it is in the whole lake.
    fn id<'i>(&self, id: Option<&'i str>) -> Option<Cow<'i, str>> {
        id.map(|id| match self.source {
            Some(source) => Cow::Owned(format!("{source}:{id}")),
            None => Cow::Borrowed(id),
        })
    }
}

/// What every resource's row ends with.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// `R4` or `R5`, where the resource tells.
    pub fhir_version: Option<&'static str>,
    /// `meta.versionId`, else the version in the entry's response.
    pub version_id: Option<&'a str>,
    /// `meta.lastUpdated`, else the time in the entry's response, in UTC microseconds.
    pub last_updated: Option<i64>,
}

impl<'a> Version<'a> {
    fn of(
        meta: Option<&'a Meta<'_>>,
        facts: EntryFacts<'a>,
        origin: Origin<'_>,
        fhir_version: Option<&'static str>,
    ) -> Result<Self, Fault> {
        let last_updated = match instant("meta.lastUpdated", meta.and_then(|meta| meta.last_updated.as_ref()))? {
            Some(time) => Some(time),
            None => instant("response.lastModified", facts.last_modified)?,
        };
        plausible::updated("meta.lastUpdated", last_updated, origin.landed_micros)?;
        let version_id = meta.and_then(|meta| meta.version_id.as_ref()?.trimmed()).or(facts.version_id);
        Ok(Version { fhir_version, version_id, last_updated })
    }
}

/// The instant of an element in UTC microseconds; none where it is coarser than a day.
pub(super) fn instant(element: &str, text: Option<&Text<'_>>) -> Result<Option<i64>, Fault> {
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
