//! The name of an object's content.

use std::{fmt, io, io::Read};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// An opaque name of an object's content, without the quotes that HTTP puts around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// Takes an ETag as a store or an event gives it, with or without quotes.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim_matches('"').to_owned())
    }

    /// The text, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text in quotes, as an HTTP condition wants it.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// The ETag that memory and disk give to these bytes: XXH3-128 in hex, so equal lakes have equal ETags.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!("{:032x}", xxh3_128(bytes)))
    }

    /// The same as [`of_bytes`](Self::of_bytes) for all that a reader still holds, a piece at a time.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut hash = ContentHash::default();
        let mut buffer = vec![0; PIECE];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hash.etag()),
                Ok(count) => hash.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much of a file is in memory at a time.
pub(super) const PIECE: usize = 256 * 1024;

/// A content's hash, made as its bytes pass by.
#[derive(Default)]
pub(super) struct ContentHash(Xxh3);

impl ContentHash {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn etag(&self) -> ETag {
        ETag(format!("{:032x}", self.0.digest128()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_readers_give_the_same_etag() {
        for size in [0, 1, 1000, PIECE, PIECE * 2 + 17] {
            let bytes: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).expect("small")).collect();
            assert_eq!(ETag::of_reader(bytes.as_slice()).expect("memory"), ETag::of_bytes(&bytes));
        }
    }

    #[test]
    fn quotes_are_not_part_of_an_etag() {
        assert_eq!(ETag::new("\"abc\""), ETag::new("abc"));
        assert_eq!(ETag::new("abc").quoted(), "\"abc\"");
    }
}
