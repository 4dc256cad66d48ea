//! A bucket in a folder: a key is a path below it, as it is written, so that people and query engines find their way.
//!
//! A file is written beside the data and takes its place in one step, so a reader or a killed process never leaves or
//! sees half of one. Conditions are exact across threads and processes: the first writer wins by a hard link, a
//! compare-and-swap compares and renames under a file lock. ETags name the content, so equal lakes have equal ETags.
//! A killed process loses nothing. A store that [forces its writes](DiskStore::forcing_writes) has a file's bytes on the disk
//! before the file takes its name: after a power cut an object is whole, as it was before, or not there; only what is put as
//! repeatable may be damaged then. Names are forced before the ledger is.
//!
//! Names that begin with a dot belong to the folder (`.store/` holds locks and files being written) and are no keys.

use std::{
    fs::{self, File},
    io::{self, Seek},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;

use self::{fault::fault, known::KnownETags, times::Times};
use super::{
    Body, ETag, Listed, Object, ObjectMeta, ObjectStore, Payload, PutOptions, body::blocking, changed, missing,
};
use crate::{Result, clock::micros};

mod fault;
pub(crate) mod force;
mod known;
mod list;
mod path;
mod times;
mod write;

/// A bucket in a folder.
#[derive(Debug, Clone)]
pub struct DiskStore {
    folder: Arc<Folder>,
}

/// The blocking half: everything that touches the file system.
#[derive(Debug)]
struct Folder {
    bucket: String,
    root: PathBuf,
    hidden: Vec<String>,
    forces_writes: bool,
    known: KnownETags,
    /// The times of objects, if they are remembered apart from those of the files.
    times: Option<Times>,
}

impl DiskStore {
    /// Opens a folder as a bucket, and makes it where it is missing.
    pub fn open(bucket: impl Into<String>, root: impl Into<PathBuf>) -> Result<Self> {
        let (bucket, root) = (bucket.into(), root.into());
        fs::create_dir_all(&root).map_err(|error| fault("open", &root, error))?;
        Self::open_existing(bucket, root)
    }

    /// Opens a folder as a bucket; a folder that is not there is not made, but [`NotFound`](crate::ErrorKind::NotFound).
    pub fn open_existing(bucket: impl Into<String>, root: impl Into<PathBuf>) -> Result<Self> {
        let (bucket, root) = (bucket.into(), root.into());
        fs::read_dir(&root).map_err(|error| fault("open", &root, error))?;
        write::sweep(&root);
        let (hidden, known) = (Vec::new(), KnownETags::default());
        let folder = Folder { bucket, root, hidden, forces_writes: false, known, times: None };
        Ok(Self { folder: Arc::new(folder) })
    }

    /// The same bucket without one folder at its top, which belongs to another bucket.
    #[must_use]
    pub fn hiding(self, name: &str) -> Self {
        self.with(|folder| folder.hidden.push(name.to_owned()))
    }

    /// The same bucket, whose objects keep their times when the folder is copied without them. Times that are new are
    /// written down if `writes`; a reader only looks them up.
    #[must_use]
    pub fn remembering_times(self, writes: bool) -> Self {
        self.with(|folder| folder.times = Some(Times::new(&folder.root, writes)))
    }

    /// The same bucket, whose objects a power cut does not damage: each is forced to the disk before it takes its place, unless
    /// it is put as repeatable.
    #[must_use]
    pub fn forcing_writes(self) -> Self {
        self.with(|folder| folder.forces_writes = true)
    }

    fn with(self, change: impl FnOnce(&mut Folder)) -> Self {
        let Folder { bucket, root, hidden, forces_writes, .. } = &*self.folder;
        let mut folder = Folder {
            bucket: bucket.clone(),
            root: root.clone(),
            hidden: hidden.clone(),
            forces_writes: *forces_writes,
            known: KnownETags::default(),
            times: self.folder.times.as_ref().map(|times| Times::new(root, times.writes())),
        };
        change(&mut folder);
        Self { folder: Arc::new(folder) }
    }

    /// The bucket's folder.
    pub fn root(&self) -> &Path {
        &self.folder.root
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Folder) -> Result<T> + Send + 'static) -> Result<T> {
        let folder = Arc::clone(&self.folder);
        blocking(move || work(&folder)).await
    }
}

#[async_trait]
impl ObjectStore for DiskStore {
    fn bucket(&self) -> &str {
        &self.folder.bucket
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        let (key, etag) = (key.to_owned(), etag.cloned());
        self.blocking(move |folder| {
            let (meta, mut file) = folder.read("get", &key)?;
            if let Some(expected) = etag.filter(|etag| *etag != meta.etag) {
                return Err(changed("get", &folder.bucket, &key, &expected, &meta.etag));
            }
            file.rewind().map_err(|error| fault("get", &folder.root.join(&key), error))?;
            Ok(Object { meta, body: Body::File(file) })
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        let key = key.to_owned();
        self.blocking(move |folder| Ok(folder.read("head", &key)?.0)).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        let key = key.to_owned();
        self.blocking(move |folder| folder.put(&key, &payload, &options)).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.blocking(move |folder| folder.delete(&key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        let prefix = prefix.to_owned();
        self.blocking(move |folder| folder.list(&prefix)).await
    }
}

impl Folder {
    /// Opens an object and learns all that is to know of it from the open file, which no later put changes.
    fn read(&self, operation: &'static str, key: &str) -> Result<(ObjectMeta, File)> {
        let path = self.path(operation, key)?;
        let found = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, mut file) = match found {
            Ok((metadata, file)) if metadata.is_file() => (metadata, file),
            Ok(_) => return Err(missing(operation, &self.bucket, key)),
            // A file where the key has a folder: no object of this key can be there.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(missing(operation, &self.bucket, key));
            }
            Err(error) => return Err(fault(operation, &path, error)),
        };
        let etag = self.known.etag(key, &metadata, &mut file).map_err(|error| fault(operation, &path, error))?;
        let modified = micros(metadata.modified().map_err(|error| fault(operation, &path, error))?);
        let last_modified_micros = self.times.as_ref().map_or(modified, |times| times.resolve(key, &etag, modified));
        let meta = ObjectMeta { key: key.to_owned(), size: metadata.len(), etag, version: None, last_modified_micros };
        Ok((meta, file))
    }
}

#[cfg(test)]
mod tests;
