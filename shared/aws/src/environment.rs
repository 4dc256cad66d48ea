//! One Lambda environment: made once at its start, it answers one invocation after another.

use std::{sync::Arc, time::Duration};

use metriccare_flow::{FlowError, Function, Outcome, Report, RetryReason, Worker, answer, serve};
use metriccare_ports::{Clock, Ports, Queue, SystemClock, catalog::NoCatalog};
use serde_json::Value;

use crate::{
    Clients, DynamoLedger, GlueCatalog, RequestCounter, S3Store, Settings, SettingsError, SqsQueue,
    telemetry::{self, Metrics, digest},
};

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

/// Seconds until the next delivery of a message whose work another invocation has, or that there was no time for: soon,
/// and later each time. Over the eight deliveries that a queue grants, that is longer than any lease.
const SOON: [u64; 7] = [10, 30, 90, 270, 270, 270, 270];

/// Seconds until the next delivery of a message whose work failed: what it needs may be out of reach for an hour, and a
/// queue that gives up within minutes would make dead letters of all that is waiting.
const LATER: [u64; 7] = [60, 300, 900, 1800, 3600, 3600, 3600];

/// What is less is no time since 1970: a year in milliseconds.
const LONGEST_DURATION: i64 = 365 * 24 * 3_600_000;

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
        metrics.write(&self.settings.namespace, F::NAME, request_id, self.ports.clock.now_millis());
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
        let reports = serve(function, &worker, payload).await;
        let mut metrics = Metrics::default();
        for name in ["MessagesDone", "MessagesFailed", "MessagesBusy", "LeasesLost"].iter().chain(F::METRICS) {
            metrics.add(name, 0);
        }
        for report in &reports {
            note::<F>(report, &mut metrics);
            if let (Some(receipt), Err(reason)) = (&report.delivery.receipt, &report.result) {
                self.postpone(receipt, report.delivery.receives, reason.was_tried()).await;
            }
        }
        self.request_counter.take(&mut metrics);
        (answer(function, reports), metrics)
    }

    /// The end of an invocation in milliseconds since 1970, of what the runtime says of it: Lambda says just that, `cargo
    /// lambda watch` how long it may take.
    pub fn deadline(&self, said: u64) -> i64 {
        let said = i64::try_from(said).unwrap_or(i64::MAX);
        if said < LONGEST_DURATION { self.ports.clock.now_millis().saturating_add(said) } else { said }
    }

    /// Has a message delivered again after a while: left alone, it stays hidden for half an hour. One that was tried and
    /// failed is given more time than one whose work another invocation has, which is done in a moment.
    async fn postpone(&self, receipt: &str, deliveries: u32, tried: bool) {
        let Some(queue) = &self.queue else { return };
        let waits = if tried { LATER } else { SOON };
        let at = usize::try_from(deliveries.saturating_sub(1)).unwrap_or(usize::MAX).min(waits.len() - 1);
        let millis = u32::try_from(waits[at] * 1000).unwrap_or(u32::MAX);
        if let Err(error) = queue.postpone(receipt, millis).await {
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
        worker.lease = Duration::from_millis(u64::try_from(left).unwrap_or_default()) + SKEW;
        Arc::new(worker)
    }
}

/// Logs a message's result and counts it.
fn note<F: Function>(report: &Report<F::Output>, metrics: &mut Metrics) {
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
                tracing::info!(stage, message_id, deliveries, key = digest(key), outcome = outcome.name(), "done");
            }
        }
        Err(RetryReason::Busy { until_millis }) => {
            metrics.add("MessagesBusy", 1);
            tracing::info!(stage, message_id, deliveries, outcome = "busy", until_millis, "will be delivered again");
        }
        Err(failure) => {
            metrics.add("MessagesFailed", 1);
            let (key, reason, lost) = match failure {
                RetryReason::Failed { key, error } => (digest(key), reason(error), error.is_lease_lost()),
                other => (String::new(), other.to_string(), false),
            };
            metrics.add("LeasesLost", u64::from(lost));
            tracing::warn!(stage, message_id, deliveries, key, outcome = "failed", reason, "will be delivered again");
        }
    }
}

/// Why work failed, without the keys that the error's own text names.
fn reason(error: &FlowError) -> String {
    match error {
        FlowError::Port(error) => format!("{:?}: {}", error.kind(), without(&error.to_string(), error.subject())),
        FlowError::Flatten { key, .. }
        | FlowError::File { key, .. }
        | FlowError::Document { key, .. }
        | FlowError::Panicked { key } => without(&error.to_string(), key),
        FlowError::Settings(_) | FlowError::NoTime(_) | FlowError::Other(_) => error.to_string(),
    }
}

/// A text in which a key is replaced by its digest.
fn without(text: &str, key: &str) -> String {
    if key.is_empty() { text.to_owned() } else { text.replace(key, &digest(key)) }
}
