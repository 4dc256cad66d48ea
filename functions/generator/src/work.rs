//! What the generator does with an invocation: a job is landed, or cut into shards that go to its own queue.
//!
//! A schedule's event means the feed of the day that the event itself names, so a repeated event lands the same keys. A job
//! that somebody sends is answered with what was landed. Of a batch, each message has its own fate: it is claimed in the
//! ledger, so that one that comes twice is done once and one that another invocation is at comes again later, and a job that
//! there is no time for goes back whole.

use std::sync::Arc;

use metriccare_aws::{Environment, telemetry::Metrics};
use metriccare_fhir::{
    read::time::{self, Moment},
    write::{Date, Instant},
};
use metriccare_flow::event::{BatchResponse, DecodeError, Invocation, SqsMessage};
use metriccare_landing::{Failure, Generated, Job, JobError, Request, generate};
use metriccare_ports::{Begin, ErrorKind, Receipt, WorkId};
use metriccare_world::{Spec, World};
use serde_json::{Value, json};

use crate::deadline::Deadline;

/// The generator of one Lambda environment.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    environment: Arc<Environment>,
    /// The population that a schedule lands days of.
    feed: Spec,
}

/// One invocation: what it is called, and when it has to end.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) request_id: String,
    pub(crate) deadline_millis: i64,
}

/// The field of a message that names the request which it is a part of. A part that comes twice is done once; the same request
/// made anew is another order.
const ORDER: &str = "order";

