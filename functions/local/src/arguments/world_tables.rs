//! `--world DIR`: tables of a world that replace the shipped ones.

use std::path::{Path, PathBuf};

use clap::Args;
use metriccare_world::{Spec, TableTexts, Tables, World};

use crate::output::failure::Failure;

/// The folder of a world's own tables.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "World")]
pub(crate) struct WorldTables {
    /// Folder with tables that replace the shipped ones: hospitals.tsv, names.tsv, stay_reasons.tsv, visit_reasons.tsv,
    /// chronic.tsv, procedures.tsv, drg.tsv, in the form of those in shared/world/data
    #[arg(long, value_name = "DIR")]
    world: Option<PathBuf>,
}

impl WorldTables {
    /// The world of a spec, made from these tables.
    pub(crate) fn build(&self, spec: Spec) -> Result<World, Failure> {
        match &self.world {
            None => Ok(World::new(spec)?),
            Some(folder) => Ok(World::with_tables(spec, read(folder)?)?),
        }
    }
}

fn read(folder: &Path) -> Result<Tables, Failure> {
    let unusable = |reason: String| Failure::usage(format!("--world {}: {reason}", folder.display()));
    let mut texts = TableTexts::default();
    let mut replaced = 0;
    for entry in std::fs::read_dir(folder).map_err(|error| unusable(error.to_string()))? {
        let path = entry.map_err(|error| unusable(error.to_string()))?.path();
        if path.extension().is_none_or(|ending| ending != "tsv") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| unusable(format!("{name}: {error}")))?;
        if let Some(shipped) = TableTexts::fixed(&name) {
            if text != shipped {
                let words = "cannot be replaced, because gold compares with the shipped figures; leave it as it is";
                return Err(unusable(format!("{name} {words}, or out")));
            }
            continue;
        }
        if !texts.replace(&name, text) {
            let names: Vec<_> = TableTexts::files().collect();
            return Err(unusable(format!("{name} is no table of the world; the tables are {}", names.join(", "))));
        }
        replaced += 1;
    }
    if replaced == 0 {
        let names: Vec<_> = TableTexts::files().collect();
        return Err(unusable(format!("there is no table in this folder; the tables are {}", names.join(", "))));
    }
    Tables::from_texts(&texts).map_err(|error| unusable(error.to_string()))
}
