//! What is forced to the disk, and when: the order that makes a lake whole after a power cut.
//!
//! The bytes of a file are forced before it takes its name. Names, deletions and the bytes of repeatable objects are forced
//! all at once, before the ledger forces its own file: what the ledger has as done after a power cut is on the disk. Systems
//! that cannot force a whole file system force every file and every name at once.

use std::{fs::File, io, path::Path};

use super::super::PutOptions;

/// Whether the whole file system can be forced at once.
const AT_ONCE: bool = cfg!(target_os = "linux");

/// Whether a file has to be forced before it takes its name.
pub(super) fn is_due(options: &PutOptions) -> bool {
    !options.is_repeatable || !AT_ONCE
}

/// Forces a file: its bytes, its size and its times.
pub(super) fn file(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Forces the name of a file, where it is not forced with everything else later.
pub(super) fn name(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) && !AT_ONCE => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Forces everything that was written to the file system of a folder.
#[cfg(target_os = "linux")]
pub(crate) fn everything(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Everything was forced when it was written.
#[cfg(not(target_os = "linux"))]
pub(crate) fn everything(_folder: &Path) -> io::Result<()> {
    Ok(())
}
