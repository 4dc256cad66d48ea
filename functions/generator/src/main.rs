//! Lands synthetic FHIR, as a Lambda: the feed of the day on a schedule, a spec that somebody sends, and the shards of a
//! large one from its own queue.

mod deadline;
mod work;

use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use metriccare_aws::Environment;
use serde_json::Value;

use crate::work::{Generator, Turn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let generator = Arc::new(Generator::of(Environment::start()?));
    run(service_fn(move |event: LambdaEvent<Value>| {
        let generator = Arc::clone(&generator);
        async move {
            let deadline_millis = generator.deadline(event.context.deadline);
            let turn = Turn { request_id: event.context.request_id, deadline_millis };
            let answer = generator.answer(event.payload, &turn).await;
            answer.map_err(|error| Diagnostic { error_type: "GeneratorError".into(), error_message: error.to_string() })
        }
    }))
    .await
}
