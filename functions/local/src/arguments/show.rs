//! The flags of `metriccare show`.

use clap::Args;

use super::{LakeFlag, RowFormat};

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Table of the lake, as gold_readmission or gold/readmission
    #[arg(value_name = "TABLE")]
    pub(crate) table: String,
    /// Only rows with this value in this column; repeat it for more conditions, leave VALUE empty for missing values
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = condition)]
    pub(crate) conditions: Vec<Condition>,
    /// How the rows are printed
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(crate) format: RowFormat,
    #[command(flatten)]
    pub(crate) lake: LakeFlag,
}

/// A column and the value that it must have; an empty value stands for a missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: String,
    pub(crate) value: String,
}

fn condition(text: &str) -> Result<Condition, String> {
    match text.split_once('=') {
        Some((column, value)) if !column.trim().is_empty() => {
            Ok(Condition { column: column.trim().to_owned(), value: value.to_owned() })
        }
        _ => Err("a condition is COLUMN=VALUE, such as month=2025-03".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_column_and_a_value() {
        let condition = |text| condition(text).map(|condition| (condition.column, condition.value));
        assert_eq!(condition("month=2025-03"), Ok(("month".to_owned(), "2025-03".to_owned())));
        assert_eq!(condition("hospital_name=A=B"), Ok(("hospital_name".to_owned(), "A=B".to_owned())));
        assert_eq!(condition("hospital_name="), Ok(("hospital_name".to_owned(), String::new())));
        assert!(condition("month").is_err() && condition("=2025").is_err());
    }
}
