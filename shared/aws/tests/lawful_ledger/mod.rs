//! The laws of a ledger, held against the ledger on a server of DynamoDB.

use std::sync::Arc;

use aws_config::SdkConfig;
use metriccare_aws::{Clients, DynamoLedger};
use metriccare_ports::{ErrorKind, Ledger, SystemClock, conformance};

use crate::ledger_table;

/// Panics where a law is broken.
pub(crate) async fn check(config: &SdkConfig) {
    ledger_table::create(config, "conformance").await;
    let of = |table: &str| DynamoLedger::new(&Clients::new(config), table, 90, Arc::new(SystemClock));
    let ledger: Arc<dyn Ledger> = Arc::new(of("conformance"));
    conformance::ledger::all(&*ledger, "s").await;
    conformance::race::one_of_many_has_the_work(Arc::clone(&ledger), "s", 12).await;
    conformance::race::one_end_is_heard(Arc::clone(&ledger), "s", 12).await;
    conformance::race::one_object_was_first(ledger, "s", 12).await;

    let error = of("no-table").first_holder("a", "b").await.expect_err("there is no table");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}
