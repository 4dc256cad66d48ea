//! A bucket that breaks on a plan.

use std::sync::Arc;

use async_trait::async_trait;

use super::Faults;
use crate::{ETag, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutOptions, Result};

/// Any bucket, with the faults of a plan.
#[derive(Debug, Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Arc<Faults>,
}

impl FaultyStore {
    /// Wraps a bucket.
    pub fn new(inner: Arc<dyn ObjectStore>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    fn bucket(&self) -> &str {
        self.inner.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.faults.call("get", key, self.inner.get_if(key, etag)).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.faults.call("head", key, self.inner.head(key)).await
    }

    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        self.faults.call("get", key, self.inner.get_version(key, version, etag)).await
    }

    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        self.faults.call("head", key, self.inner.head_version(key, version)).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.faults.call("put", key, self.inner.put_with(key, payload, options)).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.faults.call("delete", key, self.inner.delete(key)).await
    }

    async fn delete_version(&self, key: &str, version: Option<&str>) -> Result<()> {
        self.faults.call("delete", key, self.inner.delete_version(key, version)).await
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        self.faults.call("list", prefix, self.inner.list_versions(prefix)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.faults.call("list", prefix, self.inner.list(prefix)).await
    }
}
