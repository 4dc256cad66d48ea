//! Turns DataFusion's errors into messages for the author of the statement.

use datafusion::common::{Column, DataFusionError, SchemaError};

use crate::output::{failure::Failure, nearest::did_you_mean};

/// At most this many columns are listed.
const LISTED: usize = 60;

/// A failure: a wrong statement is wrong usage, wrong data is not.
pub(super) fn describe(error: &DataFusionError) -> Failure {
    match error.find_root() {
        DataFusionError::SchemaError(schema, _) => match &**schema {
            SchemaError::FieldNotFound { field, valid_fields } => Failure::usage(no_column(field, valid_fields)),
            other => Failure::usage(first_line(&other.to_string())),
        },
        DataFusionError::SQL(error, _) => {
            let words = error.to_string();
            let words = words.strip_prefix("sql parser error: ").unwrap_or(&words);
            Failure::usage(format!("the statement cannot be read: {words}"))
        }
        DataFusionError::Plan(words) => Failure::usage(first_line(words)),
        DataFusionError::NotImplemented(words) => Failure::usage(format!("not supported here: {}", first_line(words))),
        root @ (DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) | DataFusionError::IoError(_)) => {
            let words = first_line(&root.strip_backtrace());
            Failure::failed(format!("a file of the lake cannot be read: {words}; see `metriccare verify`"))
        }
        root => Failure::failed(first_line(&root.strip_backtrace())),
    }
}

fn no_column(field: &Column, known: &[Column]) -> String {
    let names: Vec<_> = known.iter().map(|column| column.name.as_str()).collect();
    let meant = did_you_mean(&field.name, names.iter().copied());
    let mut listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        listed += ", …";
    }
    let columns = if names.is_empty() { String::new() } else { format!("\nthe columns here are: {listed}") };
    format!("there is no column {:?}{meant}{columns}", field.flat_name())
}

/// The first line: what follows is the engine's own plan.
fn first_line(words: &str) -> String {
    words.lines().next().unwrap_or_default().to_owned()
}
