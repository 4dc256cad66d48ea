//! gold/infection: infections that began in hospital, per patient-days.
//!
//! Patient-days are the surveillance denominator of cdi and mrsa only: for infections of devices it is device-days, for
//! surgical sites procedures, which encounters do not carry. Where rates are shown, that must be said.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::gold::counts::{Counts as _, InfectionCounts};
use crate::gold::interval::byar;
use crate::gold::rows::TableRows;
use crate::gold::totals::LakeTotals;
use crate::schema::GOLD_INFECTION;
use crate::silver::infection::TYPES;
use crate::table_file::FileError;

/// Patient-days that a rate is given per.
fn per(kind: &str) -> i64 {
    if kind == "cdi" { 10_000 } else { 1_000 }
}

pub(super) fn write(totals: &LakeTotals<'_>) -> Result<Bytes, FileError> {
    let mut cells: BTreeMap<_, InfectionCounts> = BTreeMap::new();
    for ((hospital, month), _) in totals.hospital_days.iter().filter(|(_, days)| **days != 0) {
        cells.extend((0..TYPES.len() as u8).map(|kind| ((*hospital, *month, kind), InfectionCounts::default())));
    }
    let counted = totals.sums.infection.iter().filter(|(_, counts)| !counts.is_zero());
    cells.extend(counted.map(|(key, counts)| (*key, *counts)));
    let mut rows = TableRows::new(&GOLD_INFECTION, totals.inputs);
    for ((hospital, month, kind), counts) in cells {
        let Some(kind) = TYPES.get(usize::from(kind)).copied() else { continue };
        let days = totals.hospital_days.get(&(hospital, month)).copied().unwrap_or_default();
        let scaled = |count: f64| (days != 0).then(|| count / days as f64 * per(kind) as f64);
        let (low, high) = byar(counts.hospital_onset);
        rows.push([
            totals.name(hospital).into(),
            month.to_string().as_str().into(),
            kind.into(),
            counts.hospital_onset.into(),
            counts.present_on_admission.into(),
            days.into(),
            scaled(counts.hospital_onset as f64).into(),
            per(kind).into(),
            scaled(low).into(),
            scaled(high).into(),
        ])?;
    }
    rows.finish()
}
