//! Which table of the relational set a list of column names belongs to.

use super::{RELATIONAL, RelationalTable};

/// A table, and where each of its columns stands in the landed object.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) table: &'static RelationalTable,
    /// For each column of the table, its position among the object's columns.
    pub(super) positions: Vec<usize>,
    /// How many columns the object has.
    pub(super) width: usize,
}

/// Finds the table whose columns these are, in any order and case.
///
/// # Errors
/// Where they are those of no table: what they come closest to, and what differs.
pub(super) fn recognise(names: &[&str]) -> Result<Header, String> {
    let position = |column: &str| names.iter().position(|name| name.trim().eq_ignore_ascii_case(column));
    for table in RELATIONAL {
        let positions: Option<Vec<usize>> = table.columns.iter().map(|(column, _)| position(column)).collect();
        match positions {
            Some(positions) if names.len() == table.columns.len() => {
                return Ok(Header { table, positions, width: names.len() });
            }
            _ => {}
        }
    }
    let shared = |table: &&&RelationalTable| table.columns.iter().filter(|(name, _)| position(name).is_some()).count();
    let Some(nearest) = RELATIONAL.iter().max_by_key(shared).filter(|table| shared(table) > 1) else {
        let known = RELATIONAL.map(|table| table.name).join(", ");
        return Err(format!(
            "its columns are those of no table of the relational set ({known}): give it the header of one of these, as \
             `metriccare generate tables` writes them, or leave it out"
        ));
    };
    let missing: Vec<&str> =
        nearest.columns.iter().map(|(name, _)| *name).filter(|name| position(name).is_none()).collect();
    // Names of columns that are not ours may be anything: they are counted, not repeated.
    let other = names.len() - shared(&nearest).min(names.len());
    let missing = if missing.is_empty() { "no column".to_owned() } else { missing.join(", ") };
    Err(format!(
        "its columns come closest to those of {}: missing {missing}; {other} {} too many. Rename or drop columns so \
         that the header is that of the table",
        nearest.name,
        if other == 1 { "column" } else { "columns" }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_recognised_in_any_order_and_case() {
        for table in RELATIONAL {
            let mut names: Vec<String> = table.columns.iter().map(|(name, _)| name.to_uppercase()).collect();
            names.reverse();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let header = recognise(&names).expect("these are the table's columns");
            assert_eq!(header.table.name, table.name);
            assert_eq!(names[header.positions[0]], table.columns[0].0.to_uppercase());
        }
    }

    #[test]
    fn a_column_too_few_or_too_many_is_named() {
        let names: Vec<&str> = super::super::CLAIMS.columns.iter().map(|(name, _)| *name).collect();
        let words = recognise(&names[1..]).expect_err("claim_id is missing");
        assert!(words.contains("claims") && words.contains("missing claim_id"), "{words}");
        let mut more = names.clone();
        more.push("note");
        let words = recognise(&more).expect_err("note is no column");
        assert!(words.contains("missing no column; 1 column too many"), "{words}");
        assert!(recognise(&["colour", "size"]).expect_err("no table").contains("no table"));
    }
}
