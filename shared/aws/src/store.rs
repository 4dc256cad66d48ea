//! A bucket on S3.
//!
//! Conditions are S3's own: `If-None-Match: *` and `If-Match`. A conditional put whose answer was lost may have happened,
//! and trying it again blindly would meet its own object and call it somebody else's. So every conditional put carries a
//! name of its own in the object's metadata, the SDK does not repeat it, and where its outcome is in doubt it is read
//! back: the name says whether the object is ours.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, RandomState},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    operation::{head_object::HeadObjectOutput, put_object::builders::PutObjectFluentBuilder},
    primitives::{ByteStream, DateTime},
};
use bytes::Bytes;
use metriccare_ports::{
    Body, ETag, Error, ErrorKind, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions,
    Result,
    store::{ChunkSource, check_key},
};

use crate::{
    clients::{ATTEMPT, Clients},
    failure::failed,
};

mod skip_unchanged;

pub use skip_unchanged::{Sent, SkipUnchanged};

/// A bucket on S3.
#[derive(Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    /// Makes the names of this process's puts unlike those of all others.
    process: u64,
    puts: AtomicU64,
}

/// The entry of an object's metadata that says which put wrote it.
const PUT_ID: &str = "put-id";

/// The entry of an object's metadata that says when it landed, in microseconds since 1970: it counts before the bucket's own
/// time, so that copies of the object are the same landed object.
const LANDED: &str = "metriccare-landed";

