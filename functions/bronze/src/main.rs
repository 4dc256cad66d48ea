//! Flattens landed objects into Parquet: the bronze stage as a Lambda.
//!
//! It takes messages of its queue, or a bare event of S3 or EventBridge, and answers which messages have to be delivered again.

use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use metriccare_aws::Environment;
use metriccare_flow::Bronze;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let environment = Arc::new(Environment::start_with_catalog()?);
    run(service_fn(move |event: LambdaEvent<Value>| {
        let environment = Arc::clone(&environment);
        async move {
            let (request, deadline) = (event.context.request_id, environment.deadline(event.context.deadline));
            let answer = environment.serve(&Bronze, event.payload, &request, deadline).await;
            answer.map_err(|error| Diagnostic { error_type: "RetryReason".into(), error_message: error.without_keys() })
        }
    }))
    .await
}
