//! Landing a world: its patients' FHIR, object by object, and what others need to know of them.
//!
//! The command and the generator's Lambda do the same with it. A [`Request`] says what to write of a world, a [`Job`]
//! is a spec with its request as JSON or a spec file
//! says them, and [`Job::shards`] cuts one that is too large for one invocation. The
//! same request writes the same keys and the same bytes, whatever the threads, shards and machines.

mod failure;
mod fields;
mod format;
mod generate;
mod generator;
mod job;
mod parallel;
mod part;
mod place;
mod request;
mod tables;

pub use failure::Failure;
pub use fields::Fields;
pub use generate::{Generated, Progress, Unwatched, cut, generate};
pub use generator::{Generator, JobResult};
pub use job::{Job, JobError};
pub use request::{FileFormat, Format, Request, Shard, TableFormat, View};
pub use tables::{GeneratedTables, TablesRequest, generate_tables};
