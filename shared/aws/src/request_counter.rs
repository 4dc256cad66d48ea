//! What an environment asks of AWS, counted: every try of every call, since each of them is paid for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_s3::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use crate::telemetry::Metrics;

/// Counts of requests, by what they are charged as; its copies count together.
#[derive(Debug, Clone, Default)]
pub struct RequestCounter(Arc<Mutex<BTreeMap<&'static str, u64>>>);

/// Every name that requests are counted under.
const CHARGES: [&str; 6] =
    ["S3WriteRequests", "S3ReadRequests", "LedgerWriteRequests", "LedgerReadRequests", "GlueRequests", "SqsRequests"];

impl RequestCounter {
    /// Adds what was counted since the last time to an invocation's metrics.
    pub fn take(&self, metrics: &mut Metrics) {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for charge in CHARGES {
            metrics.add(charge, counted.get(charge).copied().unwrap_or_default());
        }
    }

    fn count(&self, charge: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(charge).or_default() += 1;
    }
}

/// What a call is charged as. S3 charges a listing as a write; of the ledger, only reads are not writes.
fn charge(service: &str, operation: &str) -> Option<&'static str> {
    match service {
        "S3" if ["GetObject", "HeadObject"].contains(&operation) => Some("S3ReadRequests"),
        "S3" => Some("S3WriteRequests"),
        "DynamoDB" if operation == "GetItem" => Some("LedgerReadRequests"),
        "DynamoDB" => Some("LedgerWriteRequests"),
        "Glue" => Some("GlueRequests"),
        "SQS" => Some("SqsRequests"),
        _ => None,
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for RequestCounter {
    fn name(&self) -> &'static str {
        "requests"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.load::<Metadata>();
        if let Some(charge) = call.and_then(|call| charge(call.service(), call.name())) {
            self.count(charge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_once_and_every_charge_is_there() {
        let requests = RequestCounter::default();
        requests.count("S3ReadRequests");
        let [mut first, mut second] = [Metrics::default(), Metrics::default()];
        requests.take(&mut first);
        requests.take(&mut second);
        let read = |metrics: &Metrics| {
            let line = metrics.line("n", "INFO", "s", "r", 0);
            let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            CHARGES.map(|charge| line[charge].as_u64())
        };
        assert_eq!(read(&first), [0, 1, 0, 0, 0, 0].map(Some));
        assert_eq!(read(&second), [Some(0); 6]);
    }

    #[test]
    fn a_listing_is_charged_as_a_write() {
        assert_eq!(charge("S3", "ListObjectsV2"), Some("S3WriteRequests"));
        assert_eq!(charge("S3", "HeadObject"), Some("S3ReadRequests"));
        assert_eq!(charge("DynamoDB", "UpdateItem"), Some("LedgerWriteRequests"));
        assert_eq!(charge("STS", "AssumeRole"), None);
    }
}
