//! A queue in memory, as orderly or as unruly as a test wants it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Message, Queue};
use crate::{Clock, Result, retry::Jitter};

/// How a queue in memory behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a received message is hidden, in milliseconds.
    pub visibility_millis: u32,
    /// A message that was delivered so often without an acknowledgement goes to the dead letters.
    pub max_receives: u32,
    /// With a seed, deliveries come in random order and random batches; without, first in is first out.
    pub shuffle: Option<u64>,
    /// How many in a hundred messages are delivered twice, when there is a seed.
    pub duplicate_percent: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { visibility_millis: 360_000, max_receives: 5, shuffle: None, duplicate_percent: 0 }
    }
}

/// A queue in memory.
#[derive(Debug)]
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    settings: QueueSettings,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Waiting>,
    dead: Vec<Message>,
    sent: u64,
    received: u64,
    jitter: Jitter,
}

#[derive(Debug, Clone)]
struct Waiting {
    message: Message,
    visible_at_millis: i64,
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new(clock: Arc<dyn Clock>, settings: QueueSettings) -> Self {
        let jitter = Jitter::new(settings.shuffle.unwrap_or_default());
        let state = State { waiting: Vec::new(), dead: Vec::new(), sent: 0, received: 0, jitter };
        Self { clock, settings, state: Mutex::new(state) }
    }

    /// Whether no message is left, visible or hidden. Dead letters do not count.
    pub fn is_drained(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// The messages that were delivered too often.
    pub fn dead_letters(&self) -> Vec<Message> {
        self.state().dead.clone()
    }

    /// Sends the dead letters back, as new messages, and returns how many there were.
    pub fn redrive(&self) -> usize {
        let mut state = self.state();
        let dead = std::mem::take(&mut state.dead);
        for message in &dead {
            state.enqueue(&message.body);
        }
        dead.len()
    }

    /// Drops a message as if it had been in the queue for longer than messages are kept; none where nothing is visible.
    pub fn expire(&self) -> Option<Message> {
        let (now, mut state) = (self.clock.now_millis(), self.state());
        let place = state.visible(now, self.settings.shuffle.is_some()).into_iter().next()?;
        Some(state.waiting.remove(place).message)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enqueue(&mut self, body: &str) -> Message {
        self.sent += 1;
        let id = format!("message-{}", self.sent);
        let message = Message { id, body: body.to_owned(), receipt: String::new(), receive_count: 0 };
        self.waiting.push(Waiting { message: message.clone(), visible_at_millis: i64::MIN });
        message
    }

    /// The places of the visible messages, in the order of delivery.
    fn visible(&mut self, now: i64, shuffle: bool) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..self.waiting.len()).filter(|place| self.waiting[*place].visible_at_millis <= now).collect();
        if shuffle {
            for last in (1..places.len()).rev() {
                let other = self.jitter.draw(last as u64 + 1) as usize;
                places.swap(last, other);
            }
        }
        places
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, body: &str) -> Result<String> {
        let mut state = self.state();
        let message = state.enqueue(body);
        if self.settings.shuffle.is_some() && state.jitter.draw(100) < u64::from(self.settings.duplicate_percent) {
            // A second copy under the same id: acknowledging one leaves the other.
            state.waiting.push(Waiting { message: message.clone(), visible_at_millis: i64::MIN });
        }
        Ok(message.id)
    }

    async fn receive(&self, max: usize) -> Result<Vec<Message>> {
        let now = self.clock.now_millis();
        let mut state = self.state();
        let shuffle = self.settings.shuffle.is_some();
        let places = state.visible(now, shuffle);
        let mut most = max.min(places.len());
        if shuffle && most > 1 {
            most = 1 + state.jitter.draw(most as u64) as usize;
        }
        let (mut delivered, mut dead) = (Vec::new(), Vec::new());
        for place in places {
            if state.waiting[place].message.receive_count >= self.settings.max_receives {
                dead.push(place);
            } else if delivered.len() < most {
                state.received += 1;
                let receipt = format!("receipt-{}", state.received);
                let waiting = &mut state.waiting[place];
                waiting.visible_at_millis = now + i64::from(self.settings.visibility_millis);
                waiting.message.receipt = receipt;
                waiting.message.receive_count += 1;
                delivered.push(waiting.message.clone());
            }
        }
        // From the back, so that the places before stay right.
        dead.sort_unstable();
        for place in dead.into_iter().rev() {
            let letter = state.waiting.remove(place).message;
            state.dead.push(letter);
        }
        Ok(delivered)
    }

    async fn ack(&self, receipt: &str) -> Result<()> {
        self.state().waiting.retain(|waiting| waiting.message.receipt != receipt);
        Ok(())
    }

    async fn postpone(&self, receipt: &str, millis: u32) -> Result<()> {
        let visible_at_millis = self.clock.now_millis() + i64::from(millis);
        for waiting in self.state().waiting.iter_mut().filter(|waiting| waiting.message.receipt == receipt) {
            waiting.visible_at_millis = visible_at_millis;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
