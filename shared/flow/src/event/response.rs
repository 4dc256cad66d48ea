//! The answer to a batch: which messages have to be delivered again. All others are deleted from the queue.

use aws_lambda_events::sqs::SqsBatchResponse;
use serde_json::Value;

/// The messages of a batch that failed.
///
/// ```
/// use metriccare_flow::event::BatchResponse;
///
/// let mut response = BatchResponse::default();
/// response.fail("message-2");
/// assert_eq!(response.to_value().to_string(), r#"{"batchItemFailures":[{"itemIdentifier":"message-2"}]}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchResponse(SqsBatchResponse);

impl BatchResponse {
    /// Reports a message as failed, once however often it is reported.
    pub fn fail(&mut self, message_id: impl Into<String>) {
        let message_id = message_id.into();
        if !self.failed().any(|failed| failed == message_id) {
            self.0.add_failure(message_id);
        }
    }

    /// The ids of the failed messages.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.0.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str())
    }

    /// The answer as Lambda takes it.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(&self.0).expect("lists and text are JSON")
    }
}
