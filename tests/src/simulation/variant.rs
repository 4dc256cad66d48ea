//! Ports that are wrong on purpose: what an adapter or a handler could get wrong, one mistake each. The simulation has to
//! see every one of them, or it proves nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use metriccare_lake::{keys, schema::BRONZE_DELETION};
use metriccare_ports::{
    Begin, Body, Claim, ETag, ErrorKind, Ledger, Listed, MemoryStore, Object, ObjectMeta, ObjectStore, Payload,
    PutMode, PutOptions, Receipt, Result, WorkId,
    ledger::{Record, State},
};
use serde_json::Value;

use crate::Cloud;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// A put over what was read overwrites whatever is there.
    IfMatchIgnored,
    /// A put that is to be the first overwrites what is there.
    IfAbsentIgnored,
    /// A put whose condition did not hold is taken for done.
    FailedConditionTakenForDone,
    /// A read after a failed condition gets the old bytes with the new ETag.
    StaleBytesWithNewETag,
    /// A write whose reply is lost, or that never arrived, is taken for done.
    FailedPutTakenForDone,
    /// A read that fails is taken for a missing object.
    FailedReadTakenForMissing,
    /// The record index forgets what other batches wrote.
    IndexForgets,
    /// The deletions of a commit are not merged.
    DeletionsDropped,
    /// Versions are ordered by when they are read, not by when they landed.
    OrderedByArrival,
    /// Some commits send no notification.
    NotificationsLost,
    /// A commit is written, and its files only where their names are even.
    CommitWithoutFiles,
    /// The end of a claim that has lost its lease is accepted.
    EndNotFenced,
    /// A claim is granted although another holds the lease.
    LeasesIgnored,
    /// A work counts as done when it is claimed.
    DoneWhenClaimed,
    /// A message is acknowledged when it is received.
    AcknowledgedBeforeWork,
    /// The key of an event is taken as it stands in the event.
    KeyNotDecoded,
}

impl Variant {
    /// All mistakes.
    pub const ALL: [Self; 16] = [
        Self::IfMatchIgnored,
        Self::IfAbsentIgnored,
        Self::FailedConditionTakenForDone,
        Self::StaleBytesWithNewETag,
        Self::FailedPutTakenForDone,
        Self::FailedReadTakenForMissing,
        Self::IndexForgets,
        Self::DeletionsDropped,
        Self::OrderedByArrival,
        Self::NotificationsLost,
        Self::CommitWithoutFiles,
        Self::EndNotFenced,
        Self::LeasesIgnored,
        Self::DoneWhenClaimed,
        Self::AcknowledgedBeforeWork,
        Self::KeyNotDecoded,
    ];
}

/// A bucket with a mistake.
#[derive(Debug)]
pub(crate) struct VariantStore {
    inner: Arc<dyn ObjectStore>,
    /// The lake without its notifications.
    silent: Arc<MemoryStore>,
    now_micros: i64,
    variant: Variant,
    read: Mutex<HashMap<String, Bytes>>,
}

impl VariantStore {
    /// Puts a mistake of the bucket itself around it.
    pub(crate) fn around(inner: Arc<dyn ObjectStore>, cloud: &Cloud, variant: Option<Variant>) -> Arc<dyn ObjectStore> {
        let Some(variant) = variant else { return inner };
        let now_micros = metriccare_ports::Clock::now_micros(&*cloud.clock);
        Arc::new(Self { inner, silent: cloud.lake.clone(), now_micros, variant, read: Mutex::default() })
    }

    /// Puts a mistake in the handling of errors above the faults.
    pub(crate) fn above(inner: Arc<dyn ObjectStore>, variant: Option<Variant>) -> Arc<dyn ObjectStore> {
        match variant {
            Some(Variant::FailedPutTakenForDone | Variant::FailedReadTakenForMissing) => {
                Arc::new(ErrorsIgnored { inner, puts: variant == Some(Variant::FailedPutTakenForDone) })
            }
            _ => inner,
        }
    }

    fn is(&self, variant: Variant) -> bool {
        self.variant == variant
    }

    fn in_index(&self, key: &str) -> bool {
        self.is(Variant::IndexForgets) && key.starts_with(keys::SILVER_INDEX)
    }
}

