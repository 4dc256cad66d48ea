//! Lands synthetic FHIR, as a Lambda: the feed of the day on a schedule, a spec that somebody sends, and the shards of a
//! large one from its own queue.

mod work;

use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use metriccare_aws::Environment;
use serde_json::Value;

use crate::work::Generator;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let environment = Environment::start().await?;
    let namespace = Arc::new(environment.settings.namespace.clone());
    let generator = Arc::new(Generator::of(&environment));
    run(service_fn(move |event: LambdaEvent<Value>| {
        let (generator, namespace) = (Arc::clone(&generator), Arc::clone(&namespace));
        async move {
            let (answer, metrics) = generator.answer(event.payload).await;
            metrics.write(&namespace, "generator", &event.context.request_id, generator.now_millis());
            answer.map_err(|error| Diagnostic { error_type: "GeneratorError".into(), error_message: error.to_string() })
        }
    }))
    .await
}