/// Entries of an object's metadata.
type Metadata = Vec<(&'static str, String)>;

/// How often a conditional put is tried whose outcome was in doubt and which had not happened.
const DOUBTS: u32 = 3;

/// The bytes that a put moves in a second at the very least; several may share the way.
const SLOWEST: u64 = 128 << 10;

impl S3Store {
    /// A bucket that is there.
    pub fn new(clients: &Clients, bucket: impl Into<String>) -> Self {
        let process = RandomState::new().hash_one(std::process::id());
        Self { client: clients.s3.clone(), bucket: bucket.into(), process, puts: AtomicU64::new(0) }
    }

    fn subject(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket)
    }

    async fn look(&self, key: &str) -> Result<HeadObjectOutput> {
        self.look_version(key, None).await
    }

    async fn look_version(&self, key: &str, version_id: Option<&str>) -> Result<HeadObjectOutput> {
        let head =
            self.client.head_object().bucket(&self.bucket).key(key).set_version_id(version_id.map(str::to_owned));
        let head = head.send().await;
        head.map_err(|error| failed("head", &self.subject(key), error))
    }

    /// The put of a payload, without a condition yet.
    async fn prepared(&self, key: &str, payload: &Payload) -> Result<(PutObjectFluentBuilder, Duration)> {
        let (body, length) = match payload {
            Payload::Bytes(bytes) => (ByteStream::from(bytes.clone()), bytes.len() as u64),
            Payload::File(path) => {
                (self.file(key, path).await?, std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
            }
        };
        Ok((self.client.put_object().bucket(&self.bucket).key(key).body(body), time_for(length)))
    }

    async fn file(&self, key: &str, path: &Path) -> Result<ByteStream> {
        let unreadable = |error| Error::new(ErrorKind::Invalid, "put", self.subject(key), &error).with_source(error);
        ByteStream::from_path(path).await.map_err(unreadable)
    }

    async fn put_plain(&self, key: &str, payload: &Payload, metadata: Metadata) -> Result<ETag> {
        let (put, time) = self.prepared(key, payload).await?;
        let put = metadata.into_iter().fold(put, |put, (name, value)| put.metadata(name, value));
        let change = aws_sdk_s3::config::Builder::new().timeout_config(within(time));
        let put = put.customize().config_override(change).send().await;
        let put = put.map_err(|error| failed("put", &self.subject(key), error))?;
        self.etag("put", key, put.e_tag())
    }

    /// Puts under a condition, with entries of metadata besides the put's own name.
    async fn put_if(&self, key: &str, payload: &Payload, mode: &PutMode, metadata: Metadata) -> Result<ETag> {
        let put_id = format!("{:016x}-{}", self.process, self.puts.fetch_add(1, Ordering::Relaxed));
        let mut tried = 0;
        loop {
            tried += 1;
            let (put, time) = self.prepared(key, payload).await?;
            let put = match mode {
                PutMode::IfMatch(etag) => put.if_match(etag.quoted()),
                _ => put.if_none_match("*"),
            };
            let once =
                aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled()).timeout_config(within(time));
            let put = metadata.iter().fold(put, |put, (name, value)| put.metadata(*name, value));
            let answer = put.metadata(PUT_ID, &put_id).customize().config_override(once).send().await;
            let error = match answer {
                Ok(put) => return self.etag("put", key, put.e_tag()),
                Err(error) => failed("put", &self.subject(key), error),
            };
            let doubtful =
                error.kind() == ErrorKind::Unavailable || (error.kind() == ErrorKind::Precondition && tried > 1);
            if !doubtful {
                return Err(error);
            }
            match self.look(key).await {
                Ok(head) if put_id_of(&head) == Some(&put_id) => return self.etag("put", key, head.e_tag()),
                Ok(_) => {}
                Err(looked) if looked.kind() == ErrorKind::NotFound => {}
                // Still in doubt: the caller reads again, and finds out then.
                Err(_) => return Err(error),
            }
            if error.kind() == ErrorKind::Precondition || tried == DOUBTS {
                return Err(error);
            }
        }
    }

    fn etag(&self, operation: &'static str, key: &str, etag: Option<&str>) -> Result<ETag> {
        let missing = || Error::new(ErrorKind::Unavailable, operation, self.subject(key), "the answer has no ETag");
        etag.map(ETag::new).ok_or_else(missing)
    }

    fn check(&self, operation: &'static str, key: &str) -> Result<()> {
        check_key(operation, &self.bucket, key)
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.get_version(key, None, etag).await
    }

    async fn get_version(&self, key: &str, version_id: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        self.check("get", key)?;
        let get = self.client.get_object().bucket(&self.bucket).key(key).set_if_match(etag.map(ETag::quoted));
        let get = get.set_version_id(version_id.map(str::to_owned));
        let got = get.send().await.map_err(|error| failed("get", &self.subject(key), error))?;
        let meta = ObjectMeta {
            key: key.to_owned(),
            size: size(got.content_length()),
            etag: self.etag("get", key, got.e_tag())?,
            version: version(got.version_id()),
            last_modified_micros: landed_micros(got.metadata(), got.last_modified()),
        };
        Ok(Object { meta, body: Body::Stream(Box::new(Pieces { stream: got.body, subject: self.subject(key) })) })
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.head_version(key, None).await
    }

    async fn head_version(&self, key: &str, version_id: Option<&str>) -> Result<ObjectMeta> {
        self.check("head", key)?;
        let head = self.look_version(key, version_id).await?;
        Ok(ObjectMeta {
            key: key.to_owned(),
            size: size(head.content_length()),
            etag: self.etag("head", key, head.e_tag())?,
            version: version(head.version_id()),
            last_modified_micros: landed_micros(head.metadata(), head.last_modified()),
        })
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        self.check("put", key)?;
        let metadata = landed_entry(options.last_modified_micros).into_iter().collect();
        match &options.mode {
            PutMode::Overwrite => self.put_plain(key, &payload, metadata).await,
            mode => self.put_if(key, &payload, mode, metadata).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.delete_version(key, None).await
    }

    async fn delete_version(&self, key: &str, version_id: Option<&str>) -> Result<()> {
        self.check("delete", key)?;
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        let delete = delete.set_version_id(version_id.map(str::to_owned));
        delete.send().await.map_err(|error| failed("delete", &self.subject(key), error))?;
        Ok(())
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        let request = self.client.list_object_versions().bucket(&self.bucket).prefix(prefix);
        let (mut versions, mut deleted) = (Vec::new(), BTreeSet::new());
        let mut after = (None, None);
        loop {
            let page = request.clone().set_key_marker(after.0).set_version_id_marker(after.1).send().await;
            let page = page.map_err(|error| failed("list", &self.subject(prefix), error))?;
            after = (page.next_key_marker, page.next_version_id_marker);
            let markers = page.delete_markers.unwrap_or_default().into_iter();
            deleted.extend(markers.filter(|marker| marker.is_latest == Some(true)).filter_map(|marker| marker.key));
            for object in page.versions.unwrap_or_default() {
                let meta = ObjectMeta {
                    size: size(object.size),
                    // Objects state whole seconds, and so do S3's listings; others' are more exact.
                    last_modified_micros: object.last_modified.as_ref().map_or(0, |time| time.secs() * 1_000_000),
                    etag: ETag::new(object.e_tag.unwrap_or_default()),
                    version: version(object.version_id.as_deref()),
                    key: object.key.unwrap_or_default(),
                };
                versions.push(ListedVersion { meta, is_latest: object.is_latest == Some(true), is_deleted: false });
            }
            if page.is_truncated != Some(true) {
                break;
            }
        }
        for version in &mut versions {
            version.is_deleted = deleted.contains(&version.meta.key);
        }
        versions.sort_by(|one, other| one.meta.key.cmp(&other.meta.key));
        Ok(versions)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = request.into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("list", &self.subject(prefix), error))?;
            for object in page.contents.unwrap_or_default() {
                listed.push(Listed {
                    size: size(object.size),
                    last_modified_micros: object.last_modified.as_ref().map_or(0, micros),
                    etag: object.e_tag.map(ETag::new),
                    key: object.key.unwrap_or_default(),
                });
            }
        }
        listed.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(listed)
    }
}

