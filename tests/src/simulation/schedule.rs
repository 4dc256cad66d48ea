//! One schedule: everything that happens between the first object that lands and the last queue that is empty.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_flow::Worker;
use metriccare_lake::{keys, settings::LakeSettings};
use metriccare_ports::{ObjectStore, Ports, PutMode, Queue, catalog::MemoryCatalog, queue::QueueSettings};
use tokio::task::JoinSet;

use super::{
    Injected, Variant,
    compared::difference,
    inputs::{HOSPITALS, Inputs},
    ports::{TurnLedger, TurnStore},
    turns::{Call, Ending, Turns},
    upkeep::Upkeep,
    variant::{VariantLedger, VariantStore},
    withdrawn::Withdrawable,
};
use crate::{
    Cloud, LakeContents, Landed,
    cloud::{BUCKETS, STAGES, Stage, orderly, results},
    crowded::Draw,
};

/// More steps than any lawful schedule takes.
const STEPS: usize = 100_000;

/// A schedule, drawn from its seed; the limits are what a shortened one is made by.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// What everything follows from.
    pub seed: u64,
    /// How many faults there are at most, whatever the seed says.
    pub most_faults: usize,
    /// How many handlers run at once at most, whatever the seed says.
    pub most_handlers: usize,
    /// What is broken on purpose, if anything.
    pub variant: Option<Variant>,
    /// Whether every step is written down.
    pub traced: bool,
}

/// How a schedule ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// What differs from the undisturbed lake, or which law was broken.
    pub divergence: Option<String>,
    /// What was injected, and how often.
    pub injected: BTreeMap<Injected, u64>,
    /// How many calls of stores and ledger there were.
    pub calls: u64,
    /// Every step, where they are written down.
    pub trace: Vec<String>,
}

impl Schedule {
    /// The schedule of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, most_faults: usize::MAX, most_handlers: usize::MAX, variant: None, traced: false }
    }

    /// Runs the schedule. On a runtime of one thread it is the same every time.
    pub async fn run(&self, inputs: &Inputs) -> Ended {
        let mut run = Run::new(self, inputs);
        let settings = LakeSettings::new(BUCKETS).to_json();
        run.cloud.lake.put(keys::LAKE_SETTINGS, settings.into(), PutMode::Overwrite).await.expect("memory");
        let rest = run.run_until_quiet().await;
        while let Some(ended) = run.tasks.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                run.turns.violate("a handler panicked".to_owned());
            }
        }
        let different = || difference(&run.cloud, run.undisturbed, run.upkeep.is_compacted);
        run.ended.divergence = run.turns.violation().or(rest.err()).or_else(different);
        run.ended
    }
}

pub(super) struct Run<'a> {
    schedule: &'a Schedule,
    pub(super) cloud: Arc<Cloud>,
    pub(super) turns: Arc<Turns>,
    pub(super) draw: Draw,
    /// What has not landed yet, the next one last.
    unlanded: Vec<&'a Landed>,
    hospitals_at: usize,
    handlers_at_once: usize,
    faults_per_thousand: usize,
    pub(super) faults_left: usize,
    lapses_left: usize,
    notified_twice_percent: usize,
    /// Whether every object is notified once more after all is done.
    notifies_all: bool,
    /// How many messages expire; where any may, what is missing is searched for.
    pub(super) expiries_left: usize,
    reconciles: bool,
    /// What the lake has to be in the end.
    undisturbed: &'a LakeContents,
    /// What is withdrawn once more when all is done.
    withdrawn_last: Option<&'a Withdrawable>,
    pub(super) upkeep: Upkeep<'a>,
    pub(super) catalog: Arc<MemoryCatalog>,
    /// Every object that lands.
    objects: &'a [Landed],
    pub(super) handlers: usize,
    stalled: BTreeSet<usize>,
    pub(super) tasks: JoinSet<()>,
    ended: Ended,
}

