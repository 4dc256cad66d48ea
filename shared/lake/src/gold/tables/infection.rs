//! gold/infection: infections that began in hospital, per patient-days.
//!
//! Patient-days are the surveillance denominator of cdi and mrsa only: for infections of devices it is device-days, for
//! surgical sites procedures, which encounters do not carry. Where rates are shown, that must be said.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::gold::interval::byar;
use crate::gold::rows::TableRows;
use crate::gold::whole::Whole;
use crate::schema::GOLD_INFECTION;
use crate::silver::infection::TYPES;
use crate::table_file::FileError;

/// Patient-days that a rate is given per.
fn per(kind: &str) -> i64 {
    if kind == "cdi" { 10_000 } else { 1_000 }
}

pub(super) fn write(whole: &Whole<'_>) -> Result<Bytes, FileError> {
    let mut cells: BTreeMap<_, [i64; 2]> = BTreeMap::new();
    for ((hospital, month), _) in whole.hospital_days.iter().filter(|(_, days)| **days != [0]) {
        cells.extend((0..TYPES.len() as u8).map(|kind| ((*hospital, *month, kind), [0, 0])));
    }
    cells.extend(
        whole.sums.infection.iter().filter(|(_, counts)| **counts != [0, 0]).map(|(key, counts)| (*key, *counts)),
    );
    let mut rows = TableRows::new(&GOLD_INFECTION, whole.inputs)?;
    for ((hospital, month, kind), [infections, present]) in cells {
        let Some(kind) = TYPES.get(usize::from(kind)).copied() else { continue };
        let [days] = whole.hospital_days.get(&(hospital, month)).copied().unwrap_or_default();
        let scaled = |count: f64| (days != 0).then(|| count / days as f64 * per(kind) as f64);
        let (low, high) = byar(infections);
        rows.push([
            whole.name(hospital).into(),
            month.to_string().as_str().into(),
            kind.into(),
            infections.into(),
            present.into(),
            days.into(),
            scaled(infections as f64).into(),
            per(kind).into(),
            scaled(low).into(),
            scaled(high).into(),
        ])?;
    }
    rows.finish()
}