/// A body as it comes over the network.
struct Pieces {
    stream: ByteStream,
    subject: String,
}

#[async_trait]
impl ChunkSource for Pieces {
    async fn next_chunk(&mut self) -> Option<Result<Bytes>> {
        let piece = self.stream.next().await?;
        Some(piece.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "get", &self.subject, format!("the body broke off: {error}"))
                .with_source(error)
        }))
    }
}

fn put_id_of(head: &HeadObjectOutput) -> Option<&String> {
    head.metadata()?.get(PUT_ID)
}

/// How long a put of so many bytes may take.
fn time_for(bytes: u64) -> Duration {
    ATTEMPT + Duration::from_secs(bytes / SLOWEST)
}

/// The SDK counts the time until the first byte of the answer from the beginning of the request, and so with it the time
/// that the body takes on its way.
fn within(time: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().read_timeout(time).operation_attempt_timeout(time).operation_timeout(time * 3).build()
}

fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}

/// The version, where the bucket keeps versions; S3 calls that of a bucket without them `null`.
fn version(id: Option<&str>) -> Option<String> {
    id.filter(|id| *id != "null" && !id.is_empty()).map(str::to_owned)
}

/// The entry of metadata for a time that an object is stamped with.
fn landed_entry(micros: Option<i64>) -> Option<(&'static str, String)> {
    micros.map(|micros| (LANDED, micros.to_string()))
}

/// When an object landed: as its metadata says, else when the bucket took it in.
fn landed_micros(metadata: Option<&HashMap<String, String>>, modified: Option<&DateTime>) -> i64 {
    let stated = metadata.and_then(|metadata| metadata.get(LANDED)?.trim().parse().ok());
    stated.unwrap_or_else(|| modified.map_or(0, micros))
}

fn micros(time: &DateTime) -> i64 {
    time.secs() * 1_000_000 + i64::from(time.subsec_nanos() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_time_of_landing_counts_before_the_buckets() {
        let (modified, stated) =
            (DateTime::from_secs(5), |text: &str| HashMap::from([(LANDED.to_owned(), text.to_owned())]));
        assert_eq!(landed_micros(Some(&stated("1750000000000001")), Some(&modified)), 1_750_000_000_000_001);
        for unreadable in ["", "yesterday", "1e9"] {
            assert_eq!(landed_micros(Some(&stated(unreadable)), Some(&modified)), 5_000_000, "{unreadable:?}");
        }
        assert_eq!(landed_micros(None, Some(&modified)), 5_000_000);
        assert_eq!(landed_entry(Some(7)), Some((LANDED, "7".to_owned())));
    }

    #[test]
    fn a_large_body_is_given_the_time_that_a_slow_line_takes() {
        assert_eq!(time_for(0), ATTEMPT);
        // Eight files at once on 20 Mbit/s: a little more than 0.3 MB/s each.
        assert!(time_for(64 << 20) > Duration::from_secs((64 << 20) / 312_500));
        let time = time_for(64 << 20);
        let (read, attempt) = (within(time).read_timeout(), within(time).operation_attempt_timeout());
        assert_eq!((read, attempt), (Some(time), Some(time)), "the SDK counts the body's way as waiting for an answer");
    }
}