/// How much longer than its invocation a claim holds, for clocks that differ.
const SKEW_MILLIS: i64 = 1_000;

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GeneratorError {
    /// The payload is no event and no job.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// The job asks for what cannot be.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The world could not be landed.
    #[error(transparent)]
    Landing(#[from] Failure),
    /// The queue or the ledger failed.
    #[error(transparent)]
    Port(#[from] metriccare_ports::Error),
    /// Another invocation is at the job.
    #[error("another invocation has it until {until_millis} ms")]
    Busy {
        /// When the other's lease ends, in milliseconds since 1970.
        until_millis: i64,
    },
    /// The payload is an event, and none of the generator's.
    #[error("the generator takes a schedule's event, a job, or its own queue's messages, not {0}")]
    NotForUs(&'static str),
    /// The schedule's event has no time that can be read.
    #[error("the time of the schedule's event is {0}: it must be like 2025-01-31T02:00:00Z")]
    Time(String),
    /// The work panicked; the panic hook has said where.
    #[error("the work panicked")]
    Panicked,
}

impl GeneratorError {
    /// Whether the job was not worked on for want of time, or because another invocation is at it.
    fn is_unworked(&self) -> bool {
        matches!(self, GeneratorError::Busy { .. } | GeneratorError::Landing(Failure::Ended { .. }))
    }
}

/// What became of a job.
#[derive(Debug, PartialEq, Eq)]
enum Done {
    Landed(Generated),
    Cut(usize),
    /// It had been done when its message came before.
    Before,
}

impl Generator {
    pub(crate) fn of(environment: Environment) -> Self {
        let settings = &environment.settings;
        let feed = Spec { patients: settings.feed_patients, seed: settings.feed_seed, ..Spec::default() };
        Generator { environment: Arc::new(environment), feed }
    }

    /// The end of an invocation, of what the runtime says of it.
    pub(crate) fn deadline(&self, said: u64) -> i64 {
        self.environment.deadline(said)
    }

    /// Answers an invocation, and tells CloudWatch what it did.
    pub(crate) async fn answer(&self, payload: Value, turn: &Turn) -> Result<Value, GeneratorError> {
        let mut metrics = Metrics::default();
        let answer = self.counted(payload, turn, &mut metrics).await;
        self.environment.requests.take(&mut metrics);
        let now = self.environment.ports.clock.now_millis();
        metrics.write(&self.environment.settings.namespace, "generator", &turn.request_id, now);
        answer
    }

    async fn counted(&self, payload: Value, turn: &Turn, metrics: &mut Metrics) -> Result<Value, GeneratorError> {
        for name in [
            "MessagesDone",
            "MessagesFailed",
            "MessagesBusy",
            "LeasesLost",
            "ObjectsLanded",
            "BytesLanded",
            "ShardsSent",
        ] {
            metrics.add(name, 0);
        }
        match Invocation::from_value(payload) {
            Ok(Invocation::Sqs(messages)) => {
                let mut response = BatchResponse::default();
                for message in messages {
                    let done = self.message(&message, turn).await;
                    note(&done, metrics);
                    if let Err(error) = &done {
                        let tried = !error.is_unworked();
                        self.environment.postpone(&message.receipt, message.receive_count, tried).await;
                        response.fail(message.message_id);
                    }
                }
                Ok(serde_json::to_value(response).unwrap_or_default())
            }
            other => {
                let job = other.map_err(GeneratorError::from).and_then(|asked| self.job(asked));
                let done = match job {
                    Ok(job) => self.work(job, &turn.request_id, turn).await,
                    Err(error) => Err(error),
                };
                note(&done, metrics);
                Ok(match done? {
                    Done::Landed(made) => json!({ "landed": made }),
                    Done::Cut(shards) => json!({ "shards": shards }),
                    Done::Before => json!({}),
                })
            }
        }
    }

    /// Does the job of a message, unless it is done or another invocation is at it: a queue may deliver a message twice.
    async fn message(&self, message: &SqsMessage, turn: &Turn) -> Result<Done, GeneratorError> {
        let mut asked = Invocation::from_slice(message.body.as_bytes())?;
        let order = match &mut asked {
            Invocation::Spec(Value::Object(fields)) => fields.remove(ORDER),
            _ => None,
        };
        let order = order.map_or_else(|| message.message_id.clone(), |order| order.to_string());
        let job = self.job(asked)?;
        let (ports, work) = (&self.environment.ports, self.work_id(&job, &order));
        let owner = format!("{}/{}", turn.request_id, message.message_id);
        let until = turn.deadline_millis.saturating_add(SKEW_MILLIS);
        let claim = match ports.ledger.begin(&work, &owner, ports.clock.now_millis(), until).await? {
            Begin::Claimed(claim) => claim,
            Begin::Busy { until_millis } => return Err(GeneratorError::Busy { until_millis }),
            Begin::Done(_) | Begin::Rejected(_) => return Ok(Done::Before),
        };
        match self.work(job, &order, turn).await {
            Ok(done) => {
                let rows = if let Done::Landed(made) = &done { made.objects } else { 0 };
                ports.ledger.complete(&claim, &Receipt { rows, ..Receipt::default() }).await?;
                Ok(done)
            }
            Err(error) => {
                // The claim's lease ends by itself where the ledger cannot be reached either.
                let _ = ports.ledger.fail(&claim, &error.to_string()).await;
                Err(error)
            }
        }
    }

    /// The ledger's name of a job that an order asks for.
    fn work_id(&self, job: &Job, order: &str) -> WorkId {
        WorkId::new("generator", self.environment.ports.landing.bucket(), &job.to_value().to_string(), order, 0)
    }

    fn job(&self, asked: Invocation) -> Result<Job, GeneratorError> {
        match asked {
            Invocation::Schedule { time } => {
                let Some(day) = day_of(&time) else { return Err(GeneratorError::Time(time)) };
                let spec = Spec { year: day.ymd().0, ..self.feed.clone() };
                Ok(Job { day: Some(day), ..Job::of(spec) })
            }
            Invocation::Spec(job) => Ok(Job::from_value(job)?),
            Invocation::Sqs(_) => Err(GeneratorError::NotForUs("a batch inside a message")),
            Invocation::Objects(_) => Err(GeneratorError::NotForUs("an object's event")),
        }
    }

    /// Lands a job, or sends its shards to the queue where it is too large for one invocation.
    async fn work(&self, job: Job, order: &str, turn: &Turn) -> Result<Done, GeneratorError> {
        let request = job.request(self.environment.settings.threads)?;
        let parts = job.shards();
        if let (Some(queue), [_, _, ..]) = (&self.environment.queue, parts.as_slice()) {
            let sent = |part: &Job| {
                let mut fields = part.to_value();
                fields[ORDER] = order.into();
                fields.to_string()
            };
            queue.send_all(&parts.iter().map(sent).collect::<Vec<_>>()).await?;
            return Ok(Done::Cut(parts.len()));
        }
        let generator = self.clone();
        let deadline = Deadline::new(Arc::clone(&self.environment.ports.clock), turn.deadline_millis);
        let task =
            tokio::spawn(async move { tokio::task::block_in_place(|| generator.land(job.spec, request, &deadline)) });
        task.await.map_err(|_| GeneratorError::Panicked)?
    }

    fn land(&self, spec: Spec, request: Request, deadline: &Deadline) -> Result<Done, GeneratorError> {
        let ports = &self.environment.ports;
        let world = World::new(spec).map_err(Failure::from)?;
        Ok(Done::Landed(generate(&world, request, &*ports.landing, &*ports.lake, deadline)?))
    }
}

/// Tells the log what became of a job, and counts it.
fn note(done: &Result<Done, GeneratorError>, metrics: &mut Metrics) {
    let count = match done {
        Ok(Done::Landed(made)) => {
            metrics.add("ObjectsLanded", made.objects);
            metrics.add("BytesLanded", made.bytes);
            tracing::info!(objects = made.objects, patients = made.patients, outcome = "landed", "done");
            "MessagesDone"
        }
        Ok(Done::Cut(shards)) => {
            metrics.add("ShardsSent", *shards as u64);
            tracing::info!(shards, outcome = "cut", "done");
            "MessagesDone"
        }
        Ok(Done::Before) => {
            tracing::info!(outcome = "already-done", "done");
            "MessagesDone"
        }
        Err(GeneratorError::Busy { until_millis }) => {
            tracing::info!(until_millis, outcome = "busy", "comes again");
            "MessagesBusy"
        }
        Err(error) => {
            let lost = matches!(error, GeneratorError::Port(error) if error.kind() == ErrorKind::LeaseLost);
            metrics.add("LeasesLost", u64::from(lost));
            tracing::warn!(outcome = "failed", reason = error.to_string(), "comes again");
            "MessagesFailed"
        }
    };
    metrics.add(count, 1);
}

/// The UTC day of a time.
fn day_of(text: &str) -> Option<Date> {
    match time::parse(text)? {
        Moment::Instant(micros) => Some(Instant(micros.div_euclid(1_000_000)).date()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
