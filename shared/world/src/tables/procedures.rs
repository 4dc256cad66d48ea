//! Procedures that are done in stays, by the reason for the stay.

use serde::Deserialize;

use super::tsv::{TableError, keep, rows};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    reason: String,
    code: String,
    name: String,
    share: f64,
}

pub(super) fn read(text: &str) -> Result<Vec<Procedure>, TableError> {
    let procedures = rows::<Row>("procedures.tsv", text)?.into_iter().map(|line| {
        let share = line.share("share", line.row.share)?;
        let row = line.row;
        Ok(Procedure { reason: keep(row.reason), code: keep(row.code), name: keep(row.name), share })
    });
    procedures.collect()
}
