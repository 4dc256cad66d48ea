//! A bucket that tells a queue of every object put below a prefix, as S3 does: also of one that is the same as before,
//! and also where the writer never hears that its put arrived.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use metriccare_flow::event::notification;
use metriccare_ports::{
    ETag, Listed, ListedVersion, MemoryQueue, MemoryStore, Object, ObjectMeta, ObjectStore, Payload, PutOptions, Queue,
    Result,
};

/// A bucket in memory with its notifications.
pub struct NotifyingStore {
    inner: Arc<MemoryStore>,
    rules: Vec<(&'static str, Arc<MemoryQueue>)>,
}

impl NotifyingStore {
    /// Puts rules around a bucket: what is put below each prefix is told to its queue.
    pub fn new(inner: Arc<MemoryStore>, rules: Vec<(&'static str, Arc<MemoryQueue>)>) -> Self {
        Self { inner, rules }
    }
}

impl fmt::Debug for NotifyingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotifyingStore({})", self.inner.bucket())
    }
}

#[async_trait]
impl ObjectStore for NotifyingStore {
    fn bucket(&self) -> &str {
        self.inner.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.inner.get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.inner.head(key).await
    }

    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        self.inner.get_version(key, version, etag).await
    }

    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        self.inner.head_version(key, version).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        let etag = self.inner.put_with(key, payload, options).await?;
        for (prefix, queue) in &self.rules {
            if key.starts_with(prefix) {
                let meta = self.inner.head(key).await?;
                let body = notification(self.bucket(), key, meta.size, &etag, meta.last_modified_micros);
                queue.send(&body).await?;
            }
        }
        Ok(etag)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        self.inner.list_versions(prefix).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.inner.list(prefix).await
    }
}
