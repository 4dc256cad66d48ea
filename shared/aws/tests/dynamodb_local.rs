//! The laws of the ledger on Amazon's own DynamoDB Local, where npm and Java are there; elsewhere it says why not.
//!
//! DynamoDB Local listens on every interface, so it runs in a network of its own, and this program runs itself in there. It
//! is its own harness: a test that is skipped has to say so where people read it.

mod lawful_ledger;
mod ledger_table;

use std::{path::Path, process::Command};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;

const NAME: &str = "amazons_own_dynamodb_is_lawful";

/// The status of a script that cannot do its work on this machine.
const CANNOT: i32 = 3;

#[tokio::main]
#[expect(clippy::disallowed_macros, reason = "a harness talks to a person")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let listed = arguments.iter().any(|argument| argument == "--list");
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    if arguments == ["--inside"] {
        inside().await;
    } else if listed {
        println!("{NAME}: test");
    } else if filters.is_empty() || filters.iter().any(|filter| NAME.contains(filter.as_str())) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/local-cloud/dynamodb-local");
        let program = std::env::current_exe().expect("this program has a path");
        let ran = Command::new(script).arg(program).arg("--inside").output().expect("bash runs the script");
        let said = String::from_utf8_lossy(&ran.stderr);
        match ran.status.code() {
            Some(0) => println!("test {NAME} ... ok"),
            Some(CANNOT) => println!("test {NAME} ... SKIPPED: {}", said.trim()),
            _ => panic!("{NAME} failed: {said}"),
        }
    }
}

/// The test itself, where the server answers.
async fn inside() {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:8000")
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(metriccare_aws::http_client())
        .load()
        .await;
    lawful_ledger::check(&config).await;
}
