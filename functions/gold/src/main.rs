//! Measures stays and folds them into metrics: the gold stage as a Lambda.
//!
//! It takes messages of its queue, or a bare event of S3 or EventBridge, and answers which messages have to be delivered again.

use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use metriccare_aws::Environment;
use metriccare_flow::Gold;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let environment = Arc::new(Environment::start()?);
    run(service_fn(move |event: LambdaEvent<Value>| {
        let environment = Arc::clone(&environment);
        async move {
            let (request, deadline) = (event.context.request_id, environment.deadline(event.context.deadline));
            let answer = environment.serve(&Gold, event.payload, &request, deadline).await;
            answer.map_err(|error| Diagnostic { error_type: "RetryReason".into(), error_message: error.without_keys() })
        }
    }))
    .await
}
