//! What the file system says, by what to do about it.

use std::{io, path::Path};

use crate::{Error, ErrorKind};

/// An error of the file system as a port's error that names the path.
pub(super) fn fault(operation: &'static str, path: &Path, error: io::Error) -> Error {
    let (kind, reason) = match error.kind() {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "there is no such file or folder".to_owned()),
        io::ErrorKind::PermissionDenied => (ErrorKind::Forbidden, "permission denied".to_owned()),
        io::ErrorKind::ReadOnlyFilesystem => (ErrorKind::Forbidden, "the file system is read-only".to_owned()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (ErrorKind::Full, "no space is left on the disk".to_owned())
        }
        io::ErrorKind::FileTooLarge => (ErrorKind::Full, "the file is larger than the disk takes".to_owned()),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            (ErrorKind::Invalid, "a file is in the way where the key needs a folder".to_owned())
        }
        io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty => {
            (ErrorKind::Invalid, "a folder is in the way of the file".to_owned())
        }
        io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput => {
            (ErrorKind::Invalid, "the disk takes no such name (at most 255 bytes between slashes)".to_owned())
        }
        _ => (ErrorKind::Unavailable, error.to_string()),
    };
    Error::new(kind, operation, path.display(), reason).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_and_a_closed_disk_are_distinguished_and_named() {
        let of = |kind: io::ErrorKind| fault("put", Path::new("/lake/gold"), kind.into());
        assert_eq!(of(io::ErrorKind::StorageFull).kind(), ErrorKind::Full);
        assert_eq!(of(io::ErrorKind::StorageFull).to_string(), "put /lake/gold: no space is left on the disk");
        assert_eq!(of(io::ErrorKind::ReadOnlyFilesystem).kind(), ErrorKind::Forbidden);
        assert_eq!(of(io::ErrorKind::PermissionDenied).kind(), ErrorKind::Forbidden);
        assert!(of(io::ErrorKind::TimedOut).retryable());
    }
}
