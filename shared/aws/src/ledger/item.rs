//! A record as an item of a table, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use metriccare_ports::{
    Error, ErrorKind, Receipt, Result,
    ledger::{Record, State},
};

/// An item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

/// When the lease ends, in milliseconds since 1970.
pub(super) const LEASE: &str = "lease_until_millis";

/// When DynamoDB may drop the item, in seconds since 1970: the only time here that is not in milliseconds.
const EXPIRES: &str = "expires_at_seconds";

/// The attributes that differ between two states of a record: the rest follows from these.
const JUDGED: [&str; 4] = ["status", "owner", "attempt", LEASE];

/// A condition that holds while the present item is the one that was read.
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

pub(super) fn item_of(id: &str, record: &Record) -> Item {
    let mut item = Item::from([text("id", id), text("owner", &record.owner), number("attempt", record.attempt.into())]);
    let (status, rest) = match &record.state {
        State::InProgress { lease_until_millis } => ("INPROGRESS", vec![number(LEASE, *lease_until_millis)]),
        State::Failed { why } => ("FAILED", vec![text("why", why)]),
        State::Completed { receipt } => {
            let rows = AttributeValue::N(receipt.rows.to_string());
            let texts = [text("output", &receipt.output), text("digest", &receipt.digest)];
            ("COMPLETED", texts.into_iter().chain([("rows".to_owned(), rows)]).collect())
        }
        State::Rejected { reason } => ("REJECTED", vec![text("reason", reason)]),
    };
    item.extend([text("status", status)]);
    item.extend(rest);
    item
}

pub(super) fn record_of(operation: &'static str, id: &str, item: &Item) -> Result<Record> {
    let missing = |name: &str| Error::new(ErrorKind::Invalid, operation, id, format!("the item has no {name}"));
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().ok_or_else(|| missing(name));
    let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok()).ok_or_else(|| missing(name));
    let state = match text("status")?.as_str() {
        "INPROGRESS" => State::InProgress { lease_until_millis: number(LEASE)?.parse().map_err(|_| missing(LEASE))? },
        "FAILED" => State::Failed { why: text("why")? },
        "COMPLETED" => State::Completed {
            receipt: Receipt {
                output: text("output")?,
                digest: text("digest")?,
                rows: number("rows")?.parse().map_err(|_| missing("rows"))?,
            },
        },
        "REJECTED" => State::Rejected { reason: text("reason")? },
        _ => return Err(missing("known status")),
    };
    Ok(Record { owner: text("owner")?, attempt: number("attempt")?.parse().map_err(|_| missing("attempt"))?, state })
}

/// The item with the time that it may be dropped at.
pub(super) fn expiring(mut item: Item, seconds: i64) -> Item {
    item.extend([number(EXPIRES, seconds)]);
    item
}

pub(super) fn condition_of(present: &Item) -> Condition {
    let mut condition = Condition { expression: String::new(), names: HashMap::new(), values: Item::new() };
    for name in JUDGED {
        let Some(value) = present.get(name) else { continue };
        if !condition.expression.is_empty() {
            condition.expression.push_str(" AND ");
        }
        condition.expression.push_str(&format!("#{name} = :{name}"));
        condition.names.insert(format!("#{name}"), name.to_owned());
        condition.values.insert(format!(":{name}"), value.clone());
    }
    condition
}

fn text(name: &str, text: &str) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(text.to_owned()))
}

fn number(name: &str, number: i64) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::N(number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_comes_back_from_its_item() {
        let receipt = Receipt { output: "bronze/_commits/ö.json".into(), digest: String::new(), rows: u64::MAX };
        for state in [
            State::InProgress { lease_until_millis: -1 },
            State::Failed { why: "out of reach".into() },
            State::Completed { receipt },
            State::Rejected { reason: "„ü“".into() },
        ] {
            let record = Record { owner: "worker/1".into(), attempt: 7, state };
            assert_eq!(record_of("look", "id", &expiring(item_of("id", &record), 1)).expect("whole"), record);
        }
    }

    #[test]
    fn a_condition_names_what_was_read() {
        let state = State::InProgress { lease_until_millis: 5 };
        let mut item = item_of("id", &Record { owner: "a".into(), attempt: 1, state });
        let whole = "#status = :status AND #owner = :owner AND #attempt = :attempt AND \
                     #lease_until_millis = :lease_until_millis";
        assert_eq!(condition_of(&item).expression, whole);
        item.remove(LEASE);
        assert_eq!(condition_of(&item).names.len(), 3);
    }
}