#[async_trait]
impl ObjectStore for VariantStore {
    fn bucket(&self) -> &str {
        self.inner.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        if self.in_index(key) {
            return self.inner.get_if("none", None).await;
        }
        let Object { meta, body } = self.inner.get_if(key, etag).await?;
        let mut bytes = body.bytes().await?;
        if self.is(Variant::StaleBytesWithNewETag) && key.starts_with("silver/") {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            bytes = read.entry(key.to_owned()).or_insert(bytes).clone();
        }
        if self.is(Variant::DeletionsDropped) && key.starts_with(keys::BRONZE_COMMITS) {
            let mut commit: Value = serde_json::from_slice(&bytes).expect("a commit");
            if let Some(files) = commit["files"].as_array_mut() {
                files.retain(|file| file["table"] != BRONZE_DELETION.path);
            }
            bytes = commit.to_string().into();
        }
        Ok(Object { meta, body: Body::Bytes(bytes) })
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        let mut meta = self.inner.head(key).await?;
        if self.is(Variant::OrderedByArrival) && self.inner.bucket() != self.silent.bucket() {
            meta.last_modified_micros = self.now_micros;
        }
        Ok(meta)
    }

    async fn put_with(&self, key: &str, payload: Payload, mut options: PutOptions) -> Result<ETag> {
        match &options.mode {
            PutMode::IfMatch(_) if self.is(Variant::IfMatchIgnored) => options.mode = PutMode::Overwrite,
            PutMode::IfAbsent if self.is(Variant::IfAbsentIgnored) || self.in_index(key) => {
                options.mode = PutMode::Overwrite;
            }
            _ => {}
        }
        let odd = key.bytes().fold(0, |sum: u32, byte| sum + u32::from(byte)) % 2 == 1;
        if self.is(Variant::NotificationsLost) && odd && key.starts_with(keys::BRONZE_COMMITS) {
            return self.silent.put_with(key, payload, options).await;
        }
        if self.is(Variant::CommitWithoutFiles) && odd && key.starts_with("bronze/encounter/") {
            return Ok(ETag::of_bytes(b"nothing"));
        }
        match self.inner.put_with(key, payload, options).await {
            Err(error) if self.is(Variant::FailedConditionTakenForDone) && error.kind() == ErrorKind::Precondition => {
                Ok(ETag::of_bytes(b"nothing"))
            }
            other => other,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.inner.list(prefix).await
    }
}

/// A bucket whose transient errors are ignored.
#[derive(Debug)]
struct ErrorsIgnored {
    inner: Arc<dyn ObjectStore>,
    puts: bool,
}

#[async_trait]
impl ObjectStore for ErrorsIgnored {
    fn bucket(&self) -> &str {
        self.inner.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        match self.inner.get_if(key, etag).await {
            Err(error) if !self.puts && error.retryable() => Err(missing(key)),
            other => other,
        }
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        match self.inner.head(key).await {
            Err(error) if !self.puts && error.retryable() => Err(missing(key)),
            other => other,
        }
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        match self.inner.put_with(key, payload, options).await {
            Err(error) if self.puts && error.retryable() => Ok(ETag::of_bytes(b"nothing")),
            other => other,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.inner.list(prefix).await
    }
}

fn missing(key: &str) -> metriccare_ports::Error {
    metriccare_ports::Error::new(ErrorKind::NotFound, "get", key, "taken for missing")
}

/// A ledger with a mistake.
#[derive(Debug)]
pub(crate) struct VariantLedger {
    inner: Arc<dyn Ledger>,
    variant: Variant,
}

impl VariantLedger {
    /// Puts a mistake around a ledger.
    pub(crate) fn around(inner: Arc<dyn Ledger>, variant: Option<Variant>) -> Arc<dyn Ledger> {
        match variant {
            Some(variant) => Arc::new(Self { inner, variant }),
            None => inner,
        }
    }
}

#[async_trait]
impl Ledger for VariantLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        let later = if self.variant == Variant::LeasesIgnored { 1 << 42 } else { 0 };
        let begun = self.inner.begin(work, owner, now_millis + later, lease_until_millis + later).await?;
        if let (Variant::DoneWhenClaimed, Begin::Claimed(claim)) = (self.variant, &begun) {
            self.inner.complete(claim, &Receipt::default()).await?;
        }
        Ok(begun)
    }

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        match self.inner.end(claim, state).await {
            Err(_) if matches!(self.variant, Variant::EndNotFenced | Variant::DoneWhenClaimed) => Ok(()),
            other => other,
        }
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        self.inner.first_holder(content_id, object_id).await
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        self.inner.look(work).await
    }
}
