//! The named queries of `infra/athena/queries`, as text, and what each of them says it reads.
//!
//! A statement is not parsed: its words say which tables and columns stand in it, which is enough for an upper bound.

use metriccare_lake::schema::{TABLES, Table};

/// Every named query by its file's name.
pub(super) const QUERIES: &[(&str, &str)] = &[
    ("busiest_days", include_str!("../../../../../infra/athena/queries/busiest_days.sql")),
    ("cost_per_stay", include_str!("../../../../../infra/athena/queries/cost_per_stay.sql")),
    ("demographics", include_str!("../../../../../infra/athena/queries/demographics.sql")),
    ("denials_by_month", include_str!("../../../../../infra/athena/queries/denials_by_month.sql")),
    ("denials_by_reason", include_str!("../../../../../infra/athena/queries/denials_by_reason.sql")),
    ("department_load", include_str!("../../../../../infra/athena/queries/department_load.sql")),
    ("department_load_by_month", include_str!("../../../../../infra/athena/queries/department_load_by_month.sql")),
    ("fraud_candidates", include_str!("../../../../../infra/athena/queries/fraud_candidates.sql")),
    ("infection_rates", include_str!("../../../../../infra/athena/queries/infection_rates.sql")),
    (
        "infections_against_benchmarks",
        include_str!("../../../../../infra/athena/queries/infections_against_benchmarks.sql"),
    ),
    ("infections_by_hospital", include_str!("../../../../../infra/athena/queries/infections_by_hospital.sql")),
    ("ingest_log_by_day", include_str!("../../../../../infra/athena/queries/ingest_log_by_day.sql")),
    ("landed_objects", include_str!("../../../../../infra/athena/queries/landed_objects.sql")),
    (
        "length_of_stay_by_department",
        include_str!("../../../../../infra/athena/queries/length_of_stay_by_department.sql"),
    ),
    ("length_of_stay_by_hospital", include_str!("../../../../../infra/athena/queries/length_of_stay_by_hospital.sql")),
    (
        "length_of_stay_distribution",
        include_str!("../../../../../infra/athena/queries/length_of_stay_distribution.sql"),
    ),
    (
        "measures_against_benchmarks",
        include_str!("../../../../../infra/athena/queries/measures_against_benchmarks.sql"),
    ),
    ("missing_values", include_str!("../../../../../infra/athena/queries/missing_values.sql")),
    ("mortality_by_hospital", include_str!("../../../../../infra/athena/queries/mortality_by_hospital.sql")),
    ("mortality_by_month", include_str!("../../../../../infra/athena/queries/mortality_by_month.sql")),
    ("occupancy_by_hospital", include_str!("../../../../../infra/athena/queries/occupancy_by_hospital.sql")),
    ("occupancy_by_month", include_str!("../../../../../infra/athena/queries/occupancy_by_month.sql")),
    ("outcomes_by_language", include_str!("../../../../../infra/athena/queries/outcomes_by_language.sql")),
    ("outcomes_by_region", include_str!("../../../../../infra/athena/queries/outcomes_by_region.sql")),
    ("provider_outliers", include_str!("../../../../../infra/athena/queries/provider_outliers.sql")),
    ("quarantine_by_rule", include_str!("../../../../../infra/athena/queries/quarantine_by_rule.sql")),
    ("readmission_attrition", include_str!("../../../../../infra/athena/queries/readmission_attrition.sql")),
    ("readmission_by_definition", include_str!("../../../../../infra/athena/queries/readmission_by_definition.sql")),
    ("readmission_by_hospital", include_str!("../../../../../infra/athena/queries/readmission_by_hospital.sql")),
    ("readmission_compared", include_str!("../../../../../infra/athena/queries/readmission_compared.sql")),
    ("spend_concentration", include_str!("../../../../../infra/athena/queries/spend_concentration.sql")),
    ("stays_of_a_bucket", include_str!("../../../../../infra/athena/queries/stays_of_a_bucket.sql")),
    ("summary", include_str!("../../../../../infra/athena/queries/summary.sql")),
];

/// A part of a statement: a word in lower case, a literal, or a character between them.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Literal(String),
    Sign(char),
}

/// A statement as the tables and columns that stand in it.
#[derive(Debug)]
pub(super) struct Statement {
    tokens: Vec<Token>,
    every_column: bool,
}

impl Statement {
    pub(super) fn read(sql: &str) -> Self {
        let tokens = tokens(sql);
        let star = |pair: &[Token]| {
            let before = match &pair[0] {
                Token::Word(word) => word == "select",
                Token::Sign(sign) => *sign == '.' || *sign == ',',
                Token::Literal(_) => false,
            };
            before && pair[1] == Token::Sign('*')
        };
        let every_column = tokens.windows(2).any(star);
        Statement { tokens, every_column }
    }

