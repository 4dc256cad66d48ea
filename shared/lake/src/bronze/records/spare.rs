//! Buffers that are used again: fresh memory costs as much as reading into it does.

use std::sync::{Arc, Mutex, PoisonError};

use super::Chunk;

/// The buffers of chunks that are done with, shared by who reads an object and who makes rows of it.
#[derive(Clone, Debug)]
pub struct SpareBuffers {
    buffers: Arc<Mutex<Vec<Vec<u8>>>>,
    /// The size of a buffer; one that a large record has made larger than twice that is not kept.
    size: usize,
}

impl SpareBuffers {
    pub(super) fn new(size: usize) -> Self {
        SpareBuffers { buffers: Arc::default(), size }
    }

    /// Takes back a chunk's buffer.
    pub fn give(&self, chunk: Chunk) {
        let mut buffer = chunk.bytes;
        if buffer.capacity() <= self.size.saturating_mul(2) {
            buffer.clear();
            self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        }
    }

    /// An empty buffer.
    pub(super) fn take(&self) -> Vec<u8> {
        let kept = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Vec::with_capacity(self.size))
    }
}
