//! The generator as a function: a job is landed, or cut into shards that go to its own queue.
//!
//! A schedule's event means the feed of the day that the event itself names, so a repeated event lands the same keys. A job
//! that somebody sends is answered with what was landed. A message's work is claimed, so that one that is delivered twice is
//! done once; a job that there is no time for goes back whole.

use std::{cmp::Ordering, num::NonZeroUsize, sync::Arc};

use metriccare_fhir::{
    read::time::{self, Moment},
    write::{Date, Instant},
};
use metriccare_flow::{
    Delivery, Done, FlowError, Function, Outcome, Prepared, Worker,
    event::{DecodeError, Invocation},
};
use metriccare_ports::{Queue, Receipt, WorkId};
use metriccare_world::{Spec, World};
use serde_json::{Value, json};

use self::deadline::Deadline;
use crate::{Failure, Generated, GeneratedTables, Job, JobError, View, generate, generate_tables};

mod deadline;

/// The generator of one Lambda environment.
#[derive(Debug, Clone)]
pub struct Generator {
    /// The population that a schedule lands days of.
    feed: Spec,
    /// The function's own queue, which takes the shards of a large job; without one, a job is landed whole.
    queue: Option<Arc<dyn Queue>>,
}

/// A job, and the request that it is a part of.
#[derive(Debug, Clone)]
pub struct Order {
    job: Job,
    /// The job as JSON text, which names it.
    text: String,
    /// The request that a message is a part of: a part that is delivered twice is done once, while the same job of another
    /// request is other work. A bare event has none, and is done however often it comes.
    request: Option<String>,
}

/// What was done for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobResult {
    /// Its resources were landed.
    Landed(Generated),
    /// Its tables were landed.
    LandedTables(GeneratedTables),
    /// It was cut into so many shards, which went to the queue.
    Cut(usize),
    /// It had been done when its message was delivered before.
    DoneBefore,
}

/// The field of a message that names the request which it is a part of.
const ORDER: &str = "order";

/// What the generator takes, for errors.
const TAKES: &str = "the generator takes a schedule's event, a job, or its own queue's messages";

impl Generator {
    /// A generator whose schedule lands days of this population, and whose large jobs go through this queue.
    pub fn new(feed: Spec, queue: Option<Arc<dyn Queue>>) -> Self {
        Generator { feed, queue }
    }

    /// The ledger's name of the work on a job of a request.
    pub fn work_id(landing: &str, job: &Job, request: &str) -> WorkId {
        WorkId::new(Self::NAME, landing, &job.to_value().to_string(), request, 0)
    }

    fn job(&self, event: Invocation) -> Result<Job, DecodeError> {
        match event {
            Invocation::Schedule { time } => {
                let Some(day) = day_of(&time) else {
                    let words = "it must be like 2025-01-31T02:00:00Z";
                    return Err(DecodeError::Job(format!("the time of the schedule's event is {time}: {words}")));
                };
                let spec = Spec { year: day.ymd().0, ..self.feed.clone() };
                Ok(Job { day: Some(day), ..Job::of(spec) })
            }
            Invocation::Spec(job) => Job::from_value(job).map_err(|error| refused(&error)),
            other => Err(DecodeError::NotForFunction { takes: TAKES, got: other.kind() }),
        }
    }

    /// Lands a job, or sends its shards to the queue where it is too large for one invocation.
    async fn work(&self, worker: &Arc<Worker>, order: Order) -> Result<Done<JobResult>, FlowError> {
        let parts = order.job.shards();
        if let (Some(queue), [_, _, ..]) = (&self.queue, parts.as_slice()) {
            let name = order.request.unwrap_or_else(|| worker.name.clone());
            let message = |part: &Job| {
                let mut fields = part.to_value();
                fields[ORDER] = name.as_str().into();
                fields.to_string()
            };
            queue.send_all(&parts.iter().map(message).collect::<Vec<_>>()).await?;
            return Ok(Done { receipt: Receipt::default(), output: JobResult::Cut(parts.len()) });
        }
        let own = Arc::clone(worker);
        let land = move || {
            let ports = &own.ports;
            let deadline = Deadline::new(Arc::clone(&ports.clock), own.deadline_millis);
            let job = order.job;
            match job.view {
                View::Fhir => {
                    let (request, world) = (job.request(own.threads)?, World::new(job.spec)?);
                    generate(&world, request, &*ports.landing, &*ports.lake, &deadline).map(JobResult::Landed)
                }
                View::Tables => {
                    let (request, world) = (job.tables_request(own.threads)?, World::new(job.spec)?);
                    generate_tables(&world, request, &*ports.landing, &*ports.lake, &deadline)
                        .map(JobResult::LandedTables)
                }
            }
        };
        // A panic goes on in this task, which is the message's own.
        let made = tokio::task::block_in_place(land).map_err(|failure| match failure {
            Failure::Ended { .. } => FlowError::NoTime(failure.to_string()),
            Failure::Port(error) => error.into(),
            failure => other(failure),
        })?;
        let [objects, _] = made.landed();
        Ok(Done { receipt: Receipt { rows: objects, ..Receipt::default() }, output: made })
    }
}

