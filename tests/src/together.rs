//! Several processes at work at once on one cloud, and time that jumps while they are.
//!
//! An idle process sometimes moves the clock past every lease although others are still at work: then the same work is
//! done twice at the same time, and the earlier attempt is fenced. How often that may happen is bounded, so that a run
//! ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    Cloud, Process,
    cloud::{ROUNDS, STAGES},
};

/// What the processes of one run share.
struct Floor {
    cloud: Arc<Cloud>,
    at_work: AtomicUsize,
    jumps_left: AtomicUsize,
}

impl Cloud {
    /// Lets processes work side by side until the queues are empty; time jumps so many times while somebody is at work.
    ///
    /// # Panics
    /// Where a process panics, or the queues never run empty.
    pub async fn settle_together(self: &Arc<Self>, processes: Vec<Process>, jumps: usize) {
        let floor =
            Floor { cloud: Arc::clone(self), at_work: AtomicUsize::new(0), jumps_left: AtomicUsize::new(jumps) };
        let floor = Arc::new(floor);
        let mut tasks = tokio::task::JoinSet::new();
        for (turn, process) in processes.into_iter().enumerate() {
            tasks.spawn(work(Arc::clone(&floor), process, turn));
        }
        tasks.join_all().await;
    }
}

async fn work(floor: Arc<Floor>, process: Process, turn: usize) {
    for round in 0..ROUNDS {
        let mut received = 0;
        for step in 0..STAGES.len() {
            // Each process begins with another stage, so that stages overlap.
            let stage = STAGES[(turn + step) % STAGES.len()];
            floor.at_work.fetch_add(1, Ordering::SeqCst);
            received += floor.cloud.invoke(&process, stage, 1 + (round + turn) % 10).await;
            floor.at_work.fetch_sub(1, Ordering::SeqCst);
        }
        if floor.cloud.is_drained() {
            return;
        }
        if received == 0 {
            let alone = floor.at_work.load(Ordering::SeqCst) == 0;
            let spend = |left: usize| left.checked_sub(1);
            if alone || floor.jumps_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_ok() {
                floor.cloud.let_messages_reappear();
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    panic!("the queues do not run empty");
}
