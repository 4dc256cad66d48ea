//! The tables that a statement names: known ones, or an error with the nearest names.

use std::{collections::BTreeSet, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{ObjectName, Query, Statement, TableFactor, Visit, Visitor};
use metriccare_lake::schema::TABLES;

use super::super::reference;
use crate::output::{failure::Failure, nearest::did_you_mean};

/// Name of the database, as a console of Athena shows it.
pub(in super::super) const DATABASE: &str = "metriccare";

/// Every table's name, in the order of the data's path.
pub(super) fn tables() -> Vec<String> {
    TABLES.iter().map(|table| table.glue_name()).chain([reference::NAME.to_owned()]).collect()
}

/// The last part of a name, as Athena reads it: without regard to case.
pub(super) fn last(name: &ObjectName) -> String {
    let part = name.0.last().and_then(|part| part.as_ident());
    part.map_or_else(|| name.to_string(), |part| part.value.to_lowercase())
}

/// What to say of a table that is not there.
pub(super) fn unknown(name: &str) -> Failure {
    let tables = tables();
    let meant = did_you_mean(name, tables.iter().map(String::as_str));
    Failure::usage(format!("there is no table {name:?}{meant}\nthe tables are: {}", tables.join(", ")))
}

/// Holds every table of a statement against the lake's.
pub(super) fn check(statement: &Statement) -> Result<(), Failure> {
    let mut seen = Seen::default();
    let _ = statement.visit(&mut seen);
    let tables = tables();
    match seen.named.iter().find(|name| !tables.contains(name) && !seen.defined.contains(*name)) {
        Some(name) => Err(unknown(name)),
        None => Ok(()),
    }
}

/// The names that a statement reads from, and those that it defines itself.
#[derive(Default)]
struct Seen {
    named: Vec<String>,
    defined: BTreeSet<String>,
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.defined.extend(with.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            let database = name.0.len().checked_sub(2).and_then(|at| name.0[at].as_ident());
            // Another database is DataFusion's to judge: `information_schema` is one.
            if database.is_none_or(|database| database.value.eq_ignore_ascii_case(DATABASE)) {
                self.named.push(last(name));
            }
        }
        ControlFlow::Continue(())
    }
}