impl Function for Generator {
    const NAME: &'static str = "generator";
    const METRICS: &'static [&'static str] = &["ObjectsLanded", "BytesLanded", "ShardsSent"];
    type Item = Order;
    type Shared = ();
    type Input = Order;
    type Output = JobResult;

    fn decode(&self, mut event: Invocation, delivery: &Delivery) -> Result<Vec<Order>, DecodeError> {
        let named = match &mut event {
            Invocation::Spec(Value::Object(fields)) if delivery.message_id.is_some() => fields.remove(ORDER),
            _ => None,
        };
        let job = self.job(event)?;
        match job.view {
            View::Fhir => job.request(NonZeroUsize::MIN).map(|_| ()),
            View::Tables => job.tables_request(NonZeroUsize::MIN).map(|_| ()),
        }
        .map_err(|error| refused(&error))?;
        let request = named.map(|name| name.to_string()).or_else(|| delivery.message_id.clone());
        Ok(vec![Order { text: job.to_value().to_string(), job, request }])
    }

    fn name_of(order: &Order) -> &str {
        &order.text
    }

    async fn prepare(&self, worker: &Worker, (): &(), order: &Order) -> Result<Prepared<Order, JobResult>, FlowError> {
        let landing = worker.ports.landing.bucket();
        let work = order.request.as_ref().map(|request| Self::work_id(landing, &order.job, request));
        Ok(Prepared::Work(work, order.clone()))
    }

    async fn recall(&self, _: &Worker, _: &Receipt) -> Result<Option<JobResult>, FlowError> {
        Ok(Some(JobResult::DoneBefore))
    }

    async fn run(&self, worker: &Arc<Worker>, orders: Vec<Order>) -> Vec<Result<Done<JobResult>, Arc<FlowError>>> {
        let mut results = Vec::with_capacity(orders.len());
        for order in orders {
            results.push(self.work(worker, order).await.map_err(Arc::new));
        }
        results
    }

    /// One: a job uses all threads, and as much time as there is.
    fn batch(&self, _: &Worker, _: usize) -> usize {
        1
    }

    fn metrics(result: &JobResult) -> Vec<(&'static str, u64)> {
        match result {
            JobResult::Landed(_) | JobResult::LandedTables(_) => {
                let [objects, bytes] = result.landed();
                vec![("ObjectsLanded", objects), ("BytesLanded", bytes)]
            }
            JobResult::Cut(shards) => vec![("ShardsSent", *shards as u64)],
            JobResult::DoneBefore => Vec::new(),
        }
    }

    fn reply(&self, outcomes: &[(String, Outcome<JobResult>)]) -> Value {
        match outcomes {
            [(_, Outcome::Done(Done { output: JobResult::Landed(made), .. }))] => json!({ "landed": made }),
            [(_, Outcome::Done(Done { output: JobResult::LandedTables(made), .. }))] => json!({ "landed": made }),
            [(_, Outcome::Done(Done { output: JobResult::Cut(shards), .. }))] => json!({ "shards": shards }),
            _ => json!({}),
        }
    }
}

impl JobResult {
    /// Objects and bytes that were landed.
    fn landed(&self) -> [u64; 2] {
        match self {
            JobResult::Landed(made) => [made.objects, made.bytes],
            JobResult::LandedTables(made) => [made.objects, made.bytes],
            JobResult::Cut(_) | JobResult::DoneBefore => [0; 2],
        }
    }
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Order {}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The text stands for the job, whose rates have no order of their own.
impl Ord for Order {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.text, &self.request).cmp(&(&other.text, &other.request))
    }
}

fn refused(error: &JobError) -> DecodeError {
    DecodeError::Job(error.to_string())
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> FlowError {
    FlowError::Other(Box::new(error))
}

/// The UTC day of a time.
fn day_of(text: &str) -> Option<Date> {
    match time::parse(text)? {
        Moment::Instant(micros) => Some(Instant(micros).date()),
        _ => None,
    }
}
