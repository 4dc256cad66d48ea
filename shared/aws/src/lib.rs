//! The ports on AWS: buckets on S3, the ledger on DynamoDB, the catalog on Glue, queues on SQS.
//!
//! This is the only crate that names the SDK. Every error of a service is turned, once and here, into a port's error by
//! what the caller should do about it. [`Settings`] are read once, [`Environment`] holds the clients of one Lambda
//! environment and answers its invocations, [`telemetry`] writes its log and its metrics.

mod account;
mod catalog;
mod clients;
mod dead_letters;
mod environment;
mod failure;
mod ledger;
mod login;
mod queue;
mod request_counter;
mod settings;
mod store;
pub mod telemetry;

pub use account::{Account, Identity};
pub use catalog::GlueCatalog;
pub use clients::{Clients, http_client};
pub use dead_letters::{DeadLetters, RedriveProgress};
pub use environment::{Environment, StartError};
pub use ledger::DynamoLedger;
pub use login::{Login, LoginError, Variables};
pub use queue::SqsQueue;
pub use request_counter::RequestCounter;
pub use settings::{Settings, SettingsError};
pub use store::{S3Store, Sent, SkipUnchanged};
