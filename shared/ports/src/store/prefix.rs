//! The part of a bucket under a prefix, as a bucket of its own: so a landing place and a lake fit into one bucket.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ETag, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutOptions, check_key};
use crate::Result;

/// The part of a bucket under a prefix.
#[derive(Debug, Clone)]
pub struct PrefixStore {
    inner: Arc<dyn ObjectStore>,
    /// What every key begins with inside: `reports/2025/`.
    prefix: String,
    /// Unlike that of another part of the same bucket: `bucket/reports/2025`.
    name: String,
}

impl PrefixStore {
    /// The part under `prefix`, which is segments with `/` between them and none at its ends.
    pub fn new(inner: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let name = format!("{}/{prefix}", inner.bucket());
        Self { inner, prefix: format!("{prefix}/"), name }
    }

    fn inside(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn outside(&self, key: &str) -> String {
        key.strip_prefix(&self.prefix).unwrap_or(key).to_owned()
    }

    fn meta(&self, meta: ObjectMeta) -> ObjectMeta {
        ObjectMeta { key: self.outside(&meta.key), ..meta }
    }
}

#[async_trait]
impl ObjectStore for PrefixStore {
    fn bucket(&self) -> &str {
        &self.name
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        check_key("get", &self.name, key)?;
        let Object { meta, body } = self.inner.get_if(&self.inside(key), etag).await?;
        Ok(Object { meta: self.meta(meta), body })
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        check_key("head", &self.name, key)?;
        Ok(self.meta(self.inner.head(&self.inside(key)).await?))
    }

    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        check_key("get", &self.name, key)?;
        let Object { meta, body } = self.inner.get_version(&self.inside(key), version, etag).await?;
        Ok(Object { meta: self.meta(meta), body })
    }

    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        check_key("head", &self.name, key)?;
        Ok(self.meta(self.inner.head_version(&self.inside(key), version).await?))
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        check_key("put", &self.name, key)?;
        self.inner.put_with(&self.inside(key), payload, options).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key("delete", &self.name, key)?;
        self.inner.delete(&self.inside(key)).await
    }

    async fn delete_version(&self, key: &str, version: Option<&str>) -> Result<()> {
        check_key("delete", &self.name, key)?;
        self.inner.delete_version(&self.inside(key), version).await
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        let listed = self.inner.list_versions(&self.inside(prefix)).await?.into_iter();
        Ok(listed.map(|version| ListedVersion { meta: self.meta(version.meta), ..version }).collect())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let listed = self.inner.list(&self.inside(prefix)).await?;
        Ok(listed.into_iter().map(|line| Listed { key: self.outside(&line.key), ..line }).collect())
    }
}
