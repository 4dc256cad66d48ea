//! Athena's functions that DataFusion has under another name, or as another expression.

use std::fmt::Write as _;

use datafusion::sql::sqlparser::ast::{Expr, Value};

use super::pattern::strftime;

/// Functions with a fixed number of arguments: `$1` is the first. An expression is in brackets, so that it may stand anywhere.
const RULES: &[(&str, usize, &str)] = &[
    // Aggregates.
    ("count_if", 1, "count(*) FILTER (WHERE $1)"),
    ("arbitrary", 1, "any_value($1)"),
    ("every", 1, "bool_and($1)"),
    ("variance", 1, "var_samp($1)"),
    ("geometric_mean", 1, "exp(avg(ln(CAST($1 AS DOUBLE))))"),
    ("max_by", 2, "last_value($1 ORDER BY $2) FILTER (WHERE $2 IS NOT NULL)"),
    ("min_by", 2, "first_value($1 ORDER BY $2) FILTER (WHERE $2 IS NOT NULL)"),
    ("approx_percentile", 2, "approx_percentile_cont($2) WITHIN GROUP (ORDER BY $1)"),
    // Parts of a time; weeks and their days are ISO's.
    ("year", 1, "CAST(date_part('year', $1) AS BIGINT)"),
    ("quarter", 1, "CAST(date_part('quarter', $1) AS BIGINT)"),
    ("month", 1, "CAST(date_part('month', $1) AS BIGINT)"),
    ("week", 1, "CAST(date_part('week', $1) AS BIGINT)"),
    ("week_of_year", 1, "CAST(date_part('week', $1) AS BIGINT)"),
    ("year_of_week", 1, "CAST(date_part('isoyear', $1) AS BIGINT)"),
    ("yow", 1, "CAST(date_part('isoyear', $1) AS BIGINT)"),
    ("day", 1, "CAST(date_part('day', $1) AS BIGINT)"),
    ("day_of_month", 1, "CAST(date_part('day', $1) AS BIGINT)"),
    ("day_of_week", 1, "CAST(date_part('isodow', $1) AS BIGINT)"),
    ("dow", 1, "CAST(date_part('isodow', $1) AS BIGINT)"),
    ("day_of_year", 1, "CAST(date_part('doy', $1) AS BIGINT)"),
    ("doy", 1, "CAST(date_part('doy', $1) AS BIGINT)"),
    ("hour", 1, "CAST(date_part('hour', $1) AS BIGINT)"),
    ("minute", 1, "CAST(date_part('minute', $1) AS BIGINT)"),
    ("second", 1, "CAST(date_part('second', $1) AS BIGINT)"),
    ("date", 1, "CAST($1 AS DATE)"),
    ("from_iso8601_date", 1, "CAST($1 AS DATE)"),
    ("from_iso8601_timestamp", 1, "CAST(to_timestamp_micros($1) AS TIMESTAMP(6))"),
    ("last_day_of_month", 1, "date_add('day', -1, date_add('month', 1, date_trunc('month', CAST($1 AS DATE))))"),
    // Numbers.
    ("if", 2, "CASE WHEN $1 THEN $2 END"),
    ("if", 3, "CASE WHEN $1 THEN $2 ELSE $3 END"),
    ("mod", 2, "($1 % $2)"),
    ("bitwise_and", 2, "($1 & $2)"),
    ("bitwise_or", 2, "($1 | $2)"),
    ("ceiling", 1, "ceil($1)"),
    ("truncate", 1, "trunc($1)"),
    ("sign", 1, "signum($1)"),
    ("is_nan", 1, "isnan($1)"),
    // Texts and arrays.
    ("split", 2, "string_to_array($1, $2)"),
    ("contains", 2, "array_has($1, $2)"),
    ("element_at", 2, "array_element($1, $2)"),
    ("regexp_extract", 2, "array_element(regexp_match($1, concat('(', $2, ')')), 1)"),
    ("regexp_extract", 3, "array_element(regexp_match($1, concat('(', $2, ')')), $3 + 1)"),
    ("regexp_replace", 2, "regexp_replace($1, $2, '', 'g')"),
    ("regexp_replace", 3, "regexp_replace($1, $2, $3, 'g')"),
    ("typeof", 1, "arrow_typeof($1)"),
];

/// The aggregates that a rule may end in: what a call says with FILTER or OVER is said to them.
pub(super) const AGGREGATES: &[&str] =
    &["count", "any_value", "bool_and", "var_samp", "avg", "last_value", "first_value", "approx_percentile_cont"];

/// Functions whose rule holds for a group only.
pub(super) const NOT_OVER: &[&str] = &["arbitrary", "max_by", "min_by", "approx_percentile"];

/// What a call becomes, in DataFusion's words with `$1` for the first argument; none where the call is as it should be.
pub(super) fn rule(name: &str, arguments: &[Expr]) -> Result<Option<String>, String> {
    let found = RULES.iter().find(|(rule, count, _)| *rule == name && *count == arguments.len());
    if let Some((_, _, text)) = found {
        return Ok(Some((*text).to_owned()));
    }
    match (name, arguments) {
        ("date_format", [_, pattern]) => {
            Ok(Some(format!("to_char(CAST($1 AS TIMESTAMP(6)), {})", quoted(name, pattern)?)))
        }
        ("date_parse", [_, pattern]) => Ok(Some(format!("to_timestamp_micros($1, {})", quoted(name, pattern)?))),
        // DataFusion's own pass over missing values, Athena's do not.
        ("greatest" | "least", [_, _, ..]) => {
            let each: Vec<_> = (1..=arguments.len()).map(|at| format!("${at}")).collect();
            let missing: Vec<_> = each.iter().map(|argument| format!("{argument} IS NULL")).collect();
            Ok(Some(format!("CASE WHEN {} THEN NULL ELSE {name}({}) END", missing.join(" OR "), each.join(", "))))
        }
        ("concat", [_, _, ..]) => {
            let mut text = "($1".to_owned();
            for at in 2..=arguments.len() {
                let _ = write!(text, " || ${at}");
            }
            Ok(Some(text + ")"))
        }
        _ => Ok(None),
    }
}

/// A date pattern in strftime's letters, as a literal.
fn quoted(function: &str, pattern: &Expr) -> Result<String, String> {
    let Expr::Value(value) = pattern else { return Err(format!("the pattern of {function} must be a text in quotes")) };
    let Value::SingleQuotedString(text) = &value.value else {
        return Err(format!("the pattern of {function} must be a text in quotes"));
    };
    Ok(format!("'{}'", strftime(text)?.replace('\'', "''")))
}
