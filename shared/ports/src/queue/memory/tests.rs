use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::ManualClock;

fn queue(settings: QueueSettings) -> (Arc<ManualClock>, MemoryQueue) {
    let clock = Arc::new(ManualClock::default());
    (clock.clone(), MemoryQueue::new(clock, settings))
}

#[tokio::test]
async fn an_unacknowledged_message_comes_back_and_in_the_end_is_a_dead_letter() {
    let (clock, queue) = queue(QueueSettings { visibility_millis: 1000, max_receives: 2, ..QueueSettings::default() });
    queue.send("a").await.expect("sent");
    for count in 1..=2 {
        let messages = queue.receive(10).await.expect("received");
        assert_eq!(messages[0].receive_count, count);
        assert!(queue.receive(10).await.expect("received").is_empty());
        clock.advance(Duration::from_secs(1));
    }
    assert!(queue.receive(10).await.expect("received").is_empty());
    assert_eq!(queue.dead_letters()[0].body, "a");
    assert!(queue.is_drained());
    assert_eq!(queue.redrive(), 1);
    assert_eq!(queue.receive(1).await.expect("received")[0].receive_count, 1);
}

#[tokio::test]
async fn without_a_seed_the_first_in_is_the_first_out() {
    let (_clock, queue) = queue(QueueSettings::default());
    for body in ["a", "b", "c"] {
        queue.send(body).await.expect("sent");
    }
    let bodies: Vec<String> = queue.receive(2).await.expect("received").into_iter().map(|m| m.body).collect();
    assert_eq!(bodies, ["a", "b"]);
    assert_eq!(queue.receive(2).await.expect("received").len(), 1);
}

#[tokio::test]
async fn a_postponed_message_is_back_when_it_was_said() {
    let (clock, queue) = queue(QueueSettings::default());
    queue.send("a").await.expect("sent");
    let message = queue.receive(1).await.expect("received").remove(0);
    queue.postpone(&message.receipt, 50).await.expect("postponed");
    assert!(queue.receive(1).await.expect("received").is_empty());
    clock.advance(Duration::from_millis(50));
    let again = queue.receive(1).await.expect("received").remove(0);
    assert_eq!((again.id, again.receive_count), (message.id, 2));
}

#[tokio::test]
async fn an_unruly_queue_delivers_everything_at_least_once_and_repeats_by_its_seed() {
    async fn drained(seed: u64) -> Vec<String> {
        let settings = QueueSettings { shuffle: Some(seed), duplicate_percent: 30, ..QueueSettings::default() };
        let (_clock, queue) = queue(settings);
        for body in 0..50 {
            queue.send(&body.to_string()).await.expect("sent");
        }
        let mut bodies = Vec::new();
        while !queue.is_drained() {
            for message in queue.receive(10).await.expect("received") {
                queue.ack(&message.receipt).await.expect("acknowledged");
                bodies.push(message.body);
            }
        }
        bodies
    }
    let bodies = drained(1).await;
    assert!(bodies.len() > 50);
    assert_eq!(bodies.iter().collect::<BTreeSet<_>>().len(), 50);
    assert_eq!(bodies, drained(1).await);
    assert_ne!(bodies, drained(2).await);
}
