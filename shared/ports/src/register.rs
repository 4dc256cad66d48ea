//! An object as a register that many writers share: read, compute, write only if nothing changed, else start again.
//!
//! Every silver and gold object is written so. The computation should be a join: what it makes of the object and its
//! own inputs must be the same however often it is applied. Then a reply that was lost does no harm: the next turn
//! reads the object back and finds its own bytes, or computes again on top of whatever is there.

use bytes::Bytes;

use crate::{Clock, ETag, Error, ErrorKind, ObjectMeta, ObjectStore, Payload, PutMode, Result, Retry};

/// The object as it was read.
#[derive(Debug, Clone)]
pub struct Current {
    /// What is known of it.
    pub meta: ObjectMeta,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What a computation wants.
#[derive(Debug, Clone)]
pub enum Change {
    /// The object is right as it is.
    Keep,
    /// These bytes instead. Bytes equal to the present ones are not written.
    Write(Bytes),
}

/// The result of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The object's ETag now; `None` where there is still no object.
    pub etag: Option<ETag>,
    /// Whether this call wrote it.
    pub written: bool,
    /// How many turns it took, from 1.
    pub turns: u32,
}

/// Updates a register: reads it, lets `compute` say what should be there, and writes that unless another writer was
/// first, in which case everything starts again from the read, after a jittered wait on the clock.
///
/// `compute` gets the present object, or `None` where there is none, and may read its inputs: they are read after the
/// register, so that what it writes is never older than what the register's ETag stands for. Its own errors end the
/// update. When the turns are used up, the last turn's error is returned; it is retryable.
///
/// ```
/// use std::sync::Arc;
///
/// use metriccare_ports::{Error, ManualClock, MemoryStore, Retry, register::{Change, update}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> metriccare_ports::Result<()> {
/// let clock = Arc::new(ManualClock::default());
/// let lake = MemoryStore::new("lake", clock.clone());
/// let add = |current: Option<metriccare_ports::register::Current>| async move {
///     let mut bytes = current.map_or_else(Vec::new, |current| current.bytes.to_vec());
///     if !bytes.contains(&b'x') {
///         bytes.push(b'x');
///     }
///     Ok::<_, Error>(Change::Write(bytes.into()))
/// };
/// assert!(update(&lake, &*clock, "set", &Retry::seeded(1), add).await?.written);
/// assert!(!update(&lake, &*clock, "set", &Retry::seeded(1), add).await?.written);
/// # Ok(())
/// # }
/// ```
pub async fn update<E, F, C>(
    store: &dyn ObjectStore,
    clock: &dyn Clock,
    key: &str,
    retry: &Retry,
    mut compute: F,
) -> Result<Updated, E>
where
    E: From<Error> + Send,
    F: FnMut(Option<Current>) -> C + Send,
    C: Future<Output = Result<Change, E>> + Send,
{
    let mut waits = retry.waits();
    let mut turns = 0;
    // The bytes of a write whose reply was lost: they may be there.
    let mut unanswered: Option<Bytes> = None;
    loop {
        turns += 1;
        let failed = match read(store, key).await {
            Ok(current) => {
                let etag = current.as_ref().map(|current| current.meta.etag.clone());
                let present = current.as_ref().map(|current| current.bytes.clone());
                if unanswered.is_some() && unanswered == present {
                    return Ok(Updated { etag, written: true, turns });
                }
                let Change::Write(bytes) = compute(current).await? else {
                    return Ok(Updated { etag, written: false, turns });
                };
                if present.as_ref() == Some(&bytes) {
                    return Ok(Updated { etag, written: false, turns });
                }
                let mode = etag.map_or(PutMode::IfAbsent, PutMode::IfMatch);
                match store.put(key, Payload::Bytes(bytes.clone()), mode).await {
                    Ok(etag) => return Ok(Updated { etag: Some(etag), written: true, turns }),
                    Err(error) => {
                        if error.kind() == ErrorKind::Unavailable {
                            unanswered = Some(bytes);
                        }
                        error
                    }
                }
            }
            Err(error) => error,
        };
        // A condition on an object that has gone meanwhile is "not found" on S3: read again as well.
        let may_retry = failed.retryable() || matches!(failed.kind(), ErrorKind::Precondition | ErrorKind::NotFound);
        match waits.next() {
            Some(wait) if may_retry => clock.sleep(wait).await,
            _ if may_retry && !failed.retryable() => {
                let reason = format!("other writers were first in all of {turns} turns");
                return Err(Error::new(ErrorKind::Conflict, "update", failed.subject(), reason)
                    .with_source(failed)
                    .into());
            }
            _ => return Err(failed.into()),
        }
    }
}

async fn read(store: &dyn ObjectStore, key: &str) -> Result<Option<Current>> {
    Ok(store.read_opt(key).await?.map(|(meta, bytes)| Current { meta, bytes }))
}

#[cfg(test)]
mod tests;
