//! Objects in a bucket: get, head, put under a condition, list, delete.
//!
//! The meaning is that of S3: reads see the last finished write, a put replaces the whole object or nothing, and a
//! conditional put is judged and done in one step, across threads and processes. Missing is
//! [`ErrorKind::NotFound`], a failed condition
//! [`ErrorKind::Precondition`].

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Error, ErrorKind, Result};

mod body;
mod disk;
mod etag;
mod identity;
mod memory;
mod prefix;

pub(crate) use body::blocking;
pub use body::{Body, ChunkSource, Payload};
pub use disk::DiskStore;
pub(crate) use disk::force;
pub use etag::ETag;
pub use identity::object_id;
pub use memory::MemoryStore;
pub use prefix::PrefixStore;

/// What a store knows of an object besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Names its content: two different contents of one key never share it.
    pub etag: ETag,
    /// The version's id, where the bucket keeps versions.
    pub version: Option<String>,
    /// When it was written, in microseconds since 1970, UTC: for a landed object, the time it landed.
    pub last_modified_micros: i64,
}

/// An object: what is known of it, and its bytes.
#[derive(Debug)]
pub struct Object {
    /// What is known of it.
    pub meta: ObjectMeta,
    /// Its bytes, as they are stored.
    pub body: Body,
}

/// A line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in microseconds since 1970, UTC.
    pub last_modified_micros: i64,
    /// Its ETag, where the store has it at hand.
    pub etag: Option<ETag>,
}

/// A version of an object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// What the listing states of it.
    pub meta: ObjectMeta,
    /// Whether it is the object's present version.
    pub is_latest: bool,
    /// Whether the object was deleted: only its versions are left.
    pub is_deleted: bool,
}

/// The condition of a put.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PutMode {
    /// Writes whatever is there.
    #[default]
    Overwrite,
    /// Writes only where nothing is.
    IfAbsent,
    /// Writes only over the object that has this ETag.
    IfMatch(ETag),
}

/// How to put an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutOptions {
    /// The condition.
    pub mode: PutMode,
    /// The time to stamp the object with, in microseconds since 1970; the present where there is none. A store whose times
    /// are its own (S3) keeps it in the object's metadata, and states it for the object but not in listings.
    pub last_modified_micros: Option<i64>,
    /// Whether whoever puts it makes it again where a power cut takes it, because the ledger has not kept that it is done. A
    /// store on a disk then need not force it out at once.
    pub is_repeatable: bool,
}

