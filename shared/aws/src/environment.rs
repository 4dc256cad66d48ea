//! One Lambda environment: made once at its start, it answers one invocation after another.

use std::{sync::Arc, time::Duration};

use metriccare_flow::{Again, FlowError, InvokeError, Missed, Outcome, Stage, Told, Worker, answer, invoke};
use metriccare_lake::bronze::BronzeCommit;
use metriccare_ports::{Clock, ErrorKind, Ports, Queue, SystemClock, catalog::NoCatalog};
use serde_json::Value;

use crate::{
    Clients, DynamoLedger, GlueCatalog, Requests, S3Store, Settings, SettingsError, SqsQueue,
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
    /// What it asks of AWS, counted.
    pub requests: Requests,
}

/// Why an environment cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are not whole.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// When a message comes again whose work another invocation has, or that there was no time for: soon, and later each time.
/// Over the eight deliveries that a queue grants, that is longer than any lease.
const SOON: [u64; 7] = [10, 30, 90, 270, 270, 270, 270];

/// When a message comes again whose work failed: what it needs may be out of reach for an hour, and a queue that gives up
/// within minutes would make dead letters of all that is waiting.
const LATER: [u64; 7] = [60, 300, 900, 1800, 3600, 3600, 3600];

/// What is less is no time since 1970: a year in milliseconds.
const LONGEST_DURATION: i64 = 365 * 24 * 3_600_000;

/// How much longer than its invocation a claim holds, for clocks that differ.
const SKEW: Duration = Duration::from_secs(1);

impl Environment {
    /// Reads the settings, starts the log, makes the clients. Partitions are made known nowhere.
    ///
    /// # Errors
    /// Settings that are missing or wrong, all of them.
    pub fn start() -> Result<Self, StartError> {
        Ok(Self::begin()?.0)
    }

    /// The same for a stage that makes partitions known to Glue: a function that does not has none of Glue's code.
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
        Self { settings, ports, queue, requests: clients.requests.clone() }
    }

    /// Answers an invocation of a stage's function: its messages are carried through the stage, told of in the log and
    /// counted.
    ///
    /// # Errors
    /// What is no event for a stage, and the failure of an event that came bare.
    pub async fn carry(
        &self,
        stage: Stage,
        payload: Value,
        request_id: &str,
        deadline_millis: i64,
    ) -> Result<Value, InvokeError> {
        let name = stage.name();
        let worker = self.worker(request_id, deadline_millis);
        let told = invoke(&worker, stage, payload, deadline_millis).await?;
        let mut metrics = Metrics::default();
        for told in &told {
            note(name, told, &mut metrics);
            if let (Some(receipt), Err(missed)) = (&told.receipt, &told.fate) {
                let tried = !matches!(missed, Missed::NoTime | Missed::Again(Again::Busy { .. }));
                self.postpone(receipt, told.receive_count, tried).await;
            }
        }
        if stage == Stage::BRONZE {
            self.count_records(&told, &mut metrics).await;
        }
        self.requests.take(&mut metrics);
        metrics.write(&self.settings.namespace, name, request_id, self.ports.clock.now_millis());
        Ok(serde_json::to_value(answer(told)?).unwrap_or_default())
    }

    /// The end of an invocation in milliseconds since 1970, of what the runtime says of it: Lambda says just that, `cargo
    /// lambda watch` how long it may take.
    pub fn deadline(&self, said: u64) -> i64 {
        let said = i64::try_from(said).unwrap_or(i64::MAX);
        if said < LONGEST_DURATION { self.ports.clock.now_millis().saturating_add(said) } else { said }
    }

    /// Makes a message come again after a while: left alone, it stays hidden for half an hour. One that was tried and failed
    /// is given more time than one whose work another invocation has, which is done in a moment.
    pub async fn postpone(&self, receipt: &str, deliveries: u32, tried: bool) {
        let Some(queue) = &self.queue else { return };
        let waits = if tried { LATER } else { SOON };
        let at = usize::try_from(deliveries.saturating_sub(1)).unwrap_or(usize::MAX).min(waits.len() - 1);
        let millis = u32::try_from(waits[at] * 1000).unwrap_or(u32::MAX);
        if let Err(error) = queue.postpone(receipt, millis).await {
            // It comes again all the same, only later.
            tracing::warn!(kind = ?error.kind(), "a message could not be asked for sooner");
        }
    }

    /// A worker for one invocation, whose claims hold as long as it may run.
    fn worker(&self, request_id: &str, deadline_millis: i64) -> Arc<Worker> {
        let name = format!("{}/{request_id}", self.settings.function);
        let mut worker = Worker::new(self.ports.clone(), self.settings.buckets, self.settings.threads, name);
        let left = deadline_millis.saturating_sub(self.ports.clock.now_millis());
        worker.lease = Duration::from_millis(u64::try_from(left).unwrap_or_default()) + SKEW;
        Arc::new(worker)
    }

    /// Counts what became of the records of the objects that were carried into bronze, as their commits say.
    async fn count_records(&self, told: &[Told], metrics: &mut Metrics) {
        for name in ["RecordsAccepted", "RecordsQuarantined", "RecordsSkipped", "ObjectsRejected"] {
            metrics.add(name, 0);
        }
        let outcomes = told.iter().filter_map(|told| told.fate.as_ref().ok()).flatten();
        for (_, outcome) in outcomes {
            let Outcome::Done(receipt) = outcome else { continue };
            let Ok(object) = self.ports.lake.get(&receipt.output).await else { continue };
            let Ok(bytes) = object.body.bytes().await else { continue };
            let Ok(commit) = serde_json::from_slice::<BronzeCommit>(&bytes) else { continue };
            let counts = &commit.counts;
            let (accepted, quarantined) = (counts.accepted(), counts.quarantined());
            metrics.add("RecordsAccepted", accepted);
            metrics.add("RecordsQuarantined", quarantined);
            metrics.add("RecordsSkipped", counts.records.saturating_sub(accepted + quarantined));
            metrics.add("ObjectsRejected", u64::from(counts.records > 0 && quarantined == counts.records));
        }
    }
}

