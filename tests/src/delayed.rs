//! A bucket that answers after a while, and counts what it is asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use metriccare_ports::{ETag, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutOptions, Result};

/// What a bucket was asked.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Requests of all kinds.
    pub requests: u64,
    /// How often each key was written, and the bytes of all these writes.
    pub written: BTreeMap<String, (u64, u64)>,
}

impl Traffic {
    /// How often keys with this prefix and this ending were written, and with how many bytes.
    pub fn written(&self, prefix: &str, ending: &str) -> (u64, u64) {
        let written = self.written.iter().filter(|(key, _)| key.starts_with(prefix) && key.ends_with(ending));
        written.fold((0, 0), |(times, bytes), (_, (more, size))| (times + more, bytes + size))
    }
}

/// Any bucket, with a wait before each answer.
#[derive(Debug)]
pub struct DelayedStore {
    inner: Arc<dyn ObjectStore>,
    delay: Duration,
    traffic: Mutex<Traffic>,
}

impl DelayedStore {
    /// Wraps a bucket.
    pub fn new(inner: Arc<dyn ObjectStore>, delay: Duration) -> Self {
        Self { inner, delay, traffic: Mutex::default() }
    }

    /// What it was asked so far.
    pub fn traffic(&self) -> Traffic {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self) {
        self.state().requests += 1;
        tokio::time::sleep(self.delay).await;
    }
}

#[async_trait]
impl ObjectStore for DelayedStore {
    fn bucket(&self) -> &str {
        self.inner.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.wait().await;
        self.inner.get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.wait().await;
        self.inner.head(key).await
    }

    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        self.wait().await;
        self.inner.get_version(key, version, etag).await
    }

    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        self.wait().await;
        self.inner.head_version(key, version).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.wait().await;
        let etag = self.inner.put_with(key, payload, options).await?;
        let size = self.inner.head(key).await?.size;
        let mut traffic = self.state();
        let written = traffic.written.entry(key.to_owned()).or_default();
        *written = (written.0 + 1, written.1 + size);
        Ok(etag)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.wait().await;
        self.inner.delete(key).await
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        self.wait().await;
        self.inner.list_versions(prefix).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.wait().await;
        self.inner.list(prefix).await
    }
}
