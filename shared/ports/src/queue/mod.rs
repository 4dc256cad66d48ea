//! Messages that are delivered at least once, in any order: a received message stays hidden for a while, is deleted
//! when it is acknowledged, comes back when it is not, and goes to the dead letters after too many deliveries.

use std::fmt;

use async_trait::async_trait;

use crate::Result;

mod memory;

pub use memory::{MemoryQueue, QueueSettings};

/// One delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message's id, the same at every delivery.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// Names this delivery, for the acknowledgement.
    pub receipt: String,
    /// How often the message was delivered, this time included.
    pub receive_count: u32,
}

/// A queue of messages.
///
/// ```
/// use std::sync::Arc;
///
/// use metriccare_ports::{ManualClock, MemoryQueue, Queue, queue::QueueSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> metriccare_ports::Result<()> {
/// let queue = MemoryQueue::new(Arc::new(ManualClock::default()), QueueSettings::default());
/// queue.send("{}").await?;
/// let messages = queue.receive(10).await?;
/// assert_eq!((messages.len(), messages[0].receive_count), (1, 1));
/// queue.ack(&messages[0].receipt).await?;
/// assert!(queue.is_drained());
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync {
    /// Sends a message and returns its id.
    async fn send(&self, body: &str) -> Result<String>;

    /// Sends messages, in as few calls as may be. Where it fails, some of them may have been sent.
    async fn send_all(&self, bodies: &[String]) -> Result<()> {
        for body in bodies {
            self.send(body).await?;
        }
        Ok(())
    }

    /// Receives at most so many messages and hides them for the visibility timeout; none where nothing is visible.
    async fn receive(&self, max: usize) -> Result<Vec<Message>>;

    /// Deletes a delivered message. A delivery that has lapsed meanwhile may still be acknowledged; twice is fine.
    async fn ack(&self, receipt: &str) -> Result<()>;

    /// Makes a delivered message visible again after so many milliseconds from now; 0 is at once.
    async fn postpone(&self, receipt: &str, millis: u32) -> Result<()>;
}
