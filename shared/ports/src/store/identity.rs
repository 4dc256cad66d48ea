//! The identity of a stored object: which key, which version of it, and when it was written.

use sha2::{Digest, Sha256};

use super::ObjectMeta;

/// The id of an object: SHA-256, in hex, of its key, its version or ETag, and the time it was written, in UTC microseconds.
///
/// Bronze files, commits and the ledger's works are named by it, so that it must never change.
pub fn object_id(key: &str, version_or_etag: &str, written_micros: i64) -> String {
    let mut hash = Sha256::new();
    for part in [key, version_or_etag] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(written_micros.to_be_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl ObjectMeta {
    /// The object's version where its bucket keeps versions, else its ETag.
    pub fn version_or_etag(&self) -> &str {
        self.version.as_deref().unwrap_or(self.etag.as_str())
    }

    /// The object's [`object_id`].
    pub fn object_id(&self) -> String {
        object_id(&self.key, self.version_or_etag(), self.last_modified_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ETag;

    #[test]
    fn the_id_is_pinned_and_takes_the_version_where_there_is_one() {
        let pinned = "c73d8e03b0e96728b52f0ba2d8d94980b153451d42005822087185d155606b39";
        assert_eq!(object_id("patient/p.json", "etag", 1_735_689_600_000_000), pinned);
        let (key, etag) = ("patient/p.json".to_owned(), ETag::new("etag"));
        let meta = ObjectMeta { key, size: 1, etag, version: None, last_modified_micros: 1_735_689_600_000_000 };
        assert_eq!(meta.object_id(), pinned);
        let versioned = ObjectMeta { version: Some("v".to_owned()), ..meta };
        assert_eq!(versioned.object_id(), object_id("patient/p.json", "v", 1_735_689_600_000_000));
    }
}
