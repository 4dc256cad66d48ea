//! What is done to a lake besides its deliveries: reconciliation, compaction, withdrawal, and messages that expire.

use std::{sync::Arc, time::Duration};

use metriccare_flow::{CompactOptions, Upstream, Window, Worker, compact, end_compactions, find_missing};
use metriccare_ports::{
    Ports, Queue,
    faulty::{Fault, Faults},
};

use super::{Injected, compared::as_the_catalog_reads, schedule::Run, turns::Ending, withdrawn::Withdrawable};
use crate::{
    LakeContents,
    cloud::{BUCKETS, STAGES},
};

/// How long the steps of a compaction are apart; its retries wait less than that altogether.
const STEP: Duration = Duration::from_secs(600);

/// What withdraws and compacts in a schedule, and how far it is.
#[derive(Debug, Default)]
pub(super) struct Upkeep<'a> {
    /// What is still to be withdrawn.
    pub(super) withdrawal: Option<&'a Withdrawable>,
    /// Whether the triggers are disabled, so that the handlers end and a withdrawal may begin.
    pub(super) triggers_disabled: bool,
    /// How many compactions may still begin.
    pub(super) compactions_left: usize,
    /// Whether any compaction has begun.
    pub(super) is_compacted: bool,
    /// Whether what was being compacted has been ended.
    is_ended: bool,
    /// The compaction that runs.
    compaction: Option<usize>,
    /// The newest handler that had begun when the last compaction ended: it may know nothing of what that began.
    begun_before: usize,
}

impl<'a> Upkeep<'a> {
    pub(super) fn of(withdrawal: Option<&'a Withdrawable>, compactions_left: usize) -> Self {
        Self { withdrawal, compactions_left, ..Self::default() }
    }
}

impl Run<'_> {
    /// Time passes until all leases have lapsed and all hidden messages are visible again. A compaction ends with its lease, as
    /// the function that does it.
    pub(super) fn time_passes(&mut self) {
        if let Some(compaction) = self.upkeep.compaction {
            self.turns.kill(compaction);
        }
        self.cloud.let_messages_reappear();
    }

    /// A message of one of the queues expires.
    pub(super) fn expire(&mut self) {
        let queue = self.draw.number_less_than(STAGES.len());
        if let Some(message) = self.cloud.queues[queue].expire() {
            self.expiries_left -= 1;
            self.count(Injected::Expiry);
            self.trace(|| format!("{} of {:?} expires", message.id, STAGES[queue]));
        }
    }

    /// The scheduled search for what a stage lacks, and its notifications; whether anything was found.
    pub(super) async fn reconcile(&mut self) -> bool {
        let worker = self.undisturbed_worker(Faults::none());
        let mut found_any = false;
        for (stage, layer) in [Upstream::Landing, Upstream::Bronze, Upstream::Silver].into_iter().enumerate() {
            let found = find_missing(&worker, layer, Window::ALL).await.expect("nothing fails in memory");
            for body in layer.notifications(&worker, &found) {
                self.cloud.queues[stage].send(&body).await.expect("memory");
                self.count(Injected::Reconciliation);
                found_any = true;
            }
        }
        self.trace(|| "reconciliation".to_owned());
        found_any
    }

    /// Notes that the compaction that ran has ended, where it has.
    pub(super) fn note_end_of_compaction(&mut self) {
        if self.upkeep.compaction.is_some_and(|compaction| !self.turns.is_running(compaction)) {
            self.upkeep.compaction = None;
            self.upkeep.begun_before = self.handlers;
        }
    }

    /// Starts a compaction, if none runs. It takes the next step only of partitions whose last step every handler that writes
    /// knows of: on a deployed lake it waits longer than a function may run.
    pub(super) fn start_compaction(&mut self) {
        if self.upkeep.compaction.is_some() {
            return;
        }
        let all_know = self.turns.running_handlers().iter().all(|handler| *handler > self.upkeep.begun_before);
        // Little time passes while a compaction runs: a step is due in the next one.
        let wait = if all_know { STEP } else { Duration::MAX };
        self.cloud.clock.advance(STEP);
        let options = CompactOptions {
            min_files: 2 + self.draw.number_less_than(3),
            target_bytes: self.draw.one_of(&[8 << 10, 64 << 20]),
            writers_end: wait,
            queries_end: wait,
        };
        self.handlers += 1;
        let handler = self.handlers;
        self.upkeep.compaction = Some(handler);
        self.upkeep.compactions_left -= 1;
        self.upkeep.is_compacted = true;
        self.count(Injected::Compaction);
        self.trace(|| {
            format!("{handler} compacts{}", if all_know { "" } else { ", and others may know nothing of it" })
        });
        let (worker, turns) = (self.worker(handler), Arc::clone(&self.turns));
        turns.begin(handler);
        self.tasks.spawn(async move {
            let _ending = Ending(&turns, handler);
            if let Err(error) = compact(&worker, &options).await {
                let words = format!("{error:?}");
                if !words.contains("injected") && !words.contains("LeaseLost") {
                    turns.violate(format!("a compaction fails without a fault: {words}"));
                }
            }
        });
    }

    /// Compacts when all else is done, or ends what is being compacted; whether there was anything to do. Before, who reads by the
    /// catalog has to find every row once.
    pub(super) async fn compact_at_rest(&mut self, undisturbed: &LakeContents) -> bool {
        if let Some(difference) = as_the_catalog_reads(&self.cloud, &self.catalog, undisturbed) {
            self.turns.violate(difference);
        }
        self.time_passes();
        if self.upkeep.compactions_left > 0 {
            self.start_compaction();
            return true;
        }
        !std::mem::replace(&mut self.upkeep.is_ended, true) && {
            self.end_compactions().await;
            true
        }
    }

    async fn end_compactions(&mut self) {
        let worker = self.undisturbed_worker(Faults::none());
        if let Err(error) = end_compactions(&worker).await {
            self.turns.violate(format!("compactions cannot be ended: {error:?}"));
        }
        self.trace(|| "all compactions are ended".to_owned());
    }

    /// Withdraws when all is quiet; it is killed at any call, several times or not at all, and run again.
    pub(super) async fn withdraw(&mut self, withdrawable: &Withdrawable) {
        let subject = &withdrawable.subject;
        self.trace(|| format!("{subject:?} is withdrawn"));
        self.count(Injected::Withdrawal);
        let kills = self.draw.number_less_than(3).min(self.faults_left);
        for _ in 0..kills {
            self.time_passes();
            let call = 1 + self.draw.number_less_than(200) as u64;
            let fault = self.draw.one_of(&[Fault::Crash, Fault::CrashAfter]);
            let worker = self.undisturbed_worker(Faults::at(call, fault));
            if subject.withdraw(&worker).await.is_err() {
                self.faults_left -= 1;
                self.count(if matches!(fault, Fault::Crash) { Injected::Crash } else { Injected::CrashAfter });
                self.trace(|| format!("it is killed at call {call}"));
            }
        }
        self.time_passes();
        let worker = self.undisturbed_worker(Faults::none());
        if let Err(error) = subject.withdraw(&worker).await {
            self.turns.violate(format!("{subject:?} cannot be withdrawn: {error:?}"));
        }
    }

    /// A worker that does not wait for turns.
    fn undisturbed_worker(&self, faults: Faults) -> Arc<Worker> {
        let ports = self.cloud.ports(&Arc::new(faults));
        let ports = Ports { catalog: self.catalog.clone(), ..ports };
        Arc::new(Worker::new(ports, BUCKETS, std::num::NonZeroUsize::MIN, "upkeep"))
    }
}
