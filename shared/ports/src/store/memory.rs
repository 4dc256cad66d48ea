//! A bucket in memory, for tests: exact conditions, and times from an injected clock.

use std::{
    collections::BTreeMap,
    fs, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Body, ETag, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions, body::blocking,
    changed, check_key, exists, missing,
};
use crate::{Clock, Error, ErrorKind, Result};

/// A bucket in memory.
#[derive(Debug)]
pub struct MemoryStore {
    bucket: String,
    clock: Arc<dyn Clock>,
    objects: Mutex<BTreeMap<String, Stored>>,
    /// Every version of every object by key and version, where the bucket keeps versions.
    versions: Option<Mutex<BTreeMap<(String, String), Stored>>>,
    /// How many versions were put, for their ids.
    put: AtomicU64,
}

#[derive(Debug, Clone)]
struct Stored {
    bytes: Bytes,
    etag: ETag,
    version: Option<String>,
    last_modified_micros: i64,
}

impl MemoryStore {
    /// An empty bucket.
    pub fn new(bucket: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { bucket: bucket.into(), clock, objects: Mutex::default(), versions: None, put: AtomicU64::new(0) }
    }

    /// The same bucket, still empty, but it keeps every version.
    #[must_use]
    pub fn versioned(self) -> Self {
        Self { versions: Some(Mutex::default()), ..self }
    }

    /// Takes an object away, as a person might behind the pipeline's back. Returns whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        self.objects().remove(key).is_some()
    }

    /// The bytes of every object, by key: what a test compares two buckets by.
    pub fn snapshot(&self) -> BTreeMap<String, Bytes> {
        self.objects().iter().map(|(key, stored)| (key.clone(), stored.bytes.clone())).collect()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, operation: &'static str, key: &str, version: Option<&str>) -> Result<Stored> {
        check_key(operation, &self.bucket, key)?;
        let found = match (version, &self.versions) {
            (Some(version), Some(versions)) => {
                let versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
                versions.get(&(key.to_owned(), version.to_owned())).cloned()
            }
            _ => self.objects().get(key).cloned(),
        };
        found.ok_or_else(|| missing(operation, &self.bucket, key))
    }
}

impl Stored {
    fn meta(&self, key: &str) -> ObjectMeta {
        ObjectMeta {
            key: key.to_owned(),
            size: self.bytes.len() as u64,
            etag: self.etag.clone(),
            version: self.version.clone(),
            last_modified_micros: self.last_modified_micros,
        }
    }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.get_version(key, None, etag).await
    }

    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        let stored = self.find("get", key, version)?;
        match etag {
            Some(etag) if *etag != stored.etag => Err(changed("get", &self.bucket, key, etag, &stored.etag)),
            _ => Ok(Object { meta: stored.meta(key), body: Body::Bytes(stored.bytes) }),
        }
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.head_version(key, None).await
    }

    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        Ok(self.find("head", key, version)?.meta(key))
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        check_key("put", &self.bucket, key)?;
        let bytes = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::File(path) => {
                blocking(move || {
                    let bytes = fs::read(&path).map_err(|error: io::Error| {
                        Error::new(ErrorKind::Invalid, "put", path.display(), &error).with_source(error)
                    })?;
                    Ok(bytes.into())
                })
                .await?
            }
        };
        let etag = ETag::of_bytes(&bytes);
        let last_modified_micros = options.last_modified_micros.unwrap_or_else(|| self.clock.now_micros());
        let mut objects = self.objects();
        match (&options.mode, objects.get(key)) {
            (PutMode::IfAbsent, Some(_)) => return Err(exists(&self.bucket, key)),
            (PutMode::IfMatch(_), None) => return Err(missing("put", &self.bucket, key)),
            (PutMode::IfMatch(expected), Some(found)) if found.etag != *expected => {
                return Err(changed("put", &self.bucket, key, expected, &found.etag));
            }
            _ => {}
        }
        let mut stored = Stored { bytes, etag: etag.clone(), version: None, last_modified_micros };
        if let Some(versions) = &self.versions {
            let mut versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
            let version = format!("version-{:08}", self.put.fetch_add(1, Ordering::Relaxed));
            stored.version = Some(version.clone());
            versions.insert((key.to_owned(), version), stored.clone());
        }
        objects.insert(key.to_owned(), stored);
        Ok(etag)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key("delete", &self.bucket, key)?;
        self.remove(key);
        Ok(())
    }

    async fn delete_version(&self, key: &str, version: Option<&str>) -> Result<()> {
        let (Some(version), Some(versions)) = (version, &self.versions) else { return self.delete(key).await };
        let mut objects = self.objects();
        let mut versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.remove(&(key.to_owned(), version.to_owned()));
        if objects.get(key).is_some_and(|stored| stored.version.as_deref() == Some(version)) {
            objects.remove(key);
            let left = versions.range((key.to_owned(), String::new())..).take_while(|((of, _), _)| of == key);
            if let Some((_, before)) = left.last() {
                objects.insert(key.to_owned(), before.clone());
            }
        }
        Ok(())
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        let objects = self.objects();
        let Some(versions) = &self.versions else {
            let under = objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
            let listed = |(key, stored): (&String, &Stored)| ListedVersion {
                meta: stored.meta(key),
                is_latest: true,
                is_deleted: false,
            };
            return Ok(under.map(listed).collect());
        };
        let versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
        let under = versions.iter().filter(|((key, _), _)| key.starts_with(prefix));
        let listed = under.map(|((key, _), stored)| {
            let latest = objects.get(key);
            let is_latest = latest.is_some_and(|latest| latest.version == stored.version);
            ListedVersion { meta: stored.meta(key), is_latest, is_deleted: latest.is_none() }
        });
        Ok(listed.collect())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let objects = self.objects();
        let under = objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(under
            .map(|(key, stored)| Listed {
                key: key.clone(),
                size: stored.bytes.len() as u64,
                last_modified_micros: stored.last_modified_micros,
                etag: Some(stored.etag.clone()),
            })
            .collect())
    }
}
