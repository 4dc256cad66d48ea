//! A ledger in memory, for tests.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Begin, Claim, Ledger, Receipt, Record, State, WorkId};
use crate::Result;

/// A ledger in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    works: HashMap<WorkId, Record>,
    holders: HashMap<String, String>,
}

impl MemoryLedger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, operation: &'static str, claim: &Claim, state: State) -> Result<()> {
        let mut pages = self.pages();
        if let Some(record) = Record::end(pages.works.get(&claim.work), operation, claim, state)? {
            pages.works.insert(claim.work.clone(), record);
        }
        Ok(())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        let mut pages = self.pages();
        let (answer, record) = Record::begin(pages.works.get(work), work, owner, now_millis, lease_until_millis)?;
        if let Some(record) = record {
            pages.works.insert(work.clone(), record);
        }
        Ok(answer)
    }

    async fn complete(&self, claim: &Claim, receipt: &Receipt) -> Result<()> {
        self.end("complete", claim, State::Completed { receipt: receipt.clone() })
    }

    async fn reject(&self, claim: &Claim, reason: &str) -> Result<()> {
        self.end("reject", claim, State::Rejected { reason: reason.to_owned() })
    }

    async fn fail(&self, claim: &Claim, why: &str) -> Result<()> {
        self.end("fail", claim, State::Failed { why: why.to_owned() })
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        let mut pages = self.pages();
        Ok(pages.holders.entry(content_id.to_owned()).or_insert_with(|| object_id.to_owned()).clone())
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        Ok(self.pages().works.get(work).cloned())
    }
}
