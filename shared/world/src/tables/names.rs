//! People's names: given names by sex, and family names.

use serde::Deserialize;

use super::tsv::{TableError, keep, refuse, rows};

/// The names that people may have.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Given names of women.
    pub(crate) female: Vec<&'static str>,
    /// Given names of men.
    pub(crate) male: Vec<&'static str>,
    /// Family names.
    pub(crate) family: Vec<&'static str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: Kind,
    names: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Female,
    Male,
    Family,
}

const FILE: &str = "names.tsv";

pub(super) fn read(text: &str) -> Result<Names, TableError> {
    let lines = rows::<Row>(FILE, text)?;
    let of = |kind: Kind| -> Result<Vec<&'static str>, TableError> {
        let lines = lines.iter().filter(|line| line.row.kind == kind);
        let names = lines.flat_map(|line| line.row.names.split(' ')).filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(|name| keep(name.to_owned())).collect();
        if names.is_empty() {
            return Err(refuse(FILE, format!("there is no name of kind {}", format!("{kind:?}").to_lowercase())));
        }
        Ok(names)
    };
    Ok(Names { female: of(Kind::Female)?, male: of(Kind::Male)?, family: of(Kind::Family)? })
}
