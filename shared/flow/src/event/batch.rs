//! The answer to a batch: which messages have to come again. All others are deleted from the queue.

use serde::Serialize;

/// The messages of a batch that failed.
///
/// ```
/// use metriccare_flow::event::BatchResponse;
///
/// let mut response = BatchResponse::default();
/// response.fail("message-2");
/// let json = serde_json::to_string(&response)?;
/// assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"message-2"}]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl BatchResponse {
    /// Reports a message as failed, once however often it is said.
    pub fn fail(&mut self, message_id: impl Into<String>) {
        let failure = Failure { item_identifier: message_id.into() };
        if !self.batch_item_failures.contains(&failure) {
            self.batch_item_failures.push(failure);
        }
    }

    /// The ids of the failed messages.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str())
    }

    /// Whether every message is done.
    pub fn is_empty(&self) -> bool {
        self.batch_item_failures.is_empty()
    }
}

impl<S: Into<String>> FromIterator<S> for BatchResponse {
    fn from_iter<I: IntoIterator<Item = S>>(failed: I) -> Self {
        let mut response = Self::default();
        failed.into_iter().for_each(|id| response.fail(id));
        response
    }
}