/// A bucket.
///
/// ```
/// use std::sync::Arc;
///
/// use metriccare_ports::{ErrorKind, ManualClock, MemoryStore, ObjectStore, PutMode};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> metriccare_ports::Result<()> {
/// let lake: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new("lake", Arc::new(ManualClock::default())));
/// let first = lake.put("gold/a", "one".into(), PutMode::IfAbsent).await?;
/// lake.put("gold/a", "two".into(), PutMode::IfMatch(first.clone())).await?;
/// let late = lake.put("gold/a", "three".into(), PutMode::IfMatch(first)).await.unwrap_err();
/// assert_eq!(late.kind(), ErrorKind::Precondition);
/// assert_eq!(lake.get("gold/a").await?.body.bytes().await?, "two");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ObjectStore: fmt::Debug + Send + Sync {
    /// The bucket's name.
    fn bucket(&self) -> &str;

    /// Reads an object; with an ETag, only if it still has it, else
    /// [`ErrorKind::Precondition`].
    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object>;

    /// What is known of an object, without its bytes.
    async fn head(&self, key: &str) -> Result<ObjectMeta>;

    /// Writes an object under a condition and returns its new ETag.
    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag>;

    /// Every object whose key begins with the prefix, sorted by the key's bytes.
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>>;

    /// Deletes an object; where there is none, nothing happens. No stage of the pipeline deletes: a compaction, a
    /// rebuild and a withdrawal do.
    async fn delete(&self, key: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Invalid, "delete", subject(self.bucket(), key), "this store deletes nothing"))
    }

    /// Deletes one version of an object for good. A bucket that keeps no versions deletes the object, and so does any bucket
    /// where no version is named.
    async fn delete_version(&self, key: &str, version: Option<&str>) -> Result<()> {
        let _ = version;
        self.delete(key).await
    }

    /// Reads a version of an object; with an ETag, only if it has it. A bucket that keeps no versions reads the object as it
    /// is now, and so does any bucket where no version is named.
    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        let _ = version;
        self.get_if(key, etag).await
    }

    /// What is known of a version of an object, without its bytes; as [`get_version`](Self::get_version) reads it.
    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        let _ = version;
        self.head(key).await
    }

    /// Every version of every object whose key begins with the prefix, of deleted objects too, sorted by the key's bytes. A
    /// bucket that keeps no versions lists its objects as they are.
    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        let mut versions = Vec::new();
        for Listed { key, size, last_modified_micros, etag } in self.list(prefix).await? {
            let meta = match etag {
                Some(etag) => Some(ObjectMeta { key, size, etag, version: None, last_modified_micros }),
                None => self.head_opt(&key).await?,
            };
            versions.extend(meta.map(|meta| ListedVersion { meta, is_latest: true, is_deleted: false }));
        }
        Ok(versions)
    }

    /// Reads an object.
    async fn get(&self, key: &str) -> Result<Object> {
        self.get_if(key, None).await
    }

    /// Reads an object; none where there is none.
    async fn get_opt(&self, key: &str) -> Result<Option<Object>> {
        found(self.get(key).await)
    }

    /// What is known of an object, without its bytes; none where there is none.
    async fn head_opt(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.head_version_opt(key, None).await
    }

    /// What is known of a version of an object; none where there is none.
    async fn head_version_opt(&self, key: &str, version: Option<&str>) -> Result<Option<ObjectMeta>> {
        found(self.head_version(key, version).await)
    }

    /// Reads an object's bytes and what is known of it; none where there is none.
    async fn read_opt(&self, key: &str) -> Result<Option<(ObjectMeta, Bytes)>> {
        match self.get_opt(key).await? {
            Some(object) => Ok(Some((object.meta, object.body.bytes().await?))),
            None => Ok(None),
        }
    }

    /// Writes an object under a condition, stamped with the present, and returns its new ETag.
    async fn put(&self, key: &str, payload: Payload, mode: PutMode) -> Result<ETag> {
        self.put_with(key, payload, PutOptions { mode, ..PutOptions::default() }).await
    }

    /// Writes an object under a condition, stamped with a time of the caller's, and returns its new ETag.
    async fn put_stamped(&self, key: &str, payload: Payload, mode: PutMode, micros: i64) -> Result<ETag> {
        self.put_with(key, payload, PutOptions { mode, last_modified_micros: Some(micros), ..PutOptions::default() })
            .await
    }
}

/// What was read, or none where nothing is there.
fn found<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The longest key that S3 takes, in bytes.
pub const LONGEST_KEY: usize = 1024;

/// Refuses a key that S3 refuses too: an empty one, and one that is longer than [`LONGEST_KEY`].
///
/// # Errors
/// [`ErrorKind::Invalid`], with the reason.
pub fn check_key(operation: &'static str, bucket: &str, key: &str) -> Result<()> {
    let reason = if key.is_empty() {
        "the key is empty".to_owned()
    } else if key.len() > LONGEST_KEY {
        format!("the key has {} bytes, and {LONGEST_KEY} is the most", key.len())
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, operation, subject(bucket, key), reason))
}

/// How an error names an object.
fn subject(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}

/// The error of a read that found nothing.
fn missing(operation: &'static str, bucket: &str, key: &str) -> Error {
    Error::new(ErrorKind::NotFound, operation, subject(bucket, key), "there is no such object")
}

/// The error of a write that was to be the first.
fn exists(bucket: &str, key: &str) -> Error {
    Error::new(ErrorKind::Precondition, "put", subject(bucket, key), "the object exists already")
}

/// The error of a condition on an ETag that did not hold.
fn changed(operation: &'static str, bucket: &str, key: &str, expected: &ETag, found: &ETag) -> Error {
    let reason = format!("the object has changed: ETag {found}, not {expected}");
    Error::new(ErrorKind::Precondition, operation, subject(bucket, key), reason)
}
