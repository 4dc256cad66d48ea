//! What every resource has: its type, its id, its version; and how a resource is refused.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::error::Category;

use super::Text;

/// The rule that a quarantined record broke; its name is stable, people filter by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Not JSON at all.
    NotJson,
    /// JSON, or a container of records, that ends too early.
    Truncated,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A JSON value that names no resource type.
    NoResourceType,
    /// A resource without an id.
    NoId,
    /// A wrong JSON type in an element that feeds a column.
    WrongType,
    /// A value that cannot be parsed in an element that feeds a column.
    BadValue,
    /// A record larger than is read.
    TooLarge,
    /// Columns that are those of no table of the relational set.
    UnknownTable,
    /// A deletion that names no resource.
    DeletionWithoutId,
    /// A time that no record of its kind can have.
    ImplausibleTime,
    /// More references to look up than are kept.
    TooManyReferences,
}

impl Rule {
    /// The rule's name in `bronze/quarantine`.
    pub fn name(self) -> &'static str {
        match self {
            Rule::NotJson => "not-json",
            Rule::Truncated => "truncated",
            Rule::NotUtf8 => "not-utf8",
            Rule::NoResourceType => "no-resource-type",
            Rule::NoId => "no-id",
            Rule::WrongType => "wrong-type",
            Rule::BadValue => "bad-value",
            Rule::TooLarge => "too-large",
            Rule::UnknownTable => "unknown-table",
            Rule::DeletionWithoutId => "deletion-without-id",
            Rule::ImplausibleTime => "implausible-time",
            Rule::TooManyReferences => "too-many-references",
        }
    }
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", rule.name())]
pub struct Fault {
    /// The rule that was broken.
    pub rule: Rule,
    /// What is wrong and where, in words, with the element's path.
    pub reason: String,
}

impl Fault {
    /// A fault of a rule, with its reason.
    pub fn new(rule: Rule, reason: impl Into<String>) -> Self {
        Fault { rule, reason: reason.into() }
    }

    /// The fault of JSON that serde refused; its reason holds nothing of what the JSON said.
    pub fn of_json(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Eof => Fault::new(Rule::Truncated, error.to_string()),
            Category::Syntax | Category::Io => Fault::new(Rule::NotJson, error.to_string()),
            Category::Data => Fault::new(Rule::WrongType, without_value(error)),
        }
    }
}

/// The first look at a record: which resource it is.
#[derive(Debug, Deserialize)]
pub struct Head<'a> {
    /// The resource's type.
    #[serde(rename = "resourceType", borrow)]
    pub resource_type: Option<Text<'a>>,
}

/// `Resource.meta`.
#[derive(Debug, Default, Deserialize)]
pub struct Meta<'a> {
    /// The version of the resource in its system.
    #[serde(rename = "versionId", borrow)]
    pub version_id: Option<Text<'a>>,
    /// When that version came to be.
    #[serde(rename = "lastUpdated", borrow)]
    pub last_updated: Option<Text<'a>>,
}

/// A start and an end.
#[derive(Debug, Default, Deserialize)]
pub struct Period<'a> {
    /// The inclusive start.
    #[serde(borrow)]
    pub start: Option<Text<'a>>,
    /// The inclusive end.
    #[serde(borrow)]
    pub end: Option<Text<'a>>,
}

/// Reads a resource; a fault names the element and what was expected there.
///
/// # Errors
/// What is no JSON, ends too early, or has a wrong type in an element that feeds a column.
pub fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(|error| match error.classify() {
        Category::Data => {
            let mut reader = serde_json::Deserializer::from_str(json);
            let path = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
                Err(error) => error.path().to_string(),
                Ok(_) => ".".to_owned(),
            };
            Fault::new(Rule::WrongType, format!("{path}: {}", without_value(&error)))
        }
        _ => Fault::of_json(&error),
    })
}

/// Whether a value is JSON at all, without reading anything of it.
pub fn is_json(json: &str) -> bool {
    fn check<T: DeserializeOwned>(json: &str) -> bool {
        serde_json::from_str::<T>(json).is_ok()
    }
    check::<serde::de::IgnoredAny>(json)
}

