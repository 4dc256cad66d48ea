//! What of a lake refers to nothing that is there. It is no difference, but nothing is measured of it either.

use metriccare_flow::Worker;
use metriccare_lake::keys;

use super::Check;
use crate::{
    lake::unlinked::{describe, unlinked},
    output::failure::Failure,
};

pub(super) async fn check(worker: &Worker) -> Result<Check, Failure> {
    let mut check = Check::named("links");
    if worker.ports.lake.list(keys::GOLD_PARTIALS).await?.is_empty() {
        check.skipped = Some("what is not linked is counted beside the lake's own gold, which is not here".to_owned());
        return Ok(check);
    }
    "encounters and their patients, conditions and their encounters".clone_into(&mut check.compared);
    check.notes.extend(describe(&unlinked(worker).await?));
    Ok(check)
}
