//! Identity is the type and the id: every resource is in silver once, in one bucket, whatever patients it named.

use std::collections::BTreeMap;

use metriccare_flow::Worker;
use metriccare_lake::{
    cells, keys,
    schema::{SILVER_CONDITION, SILVER_ENCOUNTER, SILVER_PATIENT},
};
use metriccare_ports::ErrorKind;

use super::Check;
use crate::output::{count, failure::Failure};

/// How many of a table's ids a difference names.
const NAMED: usize = 5;

pub(super) async fn check(worker: &Worker) -> Result<Check, Failure> {
    let mut check = Check::named("identity");
    let mut compared = 0;
    for table in [&SILVER_PATIENT, &SILVER_ENCOUNTER, &SILVER_CONDITION] {
        let mut rows_of: BTreeMap<String, u32> = BTreeMap::new();
        for bucket in 0..worker.buckets {
            let bytes = match worker.ports.lake.get(&keys::bucket_file(table.path, bucket, worker.buckets)).await {
                Ok(object) => object.body.bytes().await?,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            // An object that cannot be read is a difference of another check.
            let Ok(rows) = cells::read_rows(table, &bytes) else { continue };
            for row in rows {
                compared += 1;
                *rows_of.entry(row.first().map(ToString::to_string).unwrap_or_default()).or_default() += 1;
            }
        }
        let twice: Vec<_> = rows_of.into_iter().filter(|(_, rows)| *rows > 1).map(|(id, _)| id).collect();
        if !twice.is_empty() {
            let names = twice[..twice.len().min(NAMED)].join(", ");
            let number = count(twice.len() as u64);
            check.differences.push(format!("{}: {number} ids are there more than once: {names}", table.path));
        }
    }
    check.compared = format!("{} resources of silver, each of them once", count(compared));
    Ok(check)
}