/// serde's words, with the offending value cut out: a reason must not repeat what may be personal.
///
/// A value stands in quotes, its own quotes escaped, and the value may hold any words, serde's own too. So whatever lies
/// between the first quote and the last is left out; only the name of an element, which is not the sender's, is kept.
fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = if error.line() > 0 { text.rfind(" at line ") } else { None };
    let text = &text[..place.unwrap_or(text.len())];
    if ["missing field `", "duplicate field `"].iter().any(|words| text.starts_with(words)) {
        return text.to_owned();
    }
    let (before, after) = match (text.find(['`', '"']), text.rfind(['`', '"'])) {
        (Some(first), Some(last)) => (&text[..first], &text[last + 1..]),
        _ => return text.to_owned(),
    };
    let expected = if after.starts_with(", expected ") { after } else { "" };
    format!("{}{expected}", before.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::{Encounter, Patient};

    #[test]
    fn a_wrong_type_names_its_element_and_not_its_value() {
        let fault =
            read::<Encounter<'_>>(r#"{"resourceType":"Encounter","id":"e","status":42}"#).expect_err("a number");
        assert_eq!(fault.rule, Rule::WrongType);
        assert_eq!(fault.reason, "status: invalid type: integer, expected a string");
        let fault = read::<Encounter<'_>>(r#"{"id":"e","period":{"start":["x"]}}"#).expect_err("a list");
        assert_eq!(fault.reason, "period.start: invalid type: sequence, expected a string");
    }

    #[test]
    fn broken_json_is_distinguished_from_cut_json() {
        assert_eq!(read::<Head<'_>>("{oops}").expect_err("no JSON").rule, Rule::NotJson);
        assert_eq!(read::<Head<'_>>(r#"{"resourceType":"#).expect_err("cut").rule, Rule::Truncated);
    }

    #[test]
    fn an_element_that_stands_twice_is_named() {
        let fault = read::<Patient<'_>>(r#"{"id":"p","gender":"Jane Doe","gender":"x"}"#).expect_err("twice");
        assert_eq!(fault.reason, ".: duplicate field `gender`");
    }

    #[test]
    fn words_of_the_message_in_a_value_do_not_let_it_out() {
        for value in [
            "Jane Doe at line 5, born 1950",
            "Jane Doe, expected a boolean",
            "\", expected Jane Doe",
            "Jane ` Doe` at line 1 column 2",
            "missing field `Jane Doe`",
        ] {
            let json = serde_json::json!({ "active": value }).to_string();
            let fault = read::<Patient<'_>>(&json).expect_err("no boolean");
            assert_eq!(fault.reason, "active: invalid type: string, expected a boolean", "{value}");
        }
    }

    #[test]
    fn words_that_serde_does_not_say_today_let_nothing_out_either() {
        let reason = |words: &str| without_value(&<serde_json::Error as serde::de::Error>::custom(words));
        assert_eq!(reason("unknown variant `Jane`, expected one of `a`, `b`"), "unknown variant");
        assert_eq!(reason("invalid value: string \"Jane\""), "invalid value: string");
        assert_eq!(reason("\"Jane\" at line 3 is no good"), "");
        assert_eq!(reason("invalid length 3, expected 2 elements"), "invalid length 3, expected 2 elements");
    }

    proptest! {
        #[test]
        fn no_value_gets_into_a_reason(value in "\\PC{0,20}( at line |, expected |[\"`])?\\PC{0,20}") {
            let json = serde_json::json!({ "id": "p", "active": value }).to_string();
            let fault = read::<Patient<'_>>(&json).expect_err("no boolean");
            prop_assert_eq!(fault.reason, "active: invalid type: string, expected a boolean");
            let fault = Fault::of_json(&serde_json::from_str::<Patient<'_>>(&json).expect_err("no boolean"));
            prop_assert_eq!(fault.reason, "invalid type: string, expected a boolean");
        }
    }
}
