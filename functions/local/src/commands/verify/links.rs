//! What of a lake refers to nothing that is there. It is no difference, but nothing is measured of it either.

use metriccare_flow::Worker;

use super::Check;
use crate::{
    lake::unlinked::{describe, unlinked},
    output::failure::Failure,
};

pub(super) async fn check(worker: &Worker) -> Result<Check, Failure> {
    let mut check = Check::named("links");
    "encounters and their patients, conditions and their encounters".clone_into(&mut check.compared);
    check.notes.extend(describe(&unlinked(worker).await?));
    Ok(check)
}