/// Tells the log of a message and counts it.
fn note(stage: &'static str, told: &Told, metrics: &mut Metrics) {
    let message_id = told.message_id.as_deref().unwrap_or("bare");
    let deliveries = told.receive_count;
    for name in ["MessagesDone", "MessagesFailed", "MessagesBusy", "LeasesLost"] {
        metrics.add(name, 0);
    }
    match &told.fate {
        Ok(outcomes) => {
            metrics.add("MessagesDone", 1);
            for (key, outcome) in outcomes {
                tracing::info!(stage, message_id, deliveries, key = digest(key), outcome = outcome.name(), "carried");
            }
        }
        Err(Missed::Again(Again::Busy { until_millis })) => {
            metrics.add("MessagesBusy", 1);
            tracing::info!(stage, message_id, deliveries, outcome = "busy", until_millis, "comes again");
        }
        Err(missed) => {
            metrics.add("MessagesFailed", 1);
            metrics.add("LeasesLost", u64::from(lost_its_lease(missed)));
            let (key, reason) = match missed {
                Missed::Again(Again::Failed { key, error }) => (digest(key), reason(error)),
                other => (String::new(), other.to_string()),
            };
            tracing::warn!(stage, message_id, deliveries, key, outcome = "failed", reason, "comes again");
        }
    }
}

/// Why work failed, without the keys that the error's own text names.
fn reason(error: &FlowError) -> String {
    match error {
        FlowError::Port(error) => format!("{:?}: {}", error.kind(), without(&error.to_string(), error.subject())),
        FlowError::Batch(error) => format!("the batch failed: {}", reason(error)),
        FlowError::Flatten { key, .. }
        | FlowError::File { key, .. }
        | FlowError::Document { key, .. }
        | FlowError::Panicked { key } => without(&error.to_string(), key),
    }
}

fn without(text: &str, key: &str) -> String {
    if key.is_empty() { text.to_owned() } else { text.replace(key, &digest(key)) }
}

fn lost_its_lease(missed: &Missed) -> bool {
    let Missed::Again(Again::Failed { error, .. }) = missed else { return false };
    match &**error {
        FlowError::Port(error) => error.kind() == ErrorKind::LeaseLost,
        FlowError::Batch(error) => {
            matches!(&**error, FlowError::Port(error) if error.kind() == ErrorKind::LeaseLost)
        }
        _ => false,
    }
}
