//! A ledger that breaks on a plan.

use std::sync::Arc;

use async_trait::async_trait;

use super::Faults;
use crate::{
    Begin, Claim, Ledger, Result, WorkId,
    ledger::{Record, State},
};

/// Any ledger, with the faults of a plan.
#[derive(Debug, Clone)]
pub struct FaultyLedger {
    inner: Arc<dyn Ledger>,
    faults: Arc<Faults>,
}

impl FaultyLedger {
    /// Wraps a ledger.
    pub fn new(inner: Arc<dyn Ledger>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl Ledger for FaultyLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        let call = self.inner.begin(work, owner, now_millis, lease_until_millis);
        self.faults.call("begin", work.as_str(), call).await
    }

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        self.faults.call(state.operation(), claim.work.as_str(), self.inner.end(claim, state)).await
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        self.faults.call("first_holder", content_id, self.inner.first_holder(content_id, object_id)).await
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        self.faults.call("look", work.as_str(), self.inner.look(work)).await
    }
}
