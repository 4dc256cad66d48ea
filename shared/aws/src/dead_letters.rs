//! The dead letters of a queue, and their way back.
//!
//! SQS moves them itself (a message move task) and keeps their attributes. Where it cannot, as on a stand-in for AWS,
//! each is received, sent and only then deleted: a letter may come twice then, which every stage bears, and is never lost.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use metriccare_ports::{Clock, Error, ErrorKind, Queue, Result};

use crate::{SqsQueue, clients::Clients, failure::failed};

/// The dead letters of a queue.
#[derive(Debug)]
pub struct DeadLetters {
    letters: At,
    back_to: At,
}

#[derive(Debug)]
struct At {
    queue: SqsQueue,
    arn: String,
    waiting: u64,
}

/// How often a move task is asked how far it is.
const ASK_EVERY: Duration = Duration::from_secs(1);

impl DeadLetters {
    /// The letters of a queue whose dead letters have the same name and `-dead-letters`.
    ///
    /// # Errors
    /// A queue that is not there, a permission that is missing.
    pub async fn of(clients: &Clients, queue: &str) -> Result<Self> {
        Ok(Self {
            letters: look(clients, &format!("{queue}-dead-letters")).await?,
            back_to: look(clients, queue).await?,
        })
    }

    /// How many there were when it was looked, about.
    pub fn waiting(&self) -> u64 {
        self.letters.waiting
    }

    /// Moves them back to their queue, at most so many a second, and reports now and then how many were moved.
    ///
    /// # Errors
    /// What SQS says; what was moved before stays moved.
    pub async fn redrive(
        &self,
        clock: &dyn Clock,
        per_second: Option<i32>,
        progress: &dyn RedriveProgress,
    ) -> Result<u64> {
        let start = self.client().start_message_move_task();
        let start = start.source_arn(&self.letters.arn).destination_arn(&self.back_to.arn);
        match start.set_max_number_of_messages_per_second(per_second).send().await {
            Ok(_) => match self.follow(clock, progress).await? {
                Moved::All(moved) => Ok(moved),
                // Letters that came from a function and not from a queue are such that SQS does not move.
                Moved::None => self.copy_back(clock, per_second, progress).await,
            },
            Err(error) if is_unknown(error.code()) => self.copy_back(clock, per_second, progress).await,
            Err(error) => Err(failed("redrive", &self.letters.queue.url, error)),
        }
    }

    /// Waits for the move task's end.
    async fn follow(&self, clock: &dyn Clock, progress: &dyn RedriveProgress) -> Result<Moved> {
        loop {
            let list =
                self.client().list_message_move_tasks().source_arn(&self.letters.arn).max_results(1).send().await;
            let listed = list.map_err(|error| failed("redrive", &self.letters.queue.url, error))?;
            let task = listed.results.unwrap_or_default().into_iter().next();
            let task = task.ok_or_else(|| self.broken("the move task is not known to the queue"))?;
            let moved = u64::try_from(task.approximate_number_of_messages_moved).unwrap_or_default();
            progress.moved(moved);
            match task.status() {
                Some("COMPLETED") => return Ok(Moved::All(moved)),
                Some("FAILED") if moved == 0 => return Ok(Moved::None),
                Some("RUNNING" | "CANCELLING") => clock.sleep(ASK_EVERY).await,
                other => {
                    let why = task.failure_reason().unwrap_or("no reason is given");
                    return Err(self.broken(format!("{} after {moved} letters: {why}", other.unwrap_or("it ended"))));
                }
            }
        }
    }

    /// Receives, sends and deletes, one letter after the other; those that were there when it was looked, and no more.
    async fn copy_back(
        &self,
        clock: &dyn Clock,
        per_second: Option<i32>,
        progress: &dyn RedriveProgress,
    ) -> Result<u64> {
        let pause = per_second.and_then(|rate| Duration::from_secs(1).checked_div(u32::try_from(rate).ok()?));
        let mut moved = 0;
        while moved < self.letters.waiting {
            let messages = self.letters.queue.receive(10).await?;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                self.back_to.queue.send(&message.body).await?;
                self.letters.queue.ack(&message.receipt).await?;
                moved += 1;
                progress.moved(moved);
                if let Some(pause) = pause {
                    clock.sleep(pause).await;
                }
            }
        }
        Ok(moved)
    }

    fn client(&self) -> &Client {
        &self.letters.queue.client
    }

    fn broken(&self, reason: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Unavailable, "redrive", &self.letters.queue.url, reason)
    }
}

/// What SQS's own move came to.
enum Moved {
    /// So many, and it is done.
    All(u64),
    /// It moved none, and gave up.
    None,
}

/// Hears how many letters were moved.
pub trait RedriveProgress: Send + Sync {
    /// So many in all.
    fn moved(&self, letters: u64);
}

/// Whether an error says that the service has no such operation.
fn is_unknown(code: Option<&str>) -> bool {
    let code = code.unwrap_or_default();
    ["InvalidAction", "UnknownOperation", "UnsupportedOperation", "NotImplemented"]
        .iter()
        .any(|word| code.contains(word))
}

async fn look(clients: &Clients, name: &str) -> Result<At> {
    let queue = SqsQueue::named(clients, name).await?;
    let get = queue.client.get_queue_attributes().queue_url(&queue.url);
    let get = get
        .attribute_names(QueueAttributeName::QueueArn)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
    let got = get.send().await.map_err(|error| failed("look at queue", name, error))?;
    let attribute = |name| got.attributes().and_then(|attributes| attributes.get(&name)).cloned().unwrap_or_default();
    let waiting = attribute(QueueAttributeName::ApproximateNumberOfMessages).parse().unwrap_or_default();
    Ok(At { arn: attribute(QueueAttributeName::QueueArn), queue, waiting })
}
