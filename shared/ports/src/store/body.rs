//! An object's bytes on their way in and out, without ever holding a large object whole.
//!
//! A [`Body`] is read in one of two ways: whole with [`Body::bytes`], or as a blocking reader inside `spawn_blocking`
//! with [`Body::into_reader`], which is how large landed objects are flattened. A [`Payload`] is bytes, or a file that
//! the store reads itself, as often as its retries need.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use tokio::runtime::Handle;

use crate::{Error, ErrorKind, Result};

/// The bytes of an object that was read.
pub enum Body {
    /// In memory.
    Bytes(Bytes),
    /// In a file, open at its beginning. It stays what it was when a new version takes its place.
    File(File),
    /// Coming over the network in pieces.
    Stream(Box<dyn ChunkSource>),
}

/// A stream of pieces, as a network adapter has it.
#[async_trait]
pub trait ChunkSource: Send {
    /// The next piece; `None` at the end.
    async fn next_chunk(&mut self) -> Option<Result<Bytes>>;
}

impl Body {
    /// All bytes at once. For objects that are known to be small.
    pub async fn bytes(self) -> Result<Bytes> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(mut file) => {
                blocking(move || {
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
                    Ok(bytes.into())
                })
                .await
            }
            Self::Stream(mut source) => {
                let mut bytes = Vec::new();
                while let Some(chunk) = source.next_chunk().await {
                    bytes.extend_from_slice(&chunk?);
                }
                Ok(bytes.into())
            }
        }
    }

    /// A reader for blocking code, a piece at a time. It must be read outside async code (in `spawn_blocking`), where
    /// it may wait for the network on the given runtime. A port's error comes as the inner error of the `io::Error`.
    pub fn into_reader(self, runtime: &Handle) -> Box<dyn Read + Send> {
        match self {
            Self::Bytes(bytes) => Box::new(bytes.reader()),
            Self::File(file) => Box::new(file),
            Self::Stream(source) => Box::new(StreamReader { source, runtime: runtime.clone(), chunk: Bytes::new() }),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Body::Bytes({} bytes)", bytes.len()),
            Self::File(file) => write!(f, "Body::File({file:?})"),
            Self::Stream(_) => f.write_str("Body::Stream"),
        }
    }
}

struct StreamReader {
    source: Box<dyn ChunkSource>,
    runtime: Handle,
    chunk: Bytes,
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.source.next_chunk()) {
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// The bytes of an object to write. Cloning it is cheap.
#[derive(Debug, Clone)]
pub enum Payload {
    /// In memory.
    Bytes(Bytes),
    /// A file, whole. It must stay as it is until the put returns.
    File(PathBuf),
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

/// Runs blocking work off the async threads. A panic in it goes on in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(Error::new(ErrorKind::Unavailable, "run", "blocking work", "the runtime is stopping")
                .with_source(error)),
        },
    }
}

fn unreadable(error: &io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "read", "a body", error)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    struct Pieces(Vec<Result<Bytes>>);

    #[async_trait]
    impl ChunkSource for Pieces {
        async fn next_chunk(&mut self) -> Option<Result<Bytes>> {
            (!self.0.is_empty()).then(|| self.0.remove(0))
        }
    }

    fn bodies() -> Vec<Body> {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(b"hello world").expect("written");
        io::Seek::rewind(&mut file).expect("rewound");
        let pieces = ["hello", "", " wor", "ld"].map(|text| Ok(Bytes::from(text))).into();
        vec![Body::Bytes("hello world".into()), Body::File(file), Body::Stream(Box::new(Pieces(pieces)))]
    }

    #[tokio::test]
    async fn every_body_reads_whole_and_as_a_blocking_reader() {
        for body in bodies() {
            assert_eq!(body.bytes().await.expect("read"), "hello world");
        }
        for body in bodies() {
            let mut reader = body.into_reader(&Handle::current());
            let text = blocking(move || Ok(io::read_to_string(&mut reader).expect("read"))).await.expect("run");
            assert_eq!(text, "hello world");
        }
    }

    #[tokio::test]
    async fn an_error_in_a_stream_reaches_the_reader() {
        let error = Error::new(ErrorKind::Unavailable, "get", "landing/a", "connection reset");
        let body = Body::Stream(Box::new(Pieces(vec![Ok("half".into()), Err(error)])));
        let mut reader = body.into_reader(&Handle::current());
        let error = blocking(move || Ok(io::read_to_string(&mut reader).expect_err("broken"))).await.expect("run");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).expect("a port's error");
        assert_eq!(inner.kind(), ErrorKind::Unavailable);
    }
}
