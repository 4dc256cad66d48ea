//! A bucket that looks through the eyes of readers after every change, while a compaction writes to it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use metriccare_ports::{ETag, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutOptions, Result};

use crate::lake::{Lake, Rows};

/// A bucket that checks what readers see after each change, and in which an object lands at one of the calls.
pub(crate) struct Observed {
    pub(crate) lake: Arc<Lake>,
    pub(crate) landed: Arc<Rows>,
    pub(crate) calls: AtomicU64,
    pub(crate) lands_at: u64,
    pub(crate) lands: Mutex<Option<usize>>,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observed")
    }
}

impl Observed {
    async fn call(&self) {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.lands_at {
            let number = self.lands.lock().expect("unpoisoned").take();
            if let Some(number) = number {
                Box::pin(self.lake.land(number)).await;
                self.lake.check(&self.landed, &format!("an object landed at call {}", self.lands_at)).await;
            }
        }
    }
}

#[async_trait]
impl ObjectStore for Observed {
    fn bucket(&self) -> &str {
        self.lake.lake.bucket()
    }
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.call().await;
        self.lake.lake.get_if(key, etag).await
    }
    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.call().await;
        self.lake.lake.head(key).await
    }
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.call().await;
        let put = self.lake.lake.put_with(key, payload, options).await;
        self.lake.check(&self.landed, &format!("put {key}")).await;
        put
    }
    async fn delete(&self, key: &str) -> Result<()> {
        self.call().await;
        let deleted = self.lake.lake.delete(key).await;
        self.lake.check(&self.landed, &format!("delete {key}")).await;
        deleted
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.call().await;
        self.lake.lake.list(prefix).await
    }
    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        self.lake.lake.list_versions(prefix).await
    }
}