/// Sets the draws of withdrawals and compactions apart: a schedule without them is the one that it was before there were any.
const UPKEEP: u64 = 0x5B1D_0C6E_93A7_F24D;

impl<'a> Run<'a> {
    fn new(schedule: &'a Schedule, inputs: &'a Inputs) -> Self {
        let mut draw = Draw(schedule.seed);
        let settings = QueueSettings {
            max_receives: 2 + draw.number_less_than(4) as u32,
            shuffle: Some(schedule.seed),
            duplicate_percent: draw.one_of(&[0, 20, 60]),
            ..orderly()
        };
        let mut unlanded: Vec<&Landed> = inputs.objects.iter().collect();
        for last in (1..unlanded.len()).rev() {
            unlanded.swap(last, draw.number_less_than(last + 1));
        }
        let faults = draw.one_of(&[0, 4, 12, 40]);
        let expiries = draw.one_of(&[0, 0, 0, 1, 6]).min(schedule.most_faults);
        // What is broken on purpose has to be seen in the stages.
        let mut upkeep = Draw(schedule.seed ^ UPKEEP);
        let (withdraws, compactions) = (upkeep.percent(20), upkeep.one_of(&[0, 0, 0, 0, 3, 9]));
        let withdrawn = Some(upkeep.number_less_than(inputs.withdrawals.len().max(1)));
        let withdrawn = withdrawn
            .filter(|_| withdraws && schedule.variant.is_none())
            .and_then(|place| inputs.withdrawals.get(place));
        let compactions = if schedule.variant.is_none() { compactions } else { 0 };
        Self {
            undisturbed: withdrawn.map_or(&inputs.lake, |withdrawn| &withdrawn.lake),
            withdrawn_last: withdrawn,
            upkeep: Upkeep::of(withdrawn, compactions),
            catalog: Arc::default(),
            cloud: Arc::new(Cloud::new(settings)),
            turns: Arc::default(),
            hospitals_at: draw.number_less_than(unlanded.len() + 1),
            unlanded,
            handlers_at_once: (1 + draw.number_less_than(8)).min(schedule.most_handlers),
            faults_per_thousand: draw.one_of(&[5, 20, 60]),
            faults_left: faults.min(schedule.most_faults),
            lapses_left: draw.number_less_than(6).min(schedule.most_faults),
            notified_twice_percent: draw.one_of(&[0, 10, 50]),
            notifies_all: draw.percent(20),
            expiries_left: expiries,
            reconciles: expiries > 0,
            objects: &inputs.objects,
            handlers: 0,
            stalled: BTreeSet::new(),
            tasks: JoinSet::new(),
            ended: Ended::default(),
            schedule,
            draw,
        }
    }

    pub(super) fn trace(&mut self, step: impl FnOnce() -> String) {
        if self.schedule.traced {
            self.ended.trace.push(step());
        }
    }

    pub(super) fn count(&mut self, injected: Injected) {
        *self.ended.injected.entry(injected).or_default() += 1;
    }

    async fn run_until_quiet(&mut self) -> Result<(), String> {
        let mut hospitals = false;
        for _ in 0..STEPS {
            self.turns.all_wait().await;
            self.note_end_of_compaction();
            if self.turns.violation().is_some() {
                return Ok(());
            }
            if !hospitals && self.unlanded.len() <= self.hospitals_at {
                self.cloud.put_hospitals(HOSPITALS).await;
                hospitals = true;
            }
            let ready: Vec<usize> =
                self.turns.waiting().into_iter().filter(|handler| !self.stalled.contains(handler)).collect();
            match self.draw.number_less_than(20) {
                0 | 1 if !self.unlanded.is_empty() => self.land().await,
                _ if self.upkeep.triggers_disabled && self.turns.running() == 0 => self.withdraw_in_the_middle().await,
                2..=5 if self.may_start() && self.start(false).await => {}
                6 if self.lapses_left > 0 && !self.turns.waiting().is_empty() && self.draw.percent(10) => {
                    self.lapses_left -= 1;
                    self.lapse();
                }
                7 if self.expiries_left > 0 && self.draw.percent(10) => self.expire(),
                8 if self.reconciles && self.draw.percent(2) => {
                    self.reconcile().await;
                }
                9 if self.upkeep.withdrawal.is_some() && self.draw.percent(2) => self.upkeep.triggers_disabled = true,
                10 if self.upkeep.compactions_left > 0 && !self.upkeep.triggers_disabled && self.draw.percent(20) => {
                    self.start_compaction();
                }
                _ if !ready.is_empty() => {
                    let handler = self.draw.one_of(&ready);
                    self.advance(handler);
                }
                _ if self.at_rest().await => return Ok(()),
                _ => {}
            }
        }
        Err(format!("it does not come to rest in {STEPS} steps"))
    }

