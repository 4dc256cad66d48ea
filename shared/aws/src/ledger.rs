//! The ledger on DynamoDB: one item a work, and nothing but conditional puts.
//!
//! Every move is decided by the pure rules of [`Record`] on what was read, and written on the condition that the item
//! still is what was read. A refused put brings the present item with it, so a claim costs one call, or two where
//! another attempt was there before. Times are whole milliseconds, except for the attribute that DynamoDB expires items by,
//! which says in its name that it holds seconds.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use metriccare_ports::{
    Begin, Claim, Clock, Error, ErrorKind, Ledger, Result, WorkId,
    ledger::{Record, State},
};

use crate::{clients::Clients, failure::failed};

mod item;

use item::{Item, condition_of, expiring, item_of, record_of};

/// The ledger of works in a DynamoDB table whose key is the text `id`.
#[derive(Debug)]
pub struct DynamoLedger {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    /// How long an item is kept after its last change.
    keep_seconds: i64,
}

/// How often a claim or an end is tried while others change the item.
const TURNS: u32 = 8;

/// The result of a conditional put.
enum Put {
    Written,
    /// The condition did not hold; this is the item that is there, if one is.
    Refused(Option<Item>),
}

impl DynamoLedger {
    /// The ledger in a table, whose items expire so many days after their last change.
    pub fn new(clients: &Clients, table: impl Into<String>, keep_days: u32, clock: Arc<dyn Clock>) -> Self {
        let keep_seconds = i64::from(keep_days) * 86_400;
        Self { client: clients.dynamo(), table: table.into(), clock, keep_seconds }
    }

    /// Puts an item if the present one has these values, or if there is none.
    async fn put(&self, operation: &'static str, subject: &str, item: Item, present: Option<&Item>) -> Result<Put> {
        let expires = self.clock.now_millis().div_euclid(1000).saturating_add(self.keep_seconds);
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(expiring(item, expires)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        put = match present {
            None => put.condition_expression("attribute_not_exists(id)"),
            Some(present) => {
                let condition = condition_of(present);
                put.condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names))
                    .set_expression_attribute_values(Some(condition.values))
            }
        };
        let Err(error) = put.send().await else { return Ok(Put::Written) };
        if let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() {
            return Ok(Put::Refused(refused.item().cloned()));
        }
        Err(failed(operation, subject, error))
    }
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        let id = work.as_str();
        let mut present: Option<Item> = None;
        for _ in 0..TURNS {
            let known = present.as_ref().map(|item| record_of("begin", id, item)).transpose()?;
            let (answer, next) = Record::begin(known.as_ref(), work, owner, now_millis, lease_until_millis)?;
            let Some(next) = next else { return Ok(answer) };
            match self.put("begin", id, item_of(id, &next), present.as_ref()).await? {
                Put::Written => return Ok(answer),
                Put::Refused(item) => present = item,
            }
        }
        Err(busy("begin", id))
    }

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        let (operation, id, ended) = (state.operation(), claim.work.as_str(), state);
        let record = Record { owner: claim.owner.clone(), attempt: claim.attempt, state: ended.clone() };
        // The lease's end is not the claim's business: it holds while the item names its owner and attempt.
        let mut held: Item =
            item_of(id, &Record { state: State::InProgress { lease_until_millis: 0 }, ..record.clone() });
        held.remove(item::LEASE);
        for _ in 0..TURNS {
            match self.put(operation, id, item_of(id, &record), Some(&held)).await? {
                Put::Written => return Ok(()),
                Put::Refused(present) => {
                    let present = present.map(|item| record_of(operation, id, &item)).transpose()?;
                    if Record::end(present.as_ref(), claim, ended.clone())?.is_none() {
                        return Ok(());
                    }
                }
            }
        }
        Err(busy(operation, id))
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        let id = format!("content/{content_id}");
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let item = HashMap::from([("id".to_owned(), text(&id)), ("holder".to_owned(), text(object_id))]);
        match self.put("first holder", &id, item, None).await? {
            Put::Written => Ok(object_id.to_owned()),
            Put::Refused(present) => {
                let holder = present.and_then(|item| item.get("holder")?.as_s().ok().cloned());
                let missing = || Error::new(ErrorKind::Unavailable, "first holder", &id, "the item has no holder");
                holder.ok_or_else(missing)
            }
        }
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        let id = work.as_str();
        let get = self.client.get_item().table_name(&self.table).key("id", AttributeValue::S(id.to_owned()));
        let got = get.consistent_read(true).send().await.map_err(|error| failed("look", id, error))?;
        got.item.map(|item| record_of("look", id, &item)).transpose()
    }
}

fn busy(operation: &'static str, id: &str) -> Error {
    Error::new(ErrorKind::Unavailable, operation, id, format!("others changed the item in all of {TURNS} turns"))
}
