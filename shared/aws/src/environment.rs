//! One Lambda environment: made once at its start, it answers one invocation after another.

#[cfg(test)]
mod poisoned;
mod redelivery;
mod scheduled;

use std::{sync::Arc, time::Duration};

use metriccare_flow::{Function, Outcome, Report, RetryReason, Worker, answer, key_digest, serve, side_by_side};
use metriccare_ports::{Clock, Ports, Queue, SystemClock, catalog::NoCatalog};
use serde_json::Value;

use crate::{
    Clients, DynamoLedger, GlueCatalog, RequestCounter, S3Store, Settings, SettingsError, SqsQueue,
    telemetry::{self, Metrics},
};
use redelivery::delay_millis;
use scheduled::ScheduledTask;

/// One Lambda environment.
#[derive(Debug)]
pub struct Environment {
    /// What the template says.
    pub settings: Settings,
    /// The buckets, the ledger, the catalog and the clock.
    pub ports: Ports,
    /// The function's own queue, where the settings name one.
    pub queue: Option<Arc<dyn Queue>>,
    /// Counts the requests to AWS.
    pub request_counter: RequestCounter,
}

/// Why an environment cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are not whole.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// What is less is no time since 1970: a year in milliseconds.
const LONGEST_DURATION: i64 = 365 * 24 * 3_600_000;

/// What is counted of the messages of every function.
const MESSAGE_METRICS: [&str; 6] =
    ["MessagesDone", "MessagesFailed", "MessagesBusy", "MessagesPostponed", "MessagesGivenUp", "LeasesLost"];

/// How much longer than its invocation a claim holds, for clocks that differ.
const SKEW: Duration = Duration::from_secs(1);

impl Environment {
    /// Reads the settings, starts the log, makes the clients. The catalog takes no partitions.
    ///
    /// # Errors
    /// Settings that are missing or wrong, all of them.
    pub fn start() -> Result<Self, StartError> {
        Ok(Self::begin()?.0)
    }

    /// The same for a stage that adds partitions to Glue: a function that does not has none of Glue's code.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with_catalog() -> Result<Self, StartError> {
        let (mut environment, clients) = Self::begin()?;
        let (database, bucket) = (&environment.settings.database, &environment.settings.lake_bucket);
        environment.ports.catalog = Arc::new(GlueCatalog::new(&clients, database, bucket));
        Ok(environment)
    }

    fn begin() -> Result<(Self, Clients), StartError> {
        let settings = match Settings::from_env() {
            Ok(settings) => settings,
            Err(error) => {
                telemetry::start("ERROR");
                tracing::error!(%error, "the function cannot start");
                return Err(error.into());
            }
        };
        telemetry::start(&settings.log_level);
        let clients = Clients::of_function(&settings);
        Ok((Self::with(settings, &clients), clients))
    }

    /// An environment with these settings and clients.
    fn with(settings: Settings, clients: &Clients) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ledger = DynamoLedger::new(clients, &settings.ledger_table, settings.ledger_days, Arc::clone(&clock));
        let ports = Ports {
            landing: Arc::new(S3Store::new(clients, &settings.landing_bucket)),
            lake: Arc::new(S3Store::new(clients, &settings.lake_bucket)),
            ledger: Arc::new(ledger),
            catalog: Arc::new(NoCatalog),
            clock,
        };
        let queue = |url: &String| Arc::new(SqsQueue::new(clients, url)) as Arc<dyn Queue>;
        let queue = settings.queue_url.as_ref().map(queue);
        Self { settings, ports, queue, request_counter: clients.request_counter.clone() }
    }

    /// Answers an invocation of a function: its messages are served, logged and counted, and what failed is postponed.
    ///
    /// # Errors
    /// The failure of a bare event.
    pub async fn serve<F: Function>(
        &self,
        function: &F,
        payload: Value,
        request_id: &str,
        deadline_millis: i64,
    ) -> Result<Value, RetryReason> {
        let (answer, metrics) = self.answer(function, payload, request_id, deadline_millis).await;
        let Settings { namespace, log_level, .. } = &self.settings;
        metrics.write(namespace, log_level, F::NAME, request_id, self.ports.clock.now_millis());
        answer
    }

    /// The answer to an invocation, and what it counted.
    pub async fn answer<F: Function>(
        &self,
        function: &F,
        payload: Value,
        request_id: &str,
        deadline_millis: i64,
    ) -> (Result<Value, RetryReason>, Metrics) {
        let worker = self.worker(request_id, deadline_millis);
        let mut metrics = Metrics::default();
        if let Some(task) = F::UPSTREAM.and_then(|layer| ScheduledTask::of(layer, &payload)) {
            let answer = self.perform(&worker, task, &mut metrics).await;
            self.request_counter.take(&mut metrics);
            return (answer, metrics);
        }
        let reports = serve(function, &worker, payload).await;
        for name in MESSAGE_METRICS.iter().chain(F::METRICS) {
            metrics.add(name, 0);
        }
        let mut postponed = Vec::new();
        for report in &reports {
            note::<F>(report, self.settings.max_receives, &mut metrics);
            if let (Some(receipt), Err(reason)) = (&report.delivery.receipt, &report.result) {
                let millis = delay_millis(receipt, report.delivery.receives, reason.was_tried());
                postponed.push((receipt.clone(), millis));
            }
        }
        self.postpone(postponed).await;
        self.request_counter.take(&mut metrics);
        (answer(function, reports), metrics)
    }

    /// The end of an invocation in milliseconds since 1970, of what the runtime says of it: Lambda says just that, `cargo
    /// lambda watch` how long it may take.
    pub fn deadline(&self, said: u64) -> i64 {
        let said = i64::try_from(said).unwrap_or(i64::MAX);
        if said < LONGEST_DURATION { self.ports.clock.now_millis().saturating_add(said) } else { said }
    }

    /// Has each message delivered again after its delay: left alone, it stays hidden for half an hour.
    async fn postpone(&self, messages: Vec<(String, u32)>) {
        let Some(queue) = &self.queue else { return };
        let results = side_by_side(self.settings.io_width, messages, |(receipt, millis)| {
            let queue = Arc::clone(queue);
            async move { queue.postpone(&receipt, millis).await }
        });
        for error in results.await.into_iter().filter_map(Result::err) {
            // It is delivered again all the same, only later.
            tracing::warn!(kind = ?error.kind(), "the visibility of a message could not be changed");
        }
    }

    /// A worker for one invocation, whose claims hold as long as it may run.
    fn worker(&self, request_id: &str, deadline_millis: i64) -> Arc<Worker> {
        let name = format!("{}/{request_id}", self.settings.function);
        let mut worker = Worker::new(self.ports.clone(), self.settings.buckets, self.settings.threads, name);
        let left = deadline_millis.saturating_sub(self.ports.clock.now_millis());
        worker.deadline_millis = deadline_millis;
        worker.io_width = self.settings.io_width;
        worker.memory_bytes = self.settings.memory_bytes;
        // A round is planned to fit into memory: the disk of a function is small.
        worker.spill_bytes = self.settings.memory_bytes / 2;
        worker.lease = Duration::from_millis(u64::try_from(left).unwrap_or_default()) + SKEW;
        Arc::new(worker)
    }
}

