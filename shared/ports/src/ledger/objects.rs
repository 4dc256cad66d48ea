//! A ledger of objects in a bucket: one object a work, moved by compare-and-swap. It needs nothing but the bucket, and
//! any number of processes may share it; a claim costs two calls where DynamoDB needs one.

use std::{
    future::ready,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use async_trait::async_trait;

use super::{Begin, Claim, Ledger, Record, State, WorkId};
use crate::{
    Clock, Error, ErrorKind, ObjectStore, Result, Retry,
    register::{Change, Current, update},
};

/// The prefix of the ledger inside its bucket.
const PREFIX: &str = "_ledger/";

/// A ledger of objects in a bucket, under `_ledger/`.
#[derive(Debug, Clone)]
pub struct ObjectLedger {
    store: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    /// Makes the waits of this process unlike those of all others.
    process: RandomState,
}

impl ObjectLedger {
    /// The ledger in a bucket; the clock is for waiting alone.
    pub fn new(store: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, process: RandomState::new() }
    }

    /// Reads an entry, decides, and writes the decision, in one step.
    async fn step<T: Send>(
        &self,
        key: &str,
        decide: impl Fn(Option<&[u8]>) -> Result<(T, Option<Vec<u8>>)> + Send + Sync,
    ) -> Result<T> {
        let mut answer = None;
        let compute = |current: Option<Current>| {
            let decided = decide(current.as_ref().map(|current| &current.bytes[..]));
            ready(decided.map(|(decision, written)| {
                answer = Some(decision);
                written.map_or(Change::Keep, |bytes| Change::Write(bytes.into()))
            }))
        };
        let retry = Retry::seeded(self.process.hash_one(key));
        update::<Error, _, _>(&*self.store, &*self.clock, key, &retry, compute).await?;
        answer.ok_or_else(|| Error::new(ErrorKind::Unavailable, "decide", key, "no decision was made"))
    }
}

#[async_trait]
impl Ledger for ObjectLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        self.step(&key_of(work), |current| {
            let current = current.map(|bytes| decode("begin", work, bytes)).transpose()?;
            let (answer, record) = Record::begin(current.as_ref(), work, owner, now_millis, lease_until_millis)?;
            Ok((answer, record.map(|record| encode("begin", work, &record)).transpose()?))
        })
        .await
    }

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        let operation = state.operation();
        self.step(&key_of(&claim.work), |current| {
            let current = current.map(|bytes| decode(operation, &claim.work, bytes)).transpose()?;
            let record = Record::end(current.as_ref(), claim, state.clone())?;
            Ok(((), record.map(|record| encode(operation, &claim.work, &record)).transpose()?))
        })
        .await
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        self.step(&format!("{PREFIX}content/{content_id}"), |current| match current {
            Some(holder) => Ok((String::from_utf8_lossy(holder).into_owned(), None)),
            None => Ok((object_id.to_owned(), Some(object_id.as_bytes().to_vec()))),
        })
        .await
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        let object = match self.store.get(&key_of(work)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        Ok(Some(decode("look", work, &object.body.bytes().await?)?))
    }
}

fn key_of(work: &WorkId) -> String {
    format!("{PREFIX}{work}.json")
}

fn decode(operation: &'static str, work: &WorkId, bytes: &[u8]) -> Result<Record> {
    serde_json::from_slice(bytes).map_err(|error| Error::new(ErrorKind::Invalid, operation, work, error))
}

fn encode(operation: &'static str, work: &WorkId, record: &Record) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|error| Error::new(ErrorKind::Invalid, operation, work, error))
}
