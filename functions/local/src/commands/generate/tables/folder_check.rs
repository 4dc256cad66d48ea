//! Checks the output folder for files that must not be mixed with those of this run.
//!
//! A reader of `patients*.csv` takes all matching files as one table. A whole table beside its shards, or shards of two
//! different splits or worlds, would count patients twice, so such a run is refused.

use std::{fs, io, path::Path};

use metriccare_landing::Shard;
use metriccare_world::{World, view::tables::BY_PATIENT};

use super::{ending, file::Form, reports};
use crate::output::failure::Failure;

/// Refuses a folder that holds what must not lie beside this run's files.
pub(super) fn check(world: &World, folder: &Path, form: Form, shard: Shard) -> Result<(), Failure> {
    for name in names(folder)? {
        let Some(there) = TableName::parse(&name) else { continue };
        let why = if there.of != shard.of {
            format!("it belongs to {}, this run makes {}", population(there.of), population(shard.of))
        } else if there.rest == ending(shard) && form.is_csv() && there.is_csv() && there.ending != form.ending() {
            "this run makes the same table once more in another form".to_owned()
        } else {
            continue;
        };
        return Err(conflict(folder, &name, &why));
    }
    if shard.of > 1 {
        let own = world.slug();
        if let Some(other) = names(&folder.join(reports::SUMS))?.into_iter().find(|name| *name != own) {
            return Err(conflict(
                folder,
                &format!("{}/{other}", reports::SUMS),
                "it is of the shards of another world",
            ));
        }
    }
    Ok(())
}

fn conflict(folder: &Path, name: &str, why: &str) -> Failure {
    let what = "readers would take both for one table; write this run to another folder, or empty this one";
    Failure::usage(format!("--out {}: {name} is there: {why}; {what}", folder.display()))
}

fn population(of: u64) -> String {
    if of == 1 { "a whole population".to_owned() } else { format!("one in {of} shards") }
}

fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: io::Error| Failure::usage(format!("--out {}: {error}", folder.display()));
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(unreadable)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// The name of a file of a table that is written patient by patient: `patients.csv`, `claims-2-of-7.parquet`.
#[derive(Debug, PartialEq, Eq)]
struct TableName<'a> {
    /// What stands between the table's name and the ending.
    rest: &'a str,
    /// How many shards there are.
    of: u64,
    ending: &'a str,
}

impl<'a> TableName<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (stem, ending) = name.split_once('.')?;
        if !Form::ALL.iter().any(|form| form.ending() == ending) {
            return None;
        }
        let rest = BY_PATIENT.iter().find_map(|table| stem.strip_prefix(table.name))?;
        let of = match rest.strip_prefix('-') {
            None if rest.is_empty() => 1,
            None => return None,
            Some(shard) => {
                let (part, of) = shard.split_once("-of-")?;
                part.parse::<u64>().ok()?;
                of.parse().ok()?
            }
        };
        Some(TableName { rest, of, ending })
    }

    fn is_csv(&self) -> bool {
        Form::ALL.iter().any(|form| form.is_csv() && form.ending() == self.ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_shards_and_its_form() {
        let name = |rest, of, ending| Some(TableName { rest, of, ending });
        assert_eq!(TableName::parse("patients.csv"), name("", 1, "csv"));
        assert_eq!(TableName::parse("claims-2-of-7.csv.gz"), name("-2-of-7", 7, "csv.gz"));
        for other in
            ["providers.csv", "patients", "patients-old.csv", ".patients.csv.17", "patients_2.csv", "notes.txt"]
        {
            assert_eq!(TableName::parse(other), None, "{other}");
        }
    }
}
