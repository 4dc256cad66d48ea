//! A lake that is being rebuilt: some of its prefixes are those of the real lake, everything else is in a store of its own.

use std::sync::Arc;

use async_trait::async_trait;
use metriccare_ports::{ETag, Listed, Object, ObjectMeta, ObjectStore, Payload, PutOptions, Result};

/// A store that reads some prefixes from another one; it writes to its own store alone.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// The real lake.
    pub(crate) base: Arc<dyn ObjectStore>,
    /// What is being built.
    pub(crate) own: Arc<dyn ObjectStore>,
    /// The prefixes that are read from the real lake; they are never written.
    pub(crate) from_base: &'static [&'static str],
}

impl Overlay {
    fn store_of(&self, key: &str) -> &dyn ObjectStore {
        if self.from_base.iter().any(|prefix| key.starts_with(prefix)) { &*self.base } else { &*self.own }
    }
}

#[async_trait]
impl ObjectStore for Overlay {
    fn bucket(&self) -> &str {
        self.base.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.store_of(key).get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.store_of(key).head(key).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.own.put_with(key, payload, options).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        if self.from_base.iter().any(|base| prefix.starts_with(base)) {
            return self.base.list(prefix).await;
        }
        let mut listed = self.own.list(prefix).await?;
        for base in self.from_base.iter().filter(|base| base.starts_with(prefix)) {
            listed.extend(self.base.list(base).await?);
        }
        listed.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use metriccare_ports::{ErrorKind, MemoryStore, PutMode, SystemClock};

    use super::*;

    #[tokio::test]
    async fn some_prefixes_are_read_from_the_base_and_none_is_written_there() {
        let store = || -> Arc<dyn ObjectStore> { Arc::new(MemoryStore::new("lake", Arc::new(SystemClock))) };
        let (base, own) = (store(), store());
        for key in ["bronze/a", "silver/a"] {
            base.put(key, "base".into(), PutMode::Overwrite).await.expect("memory");
        }
        let overlay = Overlay { base: Arc::clone(&base), own, from_base: &["bronze/"] };
        assert_eq!(overlay.get("bronze/a").await.expect("there").body.bytes().await.expect("memory"), "base");
        assert_eq!(overlay.head("silver/a").await.expect_err("not built yet").kind(), ErrorKind::NotFound);
        overlay.put("silver/b", "own".into(), PutMode::IfAbsent).await.expect("memory");
        let keys = |listed: Vec<Listed>| listed.into_iter().map(|listed| listed.key).collect::<Vec<_>>();
        assert_eq!(keys(overlay.list("").await.expect("memory")), ["bronze/a", "silver/b"]);
        assert_eq!(keys(overlay.list("bronze/").await.expect("memory")), ["bronze/a"]);
        assert_eq!(keys(base.list("").await.expect("memory")), ["bronze/a", "silver/a"]);
    }
}
