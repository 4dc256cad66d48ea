//! A bucket that skips a put where the object is unchanged: sending a folder or a world once more is cheap.
//!
//! S3's ETag of an object that was put in one piece is the MD5 of its bytes, unless the bucket encrypts with a key of
//! KMS: so the MD5 also goes along in the object's metadata.

use std::{fs::File, io, io::Read, path::PathBuf};

use async_trait::async_trait;
use md5::{Digest, Md5};
use metriccare_lake::keys::hex;
use metriccare_ports::{
    ETag, Error, ErrorKind, Listed, ListedVersion, Object, ObjectMeta, ObjectStore, Payload, PutMode, PutOptions,
    Result,
};

use super::{S3Store, landed_entry, size};

/// A bucket that skips a put where the object is unchanged.
#[derive(Debug)]
pub struct SkipUnchanged(pub S3Store);

/// The result of sending an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// There was none under its key.
    New,
    /// There was another one under its key; a bucket that keeps versions still has it.
    Replaced,
    /// The same was there, and nothing was sent.
    Unchanged,
}

/// The entry of an object's metadata that holds the MD5 of its bytes.
const MD5: &str = "content-md5-hex";

/// The most bytes that S3 takes in one put.
const LARGEST: u64 = 5 << 30;

impl SkipUnchanged {
    /// Sends an object, with the time it landed where that is not now, unless the same bytes are there under its key: these
    /// keep their time. What another writer put there meanwhile is not replaced.
    ///
    /// # Errors
    /// A file that cannot be read or is larger than 5 GiB, and what the bucket does.
    pub async fn send(&self, key: &str, payload: Payload, landed_micros: Option<i64>) -> Result<(ETag, Sent)> {
        let store = &self.0;
        store.check("send", key)?;
        let (md5, bytes) = store.measure(key, &payload).await?;
        let (mode, sent) = match store.look(key).await {
            Ok(head) => {
                let etag = store.etag("send", key, head.e_tag())?;
                let known = head.metadata().and_then(|metadata| metadata.get(MD5));
                if size(head.content_length()) == bytes && (etag.as_str() == md5 || known == Some(&md5)) {
                    return Ok((etag, Sent::Unchanged));
                }
                (PutMode::IfMatch(etag), Sent::Replaced)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => (PutMode::IfAbsent, Sent::New),
            Err(error) => return Err(error),
        };
        let metadata = [(MD5, md5)].into_iter().chain(landed_entry(landed_micros)).collect();
        Ok((store.put_if(key, &payload, &mode, metadata).await?, sent))
    }
}

impl S3Store {
    /// The MD5 and the length of a payload.
    async fn measure(&self, key: &str, payload: &Payload) -> Result<(String, u64)> {
        let unreadable = |error: io::Error| Error::new(ErrorKind::Invalid, "send", self.subject(key), error);
        let (md5, bytes) = match payload {
            Payload::Bytes(bytes) => (hex(&Md5::digest(bytes)), bytes.len() as u64),
            Payload::File(path) => {
                let path: PathBuf = path.clone();
                let read = tokio::task::spawn_blocking(move || md5_of(&path)).await;
                read.map_err(io::Error::other).and_then(|read| read).map_err(unreadable)?
            }
        };
        if bytes > LARGEST {
            let reason = "S3 takes at most 5 GiB in a piece: cut it into smaller files";
            return Err(Error::new(ErrorKind::Invalid, "send", self.subject(key), reason));
        }
        Ok((md5, bytes))
    }
}

fn md5_of(path: &std::path::Path) -> io::Result<(String, u64)> {
    let (mut file, mut hash) = (File::open(path)?, Md5::new());
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(&hash.finalize()), bytes)),
            count => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

#[async_trait]
impl ObjectStore for SkipUnchanged {
    fn bucket(&self) -> &str {
        self.0.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.0.get_if(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.0.head(key).await
    }

    async fn get_version(&self, key: &str, version: Option<&str>, etag: Option<&ETag>) -> Result<Object> {
        self.0.get_version(key, version, etag).await
    }

    async fn head_version(&self, key: &str, version: Option<&str>) -> Result<ObjectMeta> {
        self.0.head_version(key, version).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        match options.mode {
            PutMode::Overwrite => Ok(self.send(key, payload, options.last_modified_micros).await?.0),
            _ => self.0.put_with(key, payload, options).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key).await
    }

    async fn delete_version(&self, key: &str, version: Option<&str>) -> Result<()> {
        self.0.delete_version(key, version).await
    }

    async fn list_versions(&self, prefix: &str) -> Result<Vec<ListedVersion>> {
        self.0.list_versions(prefix).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.0.list(prefix).await
    }
}
