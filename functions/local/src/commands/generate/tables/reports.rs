//! The two tables that need the whole population: cms_measures and hai_data.
//!
//! Of several shards each leaves its sums in `_measures/<spec>/<k>-of-<n>.json`. Whichever finds all of them writes the
//! tables; two that find them at once write the same bytes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use metriccare_world::view::tables::{CMS_MEASURES, HAI_DATA, Table};
use metriccare_world::{Measures, TableTotals, World};

use super::file::{Finished, Form, write_once};
use metriccare_landing::Shard;

use crate::{commands::generate::atomic_file::AtomicFile, output::failure::Failure};

/// The folder of the shards' sums.
pub(super) const SUMS: &str = "_measures";

/// Writes the reports where all sums are there; the files written, and what their rows come to.
pub(super) fn write(
    world: &World,
    measures: &Measures,
    folder: &Path,
    form: Form,
    shard: Shard,
    wanted: &dyn Fn(&Table) -> bool,
) -> Result<Option<(Vec<Finished>, TableTotals)>, Failure> {
    if ![&CMS_MEASURES, &HAI_DATA].into_iter().any(wanted) {
        return Ok(None);
    }
    let all = if shard.of == 1 { Some(measures.clone()) } else { of_all_shards(world, measures, folder, shard)? };
    let Some(all) = all else { return Ok(None) };
    let mut files = Vec::new();
    for (table, csv) in [(&CMS_MEASURES, all.cms_measures_csv(world)), (&HAI_DATA, all.hai_data_csv(world))] {
        if wanted(table) {
            files.push(write_once(folder, form, table, &csv)?);
        }
    }
    Ok(Some((files, all.totals(world))))
}

/// Leaves this shard's sums, and adds up all of them where they are there.
fn of_all_shards(world: &World, measures: &Measures, folder: &Path, shard: Shard) -> Result<Option<Measures>, Failure> {
    let folder = folder.join(SUMS).join(world.slug());
    let failure = |path: &Path, error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", path.display()));
    fs::create_dir_all(&folder).map_err(|error| failure(&folder, &error))?;
    let name = |part: u64| format!("{part}-of-{}.json", shard.of);
    let mut draft = AtomicFile::new(&folder, &name(shard.part));
    draft.create()?.write_all(measures.to_json().as_bytes()).map_err(|error| draft.failure(&error))?;
    draft.publish()?;
    let paths: Vec<PathBuf> = (1..=shard.of).map(|part| folder.join(name(part))).collect();
    if !paths.iter().all(|path| path.is_file()) {
        return Ok(None);
    }
    let mut all = Measures::new(world);
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| failure(&path, &error))?;
        let part = Measures::from_json(&text).map_err(|error| failure(&path, &error))?;
        all.merge(&part).map_err(|error| failure(&path, &error))?;
    }
    Ok(Some(all))
}
