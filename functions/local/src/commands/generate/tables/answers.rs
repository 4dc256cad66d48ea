//! The answer key of the tables, beside them in `reference/_answers`: `ingest` and `upload` take it into the lake, and `verify`
//! compares the star with it.

use std::{io::Write, path::Path};

use metriccare_world::{CoveredTable, TableAnswers, TablePart, TableTotals, World};

use super::file::Form;
use crate::{commands::generate::atomic_file::AtomicFile, output::failure::Failure};

/// Writes the key of a part of the tables.
pub(super) fn write(
    world: &World,
    folder: &Path,
    form: Form,
    totals: TableTotals,
    covers: Vec<CoveredTable>,
    part: TablePart,
) -> Result<(), Failure> {
    let mut answers = TableAnswers::new(world, totals);
    covers.into_iter().for_each(|covered| answers.cover(covered));
    let path = folder.join(answers.key(form.ending(), part));
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let failure = |error: std::io::Error| Failure::failed(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failure)?;
    let mut draft = AtomicFile::new(folder, name);
    draft.create()?.write_all(answers.to_json().as_bytes()).map_err(|error| draft.failure(&error))?;
    draft.publish()?;
    Ok(())
}
