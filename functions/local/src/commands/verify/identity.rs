//! Resources that changed their patient: they are out of contract, and stand in the lake once for each patient.

use std::collections::BTreeMap;

use metriccare_flow::Worker;
use metriccare_lake::{
    cells, keys,
    schema::{SILVER_CONDITION, SILVER_ENCOUNTER},
};
use metriccare_ports::ErrorKind;

use super::Check;
use crate::output::{count, failure::Failure};

/// Resources that are named in a note.
const NAMED: usize = 5;

pub(super) async fn check(worker: &Worker) -> Result<Check, Failure> {
    let mut check = Check::named("identity");
    let mut compared = 0;
    for table in [&SILVER_ENCOUNTER, &SILVER_CONDITION] {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for bucket in 0..worker.buckets {
            let bytes = match worker.ports.lake.get(&keys::bucket_file(table.path, bucket)).await {
                Ok(object) => object.body.bytes().await?,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            // An object that cannot be read is a difference of another check.
            let Ok(rows) = cells::read_rows(table, &bytes) else { continue };
            for row in rows {
                compared += 1;
                *seen.entry(row.first().map(ToString::to_string).unwrap_or_default()).or_default() += 1;
            }
        }
        let moved: Vec<_> = seen.into_iter().filter(|(_, patients)| *patients > 1).map(|(id, _)| id).collect();
        if !moved.is_empty() {
            let names = moved[..moved.len().min(NAMED)].join(", ");
            let number = count(moved.len() as u64);
            check.notes.push(format!("{}: {number} ids belong to more than one patient: {names}", table.path));
        }
    }
    check.compared = format!("{} encounters and conditions by their patient", count(compared));
    Ok(check)
}