/// Logs a message's result and counts it.
fn note<F: Function>(report: &Report<F::Output>, max_receives: u32, metrics: &mut Metrics) {
    let stage = F::NAME;
    let message_id = report.delivery.message_id.as_deref().unwrap_or("bare");
    let deliveries = report.delivery.receives;
    match &report.result {
        Ok(outcomes) => {
            metrics.add("MessagesDone", 1);
            for (key, outcome) in outcomes {
                if let Outcome::Done(done) = outcome {
                    F::metrics(&done.output).into_iter().for_each(|(name, count)| metrics.add(name, count));
                }
                tracing::info!(stage, message_id, deliveries, key = key_digest(key), outcome = outcome.name(), "done");
            }
        }
        Err(RetryReason::Busy { until_millis }) => {
            metrics.add("MessagesBusy", 1);
            tracing::info!(stage, message_id, deliveries, outcome = "busy", until_millis, "will be delivered again");
        }
        Err(reason) if reason.is_postponed() => {
            metrics.add("MessagesPostponed", 1);
            tracing::info!(stage, message_id, deliveries, outcome = "postponed", "will be delivered again");
        }
        Err(failure) => {
            metrics.add("MessagesFailed", 1);
            let (key, reason, lost) = match failure {
                RetryReason::Failed { key, error } => (key_digest(key), error.without_keys(), error.is_lease_lost()),
                other => (String::new(), other.to_string(), false),
            };
            metrics.add("LeasesLost", u64::from(lost));
            if deliveries >= max_receives {
                metrics.add("MessagesGivenUp", 1);
                tracing::error!(
                    stage,
                    message_id,
                    deliveries,
                    key,
                    outcome = "failed",
                    reason,
                    "becomes a dead letter"
                );
            } else {
                tracing::warn!(
                    stage,
                    message_id,
                    deliveries,
                    key,
                    outcome = "failed",
                    reason,
                    "will be delivered again"
                );
            }
        }
    }
}

#[cfg(test)]
mod personal;

#[cfg(test)]
mod tests {
    use metriccare_flow::Bronze;
    use metriccare_ports::{ManualClock, MemoryQueue, queue::QueueSettings};

    use super::*;

    /// An environment on memory, with its queue and its clock.
    pub(super) fn environment() -> (Environment, Arc<MemoryQueue>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at_micros(1_735_689_600_000_000));
        let queue = Arc::new(MemoryQueue::new(clock.clone(), QueueSettings::default()));
        let set = |name: &str| match name {
            "BUCKETS" => Some("4".to_owned()),
            "LANDING_BUCKET" | "LAKE_BUCKET" | "LEDGER_TABLE" | "DATABASE" | "AWS_REGION" => Some("memory".to_owned()),
            _ => None,
        };
        let environment = Environment {
            settings: Settings::read(set).expect("whole"),
            ports: Ports::memory(clock.clone()),
            queue: Some(queue.clone()),
            request_counter: RequestCounter::default(),
        };
        (environment, queue, clock)
    }

    #[tokio::test]
    async fn a_message_at_its_last_delivery_is_counted_as_given_up() {
        let (environment, queue, clock) = environment();
        queue.send("no event").await.expect("memory");
        let mut messages = queue.receive(1).await.expect("memory");
        messages[0].receive_count = environment.settings.max_receives;
        let batch = metriccare_flow::event::sqs_batch("bronze", &messages, 0);
        let (answer, metrics) = environment.answer(&Bronze, batch, "r", clock.now_millis() + 60_000).await;
        assert!(answer.expect("a batch").to_string().contains(&messages[0].id));
        let line = metrics.line("n", "INFO", "bronze", "r", 0);
        assert!(line.contains(r#""MessagesGivenUp":1"#) && line.contains(r#""MessagesFailed":1"#), "{line}");
    }
}
