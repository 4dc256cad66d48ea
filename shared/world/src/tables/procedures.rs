//! Procedures that are done in stays, by the reason for the stay.

use super::{number, rows};

/// A procedure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Procedure {
    /// The ICD-10-CM code of the reason it is done for.
    pub(crate) reason: &'static str,
    /// The ICD-10-PCS code.
    pub(crate) code: &'static str,
    /// A short name.
    pub(crate) name: &'static str,
    /// How often it is done for that reason.
    pub(crate) share: f64,
}

pub(super) fn read() -> Vec<Procedure> {
    rows(include_str!("../../data/procedures.tsv"))
        .map(|row| Procedure { reason: row[0], code: row[1], name: row[2], share: number(row[3]) / 100.0 })
        .collect()
}
