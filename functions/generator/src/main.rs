//! Lands synthetic FHIR, as a Lambda: the feed of the day on a schedule, a spec that somebody sends, and the shards of a
//! large one from its own queue.

use std::sync::Arc;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use metriccare_aws::Environment;
use metriccare_landing::Generator;
use metriccare_world::Spec;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let environment = Arc::new(Environment::start()?);
    let generator = generator(&environment);
    run(service_fn(move |event: LambdaEvent<Value>| {
        let (environment, generator) = (Arc::clone(&environment), generator.clone());
        async move {
            let (request, deadline) = (event.context.request_id, environment.deadline(event.context.deadline));
            let answer = environment.serve(&generator, event.payload, &request, deadline).await;
            answer.map_err(|error| Diagnostic { error_type: "RetryReason".into(), error_message: error.without_keys() })
        }
    }))
    .await
}

/// The generator of an environment: the population of its settings, and its own queue.
fn generator(environment: &Environment) -> Generator {
    let settings = &environment.settings;
    let feed = Spec { patients: settings.feed_patients, seed: settings.feed_seed, ..Spec::default() };
    Generator::new(feed, environment.queue.clone())
}

#[cfg(test)]
mod tests;
