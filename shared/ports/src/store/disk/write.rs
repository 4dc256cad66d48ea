//! Writing: the bytes go into a file of the store's own first, then take their place in one step.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    time::Duration,
};

use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    super::{
        ETag, Payload, PutMode, PutOptions, changed,
        etag::{ContentHash, PIECE},
        exists, missing,
    },
    Folder,
    fault::fault,
    force,
    path::own_folder,
};
use crate::{
    Error, ErrorKind, Result,
    clock::{micros, system_time},
};

/// How many locks the keys of a bucket share: few files, and little waiting for one another.
const LOCKS: u64 = 64;

/// How much is written at once, while it is still in the processor's cache from being hashed. For large writes the kernel
/// also takes large pages, which on a virtual machine are often memory that was never touched, and several times as slow.
const WRITTEN_AT_ONCE: usize = 16 * 1024;

/// A file being written for longer than this was left by a process that is gone.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

impl Folder {
    /// Writes an object under its condition.
    pub(super) fn put(&self, key: &str, payload: &Payload, options: &PutOptions) -> Result<ETag> {
        let path = self.path("put", key)?;
        if let Ok(metadata) = fs::metadata(&path) {
            if metadata.is_dir() {
                return Err(fault("put", &path, io::ErrorKind::IsADirectory.into()));
            }
            if options.mode == PutMode::IfAbsent {
                return Err(exists(&self.bucket, key));
            }
        }
        let (temp, etag) = self.write(payload, options.last_modified_micros)?;
        if self.forces_writes && force::is_due(options) {
            force::file(temp.as_file()).map_err(|error| fault("put", temp.path(), error))?;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| fault("put", parent, error))?;
        }
        let written = match &options.mode {
            PutMode::Overwrite => {
                let _with_others = self.lock(key, false)?;
                take_place(temp, &path)?
            }
            PutMode::IfAbsent => self.put_first(key, temp, &path)?,
            PutMode::IfMatch(expected) => {
                let _alone = self.lock(key, true)?;
                self.check_unchanged(key, &path, expected)?;
                take_place(temp, &path)?
            }
        };
        if self.forces_writes {
            force::name(&path).map_err(|error| fault("put", &path, error))?;
        }
        // Asked of the open file: at the path there may be another writer's already.
        if let Ok(metadata) = written.metadata() {
            self.known.written(key, &metadata, &etag);
            if let (Some(times), Ok(modified)) = (&self.times, metadata.modified()) {
                times.remember(key, &etag, micros(modified));
            }
        }
        Ok(etag)
    }

    /// Deletes an object, if it is there; folders stay.
    pub(super) fn delete(&self, key: &str) -> Result<()> {
        let path = self.path("delete", key)?;
        let _alone = self.lock(key, true)?;
        self.known.forget(key);
        match fs::remove_file(&path) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(fault("delete", &path, error))
            }
            _ => Ok(()),
        }
    }

    /// A hard link is made only where no name is: the first of many writers wins, in any process.
    fn put_first(&self, key: &str, temp: NamedTempFile, path: &Path) -> Result<File> {
        match fs::hard_link(temp.path(), path) {
            // The other name goes here: a file's times of status change with it.
            Ok(()) => Ok(temp.into_parts().0),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&self.bucket, key)),
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
                // A file system without hard links: look and rename under the lock that every writer takes.
                let _alone = self.lock(key, true)?;
                if path.try_exists().map_err(|error| fault("put", path, error))? {
                    return Err(exists(&self.bucket, key));
                }
                take_place(temp, path)
            }
            Err(error) => Err(fault("put", path, error)),
        }
    }

    fn check_unchanged(&self, key: &str, path: &Path, expected: &ETag) -> Result<()> {
        let found = match File::open(path).and_then(ETag::of_reader) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(missing("put", &self.bucket, key));
            }
            Err(error) => return Err(fault("put", path, error)),
        };
        if found == *expected {
            return Ok(());
        }
        self.known.forget(key);
        Err(changed("put", &self.bucket, key, expected, &found))
    }

    /// Writes the payload into a file of the store's own and hashes it as it passes by.
    fn write(&self, payload: &Payload, stamp: Option<i64>) -> Result<(NamedTempFile, ETag)> {
        let folder = own_folder(&self.root).join("writing");
        fs::create_dir_all(&folder).map_err(|error| fault("put", &folder, error))?;
        let mut temp = new_file(&folder).map_err(|error| fault("put", &folder, error))?;
        let mut hash = ContentHash::default();
        match payload {
            Payload::Bytes(bytes) => {
                for piece in bytes.chunks(WRITTEN_AT_ONCE) {
                    hash.update(piece);
                    temp.write_all(piece).map_err(|error| fault("put", temp.path(), error))?;
                }
            }
            Payload::File(source) => {
                let unreadable = |error: io::Error| {
                    let reason = format!("the file to be put cannot be read: {error}");
                    Error::new(ErrorKind::Invalid, "put", source.display(), reason).with_source(error)
                };
                let mut source = BufReader::with_capacity(PIECE, File::open(source).map_err(unreadable)?);
                loop {
                    let piece = source.fill_buf().map_err(unreadable)?;
                    if piece.is_empty() {
                        break;
                    }
                    for piece in piece.chunks(WRITTEN_AT_ONCE) {
                        hash.update(piece);
                        temp.write_all(piece).map_err(|error| fault("put", temp.path(), error))?;
                    }
                    let count = piece.len();
                    source.consume(count);
                }
            }
        }
        if let Some(stamp) = stamp {
            temp.as_file().set_modified(system_time(stamp)).map_err(|error| fault("put", temp.path(), error))?;
        }
        Ok((temp, hash.etag()))
    }

    /// Waits for the lock of a key, which ends when the file is dropped, or its process.
    fn lock(&self, key: &str, alone: bool) -> Result<File> {
        let folder = own_folder(&self.root).join("locks");
        fs::create_dir_all(&folder).map_err(|error| fault("lock", &folder, error))?;
        let path = folder.join(format!("{:02}", xxh3_64(key.as_bytes()) % LOCKS));
        let locked = File::options().create(true).truncate(false).write(true).open(&path).and_then(|file| {
            let waited = if alone { file.lock() } else { file.lock_shared() };
            waited.map(|()| file)
        });
        locked.map_err(|error| fault("lock", &path, error))
    }
}

fn take_place(temp: NamedTempFile, path: &Path) -> Result<File> {
    temp.persist(path).map_err(|error| fault("put", path, error.error))
}

/// A new file that other people may read as far as the umask allows, like any file of theirs.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Removes what a killed process left behind. What cannot be removed is only untidy, so errors are no matter.
pub(super) fn sweep(root: &Path) {
    let folder = own_folder(root).join("writing");
    let Ok(entries) = fs::read_dir(&folder) else { return };
    // The disk's own present, because its times may differ from this machine's.
    let Ok(now) = new_file(&folder).and_then(|file| file.as_file().metadata()?.modified()) else { return };
    for entry in entries.flatten() {
        let created = entry.metadata().and_then(|metadata| metadata.created());
        if created.is_ok_and(|created| now.duration_since(created).is_ok_and(|age| age > ABANDONED)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
