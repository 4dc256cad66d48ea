//! People's names: given names by sex, and family names.

use std::collections::HashSet;

use fake::locales::{Data, EN};
use serde::Deserialize;

use super::tsv::{TableError, keep, refuse, rows};

/// The names that people may have.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Given names of women.
    pub(crate) female: Vec<&'static str>,
    /// Given names of men.
    pub(crate) male: Vec<&'static str>,
    /// Family names: those of the table, then those of the crate `fake`.
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
    let mut family = of(Kind::Family)?;
    let known: HashSet<&str> = family.iter().copied().collect();
    family.extend(EN::NAME_LAST_NAME.iter().filter(|name| !known.contains(*name)));
    Ok(Names { female: of(Kind::Female)?, male: of(Kind::Male)?, family })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_names_of_the_pinned_crate_are_those_that_worlds_were_made_with() {
        let names = EN::NAME_LAST_NAME;
        assert_eq!((names.len(), names[0], names[200], names[473]), (474, "Abbott", "Jones", "Zulauf"));
        let digest = names
            .iter()
            .flat_map(|name| name.bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        assert_eq!(format!("{digest:016x}"), "8343621b0c1eb033", "another list makes another world of every seed");
    }
}