    fn times(&self, name: &str) -> usize {
        self.tokens.iter().filter(|token| matches!(token, Token::Word(word) if word == name)).count()
    }

    /// The lake's tables that the statement names.
    pub(super) fn tables(&self) -> Vec<&'static Table> {
        TABLES.iter().copied().filter(|table| self.times(&table.glue_name()) > 0).collect()
    }

    /// The columns of a table's files whose names stand in the statement; all of them where it says `*`.
    pub(super) fn columns(&self, table: &'static Table) -> Vec<&'static str> {
        let named = |name: &&str| self.every_column || self.times(name) > 0;
        table.file_columns().map(|(name, _)| name).filter(named).collect()
    }

    /// The one partition of a table that the statement reads: `column = 'value'`, where the statement reads nothing else and
    /// has no other way around that condition.
    pub(super) fn partition(&self, table: &'static Table) -> Option<&str> {
        let only = self.tables().len() == 1 && self.times(&table.glue_name()) == 1;
        if !only || ["or", "not", "case"].iter().any(|word| self.times(word) > 0) {
            return None;
        }
        let column = table.partition?;
        self.tokens.windows(3).find_map(|three| match three {
            [Token::Word(word), Token::Sign('='), Token::Literal(value)] if word == column => Some(value.as_str()),
            _ => None,
        })
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(literal) = rest.strip_prefix('\'') {
            let end = literal.find('\'').unwrap_or(literal.len());
            tokens.push(Token::Literal(literal[..end].to_owned()));
            (end + 2).min(rest.len())
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_lowercase()));
            end
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    fn named(sql: &str) -> Vec<(String, Vec<&'static str>, Option<String>)> {
        let statement = Statement::read(sql);
        let one = |table: &'static Table| {
            (table.glue_name(), statement.columns(table), statement.partition(table).map(str::to_owned))
        };
        statement.tables().into_iter().map(one).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_known_and_names_a_table() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/athena/queries");
        let files = std::fs::read_dir(folder).expect("the queries");
        let files: BTreeSet<_> = files.map(|file| file.expect("an entry").file_name()).collect();
        let known: BTreeSet<_> = QUERIES.iter().map(|(name, _)| format!("{name}.sql").into()).collect();
        assert_eq!(known, files);
        for (name, sql) in QUERIES {
            assert!(!Statement::read(sql).tables().is_empty(), "{name} names no table");
        }
    }

    #[test]
    fn comments_and_literals_name_nothing() {
        let sql = "-- months of gold_stay\nSELECT metric FROM gold_summary WHERE definition = 'value'";
        assert_eq!(named(sql), [("gold_summary".to_owned(), vec!["metric", "definition"], None)]);
        assert_eq!(named("SELECT 'it''s gold_stay' AS x"), []);
    }

    #[test]
    fn a_star_is_every_column_and_a_count_is_none() {
        let table = TABLES.iter().find(|table| table.path == "gold/census").expect("it is there");
        let columns = |sql: &str| Statement::read(sql).columns(table);
        assert_eq!(columns("SELECT * FROM gold_census").len(), 4);
        assert_eq!(columns("SELECT c.* FROM gold_census AS c").len(), 4);
        assert_eq!(columns("SELECT count(*), 2 * 3 FROM gold_census").len(), 0);
        assert_eq!(columns("SELECT sum(PATIENTS) * 2 FROM gold_census"), ["patients"]);
    }

    #[test]
    fn a_partition_counts_where_nothing_else_is_read() {
        let partition = |sql: &str| named(sql).into_iter().next().and_then(|(_, _, partition)| partition);
        assert_eq!(partition("SELECT 1 FROM gold_stay WHERE bucket = '07' AND readmitted"), Some("07".to_owned()));
        for all in [
            "SELECT 1 FROM gold_stay WHERE readmitted",
            "SELECT 1 FROM gold_stay WHERE bucket = '07' OR readmitted",
            "SELECT 1 FROM gold_stay WHERE NOT bucket = '07'",
            "SELECT 1 FROM gold_stay WHERE bucket = '07' UNION ALL SELECT 2 FROM gold_stay",
            "SELECT CASE WHEN bucket = '07' THEN 1 END FROM gold_stay",
            "SELECT 1 FROM gold_stay JOIN silver_encounter USING (patient_id) WHERE bucket = '07'",
        ] {
            assert_eq!(partition(all), None, "{all}");
        }
    }
}
