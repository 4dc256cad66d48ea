//! A queue on SQS.
//!
//! Many messages go ten to a call. Such a call succeeds even where SQS took only some of the ten: those that it could not
//! take are sent again, with growing waits, and nobody else's.

use std::hash::{BuildHasher, RandomState};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, MessageSystemAttributeName, SendMessageBatchRequestEntry},
};
use metriccare_ports::{Clock, Error, ErrorKind, Message, Queue, Result, Retry, SystemClock};

use crate::{clients::Clients, failure::failed};

/// A queue on SQS.
#[derive(Debug)]
pub struct SqsQueue {
    pub(crate) client: Client,
    pub(crate) url: String,
}

/// The messages of one call, at the most.
const BATCH: usize = 10;

/// The bytes of the messages of one call, at the most; SQS takes four times as many.
const BATCH_BYTES: usize = 256 << 10;

impl SqsQueue {
    /// The queue with this URL.
    pub fn new(clients: &Clients, url: impl Into<String>) -> Self {
        Self { client: clients.sqs(), url: url.into() }
    }

    /// The queue with this name.
    ///
    /// # Errors
    /// A queue that is not there, a permission that is missing.
    pub async fn named(clients: &Clients, name: &str) -> Result<Self> {
        let client = clients.sqs();
        let found = client.get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| failed("look at queue", name, error))?;
        Ok(Self { client, url: found.queue_url.unwrap_or_default() })
    }

    /// Sends the messages of one call, and says which of them SQS did not take.
    async fn send_batch(&self, bodies: &[String], places: &[usize]) -> Result<Vec<BatchResultErrorEntry>> {
        let entry = |place: &usize| {
            let entry =
                SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(&bodies[*place]).build();
            entry.map_err(|error| Error::new(ErrorKind::Invalid, "send", &self.url, error))
        };
        let entries = places.iter().map(entry).collect::<Result<Vec<_>>>()?;
        let send = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
        Ok(send.map_err(|error| failed("send", &self.url, error))?.failed)
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, body: &str) -> Result<String> {
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        let sent = sent.map_err(|error| failed("send", &self.url, error))?;
        Ok(sent.message_id.unwrap_or_default())
    }

    async fn send_all(&self, bodies: &[String]) -> Result<()> {
        let clock = SystemClock;
        for mut places in batches(bodies) {
            let mut waits = Retry::seeded(RandomState::new().hash_one(&places)).waits();
            loop {
                let refused = self.send_batch(bodies, &places).await?;
                let Some(first) = refused.first() else { break };
                let reason = format!("{}: {}", first.code(), first.message().unwrap_or("no reason is given"));
                let refusal = |kind| Error::new(kind, "send", &self.url, &reason);
                if refused.iter().any(BatchResultErrorEntry::sender_fault) {
                    return Err(refusal(ErrorKind::Invalid));
                }
                places = refused.iter().filter_map(|entry| entry.id().parse().ok()).collect();
                let wait = waits.next().ok_or_else(|| refusal(ErrorKind::Unavailable))?;
                clock.sleep(wait).await;
            }
        }
        Ok(())
    }

    async fn receive(&self, max: usize) -> Result<Vec<Message>> {
        let count = MessageSystemAttributeName::ApproximateReceiveCount;
        let most = i32::try_from(max.clamp(1, 10)).unwrap_or(10);
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(most);
        let received = receive.message_system_attribute_names(count.clone()).send().await;
        let received = received.map_err(|error| failed("receive", &self.url, error))?;
        let message = |message: aws_sdk_sqs::types::Message| Message {
            receive_count: message.attributes.and_then(|attributes| attributes.get(&count)?.parse().ok()).unwrap_or(1),
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        };
        Ok(received.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    async fn ack(&self, receipt: &str) -> Result<()> {
        let delete = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt);
        delete.send().await.map_err(|error| failed("acknowledge", &self.url, error))?;
        Ok(())
    }

    async fn postpone(&self, receipt: &str, millis: u32) -> Result<()> {
        // SQS counts whole seconds: rounded up, so that nothing comes too early.
        let seconds = i32::try_from(millis.div_ceil(1000)).unwrap_or(i32::MAX);
        let change = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        change.visibility_timeout(seconds).send().await.map_err(|error| failed("postpone", &self.url, error))?;
        Ok(())
    }
}

/// The places of the messages of each call: at most ten, and not too large together.
fn batches(bodies: &[String]) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for (place, body) in bodies.iter().enumerate() {
        bytes += body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes <= BATCH_BYTES => batch.push(place),
            _ => {
                batches.push(vec![place]);
                bytes = body.len();
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_ten_messages_that_are_not_too_large_together() {
        let sizes = |lengths: &[usize]| {
            let bodies: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            batches(&bodies).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[BATCH_BYTES, 1, BATCH_BYTES - 1, 1, 2 * BATCH_BYTES]), [1, 2, 1, 1]);
    }
}