    /// No handler can go on: does what comes next, or says that all is done.
    async fn at_rest(&mut self) -> bool {
        if self.upkeep.triggers_disabled {
            self.stalled.pop_first();
        } else if !self.unlanded.is_empty() {
            self.land().await;
        } else if self.start(true).await {
            self.trace(|| "no other handler could go on".to_owned());
        } else if !self.cloud.is_drained() {
            self.time_passes();
        } else if self.cloud.dead_letters() > 0 {
            for queue in 0..self.cloud.queues.len() {
                for _ in 0..self.cloud.queues[queue].redrive() {
                    self.count(Injected::DeadLetter);
                }
            }
            self.trace(|| "the dead letters are sent back".to_owned());
        } else if let Some(handler) = self.stalled.pop_first() {
            self.trace(|| format!("{handler} wakes up"));
        } else if self.reconciles && self.reconcile().await {
            self.trace(|| "something was missing".to_owned());
        } else if std::mem::take(&mut self.notifies_all) {
            self.cloud.notify(&self.objects.iter().collect::<Vec<_>>()).await;
            self.trace(|| "every object is notified once more".to_owned());
        } else if let Some(withdrawable) = self.withdrawn_last.take() {
            // What landed after a withdrawal is taken out of landing too.
            self.withdraw(withdrawable).await;
        } else if self.upkeep.is_compacted && self.compact_at_rest(self.undisturbed).await {
            self.trace(|| "a compaction goes on".to_owned());
        } else {
            return true;
        }
        false
    }

    fn may_start(&self) -> bool {
        !self.upkeep.triggers_disabled && self.turns.running() < self.handlers_at_once
    }

    /// Withdraws what has landed so far, and enables the triggers.
    async fn withdraw_in_the_middle(&mut self) {
        self.upkeep.triggers_disabled = false;
        if let Some(withdrawable) = self.upkeep.withdrawal.take() {
            self.withdraw(withdrawable).await;
        }
    }

    fn lapse(&mut self) {
        self.time_passes();
        self.count(Injected::LeaseLapse);
        self.trace(|| "all leases lapse".to_owned());
    }

    /// Some objects land, and one message names them, or a second one too.
    async fn land(&mut self) {
        let together = (1 + self.draw.number_less_than(3)).min(self.unlanded.len());
        let landed = self.unlanded.split_off(self.unlanded.len() - together);
        for object in &landed {
            self.cloud.land(std::slice::from_ref(*object)).await;
        }
        self.cloud.notify(&landed).await;
        if self.draw.percent(self.notified_twice_percent) {
            self.cloud.notify(&landed).await;
        }
        self.trace(|| format!("lands {:?}", landed.iter().map(|object| &object.key).collect::<Vec<_>>()));
    }

