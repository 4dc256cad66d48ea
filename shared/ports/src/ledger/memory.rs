//! A ledger in memory, for tests.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Begin, Claim, Ledger, Record, State, WorkId};
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

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        let mut pages = self.pages();
        if let Some(record) = Record::end(pages.works.get(&claim.work), claim, state)? {
            pages.works.insert(claim.work.clone(), record);
        }
        Ok(())
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        let mut pages = self.pages();
        Ok(pages.holders.entry(content_id.to_owned()).or_insert_with(|| object_id.to_owned()).clone())
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        Ok(self.pages().works.get(work).cloned())
    }
}
