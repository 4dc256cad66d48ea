//! What the generator does with an invocation: a job is landed, or cut into shards that go to its own queue.
//!
//! A schedule's event means the feed of the day that the event itself names, so a repeated event lands the same keys. Of
//! a batch, each message has its own fate. A job that somebody sends is answered with what was landed.

use std::{num::NonZeroUsize, sync::Arc};

use metriccare_aws::{Environment, Requests, telemetry::Metrics};
use metriccare_fhir::{
    read::time::{self, Moment},
    write::{Date, Instant},
};
use metriccare_flow::event::{BatchResponse, DecodeError, Invocation};
use metriccare_landing::{Failure, Generated, Job, JobError, Request, Unwatched, generate};
use metriccare_ports::{Ports, Queue};
use metriccare_world::{Spec, World};
use serde_json::{Value, json};

/// The generator of one Lambda environment.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    ports: Ports,
    /// Its own queue, which brings it the shards of large jobs.
    queue: Option<Arc<dyn Queue>>,
    /// What it asks of AWS, counted.
    requests: Requests,
    threads: NonZeroUsize,
    /// The population that a schedule lands days of.
    feed: Spec,
}

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
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] metriccare_ports::Error),
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

/// What became of a job.
#[derive(Debug, PartialEq, Eq)]
enum Done {
    Landed(Generated),
    Cut(usize),
}

impl Generator {
    pub(crate) fn of(environment: &Environment) -> Self {
        let settings = &environment.settings;
        let feed = Spec { patients: settings.feed_patients, seed: settings.feed_seed, ..Spec::default() };
        let (ports, queue) = (environment.ports.clone(), environment.queue.clone());
        let requests = environment.requests.clone();
        Generator { ports, queue, requests, threads: settings.threads, feed }
    }

    pub(crate) fn now_millis(&self) -> i64 {
        self.ports.clock.now_millis()
    }

    /// Answers an invocation, and counts what it did.
    pub(crate) async fn answer(&self, payload: Value) -> (Result<Value, GeneratorError>, Metrics) {
        let mut metrics = Metrics::default();
        for name in ["MessagesDone", "MessagesFailed", "ObjectsLanded", "BytesLanded", "ShardsSent"] {
            metrics.add(name, 0);
        }
        let answer = match Invocation::from_value(payload) {
            Ok(Invocation::Sqs(messages)) => {
                let mut response = BatchResponse::default();
                for message in messages {
                    if self.one(Invocation::from_slice(message.body.as_bytes()), &mut metrics).await.is_err() {
                        response.fail(message.message_id);
                    }
                }
                Ok(serde_json::to_value(response).unwrap_or_default())
            }
            other => self.one(other, &mut metrics).await.map(|done| match done {
                Done::Landed(made) => json!({ "landed": made }),
                Done::Cut(shards) => json!({ "shards": shards }),
            }),
        };
        self.requests.take(&mut metrics);
        (answer, metrics)
    }

    /// Does what one event or message asks for, and counts it.
    async fn one(&self, asked: Result<Invocation, DecodeError>, metrics: &mut Metrics) -> Result<Done, GeneratorError> {
        let job = asked.map_err(GeneratorError::from).and_then(|asked| self.job(asked));
        let done = match job {
            Ok(job) => self.work(job).await,
            Err(error) => Err(error),
        };
        match &done {
            Ok(Done::Landed(made)) => {
                metrics.add("ObjectsLanded", made.objects);
                metrics.add("BytesLanded", made.bytes);
                tracing::info!(objects = made.objects, patients = made.patients, outcome = "landed", "done");
            }
            Ok(Done::Cut(shards)) => {
                metrics.add("ShardsSent", *shards as u64);
                tracing::info!(shards, outcome = "cut", "done");
            }
            Err(error) => tracing::warn!(outcome = "failed", reason = error.to_string(), "comes again"),
        }
        metrics.add(if done.is_ok() { "MessagesDone" } else { "MessagesFailed" }, 1);
        done
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
    async fn work(&self, job: Job) -> Result<Done, GeneratorError> {
        let request = job.request(self.threads)?;
        let parts = job.shards();
        if let (Some(queue), [_, _, ..]) = (&self.queue, parts.as_slice()) {
            for part in &parts {
                queue.send(&part.to_value().to_string()).await?;
            }
            return Ok(Done::Cut(parts.len()));
        }
        let generator = self.clone();
        let task = tokio::spawn(async move { tokio::task::block_in_place(|| generator.land(job.spec, request)) });
        task.await.map_err(|_| GeneratorError::Panicked)?
    }

    fn land(&self, spec: Spec, request: Request) -> Result<Done, GeneratorError> {
        let world = World::new(spec).map_err(Failure::from)?;
        let made = generate(&world, request, &*self.ports.landing, &*self.ports.lake, &Unwatched)?;
        Ok(Done::Landed(made))
    }
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
