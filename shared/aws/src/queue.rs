//! A queue on SQS.

use async_trait::async_trait;
use aws_sdk_sqs::{Client, types::MessageSystemAttributeName};
use metriccare_ports::{Message, Queue, Result};

use crate::{clients::Clients, failure::failed};

/// A queue on SQS.
#[derive(Debug)]
pub struct SqsQueue {
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl SqsQueue {
    /// The queue with this URL.
    pub fn new(clients: &Clients, url: impl Into<String>) -> Self {
        Self { client: clients.sqs.clone(), url: url.into() }
    }

    /// The queue with this name.
    ///
    /// # Errors
    /// A queue that is not there, a permission that is missing.
    pub async fn named(clients: &Clients, name: &str) -> Result<Self> {
        let found = clients.sqs.get_queue_url().queue_name(name).send().await;
        let found = found.map_err(|error| failed("look at queue", name, error))?;
        Ok(Self::new(clients, found.queue_url.unwrap_or_default()))
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, body: &str) -> Result<String> {
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        let sent = sent.map_err(|error| failed("send", &self.url, error))?;
        Ok(sent.message_id.unwrap_or_default())
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