    /// Starts a handler if there is a message for one. Gold, which reads and writes the most, starts less often while
    /// others can go on.
    async fn start(&mut self, idle: bool) -> bool {
        let gold = idle || self.draw.percent(30);
        let first = self.draw.number_less_than(STAGES.len());
        let most = 1 + self.draw.number_less_than(10);
        for step in 0..STAGES.len() {
            let place = (first + step) % STAGES.len();
            let (stage, queue) = (STAGES[place], Arc::clone(&self.cloud.queues[place]));
            if stage == Stage::Gold && !gold {
                continue;
            }
            let messages = queue.receive(most).await.expect("memory");
            if messages.is_empty() {
                continue;
            }
            self.handlers += 1;
            let handler = self.handlers;
            self.trace(|| format!("{handler} starts {stage:?} with {} messages", messages.len()));
            let (worker, turns) = (self.worker(handler), Arc::clone(&self.turns));
            let variant = self.schedule.variant;
            turns.begin(handler);
            self.tasks.spawn(async move {
                let _ending = Ending(&turns, handler);
                let early = variant == Some(Variant::AcknowledgedBeforeWork);
                if early {
                    for message in &messages {
                        queue.ack(&message.receipt).await.expect("memory");
                    }
                }
                let rename = |key: String| match variant {
                    Some(Variant::KeyNotDecoded) => key.replace(' ', "+"),
                    _ => key,
                };
                let done = results(stage, &worker, &messages, rename).await;
                for (message, done) in messages.iter().zip(done) {
                    if done && !early {
                        // A kill before it is what redelivers work that is done.
                        let ack = queue.ack(&message.receipt);
                        let _ = turns.call(handler, Call::Ledger, "ack", &message.id, ack).await;
                    }
                }
            });
            return true;
        }
        false
    }

    pub(super) fn worker(&self, handler: usize) -> Arc<Worker> {
        let (cloud, turns) = (&self.cloud, &self.turns);
        let variant = self.schedule.variant;
        let store = |inner| TurnStore { inner, lake: cloud.lake.clone(), turns: Arc::clone(turns), handler };
        let landing = store(VariantStore::around(cloud.landing.clone(), cloud, variant));
        let lake = store(VariantStore::around(cloud.notifying_lake.clone(), cloud, variant));
        let ledger = TurnLedger {
            inner: VariantLedger::around(cloud.ledger.clone(), variant),
            records: cloud.ledger.clone(),
            turns: Arc::clone(turns),
            handler,
        };
        let ports = Ports {
            landing: VariantStore::above(Arc::new(landing), variant),
            lake: VariantStore::above(Arc::new(lake), variant),
            ledger: Arc::new(ledger),
            catalog: self.catalog.clone(),
            clock: cloud.clock.clone(),
        };
        let one = std::num::NonZeroUsize::MIN;
        Arc::new(Worker::new(ports, BUCKETS, one, format!("handler-{handler}")))
    }

    /// A handler makes its next call, or something happens to it.
    fn advance(&mut self, handler: usize) {
        let Some(waiting) = self.turns.take(handler) else { return };
        self.ended.calls += 1;
        let mut fault = None;
        // Reads are most of the calls, and least can go wrong with them.
        let weight = if waiting.call == Call::Read { 1 } else { 5 };
        if self.faults_left > 0 && self.draw.number_less_than(1000) < self.faults_per_thousand * weight {
            fault = Some(self.draw.one_of(waiting.call.faults()));
            self.faults_left -= 1;
        }
        if let Some(fault) = fault {
            self.count(fault);
        }
        let what = if self.schedule.traced { waiting.what.clone() } else { String::new() };
        self.trace(|| match fault {
            Some(fault) => format!("{handler} {what}: {fault:?}"),
            None => format!("{handler} {what}"),
        });
        if let Some(Injected::Stall | Injected::PastDeadline) = fault {
            self.stalled.insert(handler);
            self.turns.put_back(waiting);
            if fault == Some(Injected::PastDeadline) {
                self.time_passes();
            }
        } else {
            waiting.go(fault);
        }
        // Some of those that stand still go on before all others are done.
        if !self.stalled.is_empty() && self.draw.number_less_than(200) == 0 {
            self.stalled.pop_first();
        }
    }
}
