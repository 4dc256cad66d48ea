//! A statement in Athena's SQL, read and turned into what DataFusion understands.
//!
//! Only statements that read are let through, one at a time, and only those whose tables are there: a wrong name is
//! answered with the nearest ones before anything runs.

mod names;
mod pattern;
mod rewrite;
mod rules;

pub(super) use names::DATABASE;

use datafusion::sql::{
    parser::{DFParser, Statement},
    sqlparser::{
        ast::{ObjectName, Statement as Sql},
        dialect::GenericDialect,
    },
};

use super::{errors, reference};
use crate::output::failure::Failure;
use metriccare_lake::schema::TABLES;

/// Reads the one statement of a text.
pub(super) fn read(text: &str) -> Result<Statement, Failure> {
    let mut statement = parse(text)?;
    match &mut statement {
        Statement::Statement(sql) => {
            if let Some(listing) = listing(sql)? {
                return parse(&listing);
            }
            readable(sql)?;
            prepare(sql)?;
        }
        Statement::Explain(explain) => match &mut *explain.statement {
            Statement::Statement(sql) => {
                readable(sql)?;
                prepare(sql)?;
            }
            _ => return Err(refused()),
        },
        _ => return Err(refused()),
    }
    Ok(statement)
}

fn parse(text: &str) -> Result<Statement, Failure> {
    let mut statements =
        DFParser::parse_sql_with_dialect(text, &GenericDialect {}).map_err(|error| errors::describe(&error))?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (Some(_), false) => Err(Failure::usage("one statement at a time, please: there is another behind the first")),
        (None, _) => Err(Failure::usage("there is no statement in the text")),
    }
}

fn refused() -> Failure {
    Failure::usage(
        "the lake is only read: a statement is a SELECT (or WITH … SELECT), EXPLAIN SELECT, SHOW TABLES, or DESCRIBE of a table",
    )
}

fn readable(sql: &Sql) -> Result<(), Failure> {
    matches!(sql, Sql::Query(_)).then_some(()).ok_or_else(refused)
}

fn prepare(sql: &mut Sql) -> Result<(), Failure> {
    names::check(sql)?;
    rewrite::rewrite(sql).map_err(Failure::usage)
}

/// What is asked of the catalog alone, as a query of values in Glue's words.
fn listing(sql: &Sql) -> Result<Option<String>, Failure> {
    match sql {
        Sql::ShowTables { .. } => {
            let names: Vec<_> = names::tables().into_iter().map(|name| format!("('{name}')")).collect();
            Ok(Some(format!("SELECT * FROM (VALUES {}) AS tables (tab_name)", names.join(", "))))
        }
        Sql::ExplainTable { table_name, .. } => columns(table_name).map(Some),
        Sql::ShowColumns { show_options, .. } => match &show_options.show_in {
            Some(shown) => shown.parent_name.as_ref().map(columns).transpose(),
            None => Err(refused()),
        },
        _ => Ok(None),
    }
}

fn columns(table: &ObjectName) -> Result<String, Failure> {
    let name = names::last(table);
    let rows: Vec<String> = if name == reference::NAME {
        reference::COLUMNS.iter().map(|column| format!("('{column}', 'string', '')")).collect()
    } else {
        let table = TABLES.iter().find(|table| table.glue_name() == name).ok_or_else(|| names::unknown(&name))?;
        let (partitions, columns): (Vec<_>, Vec<_>) =
            table.columns.iter().partition(|(column, _)| Some(*column) == table.partition);
        let word = |column: &str| if Some(column) == table.partition { "partition" } else { "" };
        let all = columns.iter().chain(&partitions);
        all.map(|(column, kind)| format!("('{column}', '{}', '{}')", kind.athena(), word(column))).collect()
    };
    Ok(format!("SELECT * FROM (VALUES {}) AS columns (col_name, data_type, comment)", rows.join(", ")))
}
