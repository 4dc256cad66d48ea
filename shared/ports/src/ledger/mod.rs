//! Who does which work, and what is done already: the ledger makes a redelivered event cheap.
//!
//! A work is claimed with one conditional write that carries a lease. A claim after the lease has lapsed, or
//! after a failure, is the next attempt, and from then on the earlier attempt is fenced: its completion is
//! refused with [`ErrorKind::LeaseLost`](crate::ErrorKind::LeaseLost). Completed and rejected are final. Times are
//! whole milliseconds of one [`Clock`](crate::Clock), handed in; the ledger reads none itself.
//!
//! The lease alone does not prevent writing twice. Keys that follow from the content, and conditional puts, do that.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{ObjectMeta, Result, store::object_id};

mod disk;
mod memory;
mod objects;
mod record;

pub use disk::DiskLedger;
pub use memory::MemoryLedger;
pub use objects::ObjectLedger;
pub use record::{Record, State};

/// The name of a work: what is to be done with which version of which object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkId(String);

impl WorkId {
    /// The work of a stage on one version of an object: its bucket, key, version (or ETag), and the time it was written.
    ///
    /// ```
    /// use metriccare_ports::WorkId;
    ///
    /// let work = WorkId::new("bronze", "landing", "patient/2025/01/31/p.ndjson", "etag", 1_738_281_600_000_000);
    /// assert!(work.as_str().starts_with("bronze/landing/"));
    /// ```
    pub fn new(stage: &str, bucket: &str, key: &str, version_or_etag: &str, landed_micros: i64) -> Self {
        Self(format!("{stage}/{bucket}/{}", object_id(key, version_or_etag, landed_micros)))
    }

    /// The work of a stage on an object as it is described.
    pub fn on(stage: &str, bucket: &str, meta: &ObjectMeta) -> Self {
        Self::new(stage, bucket, &meta.key, meta.version_or_etag(), meta.last_modified_micros)
    }

    /// The name as text, safe as a database's key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to do a work: who has it, and at which attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The work.
    pub work: WorkId,
    /// Who tries it.
    pub owner: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// Whether the attempt before this one ended without a word, so that its lease lapsed: its process was killed.
    pub takes_over: bool,
}

/// What a completed work left: enough to answer a redelivery without doing it again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// The key of the object that was written last, which wakes the next stage.
    pub output: String,
    /// The digest or ETag of that object.
    pub digest: String,
    /// How many rows the work wrote.
    pub rows: u64,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// The work is yours.
    Claimed(Claim),
    /// Another owner has it until then.
    Busy {
        /// When the lease ends, in milliseconds since 1970.
        until_millis: i64,
    },
    /// It is done.
    Done(Receipt),
    /// It was given up for good, and why.
    Rejected(String),
}

/// The ledger of works.
///
/// ```
/// use metriccare_ports::{Begin, Ledger, MemoryLedger, Receipt, WorkId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> metriccare_ports::Result<()> {
/// let ledger = MemoryLedger::default();
/// let work = WorkId::new("bronze", "landing", "patient/p.json", "etag", 0);
/// let Begin::Claimed(claim) = ledger.begin(&work, "first", 1_000, 31_000).await? else { panic!("a new work") };
/// assert_eq!(ledger.begin(&work, "second", 2_000, 32_000).await?, Begin::Busy { until_millis: 31_000 });
/// let receipt = Receipt { output: "bronze/_commits/p.json".into(), digest: "etag".into(), rows: 1 };
/// ledger.complete(&claim, &receipt).await?;
/// assert_eq!(ledger.begin(&work, "third", 3_000, 33_000).await?, Begin::Done(receipt));
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Ledger: fmt::Debug + Send + Sync {
    /// Claims a work until `lease_until`, both times in milliseconds.
    ///
    /// An owner names one try: two tries never share it. A second `begin` by the owner that holds the work is taken
    /// for a repeat after a lost reply, and answered with the same claim.
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin>;

    /// Ends a claimed work in a new state. The same claim may say the same twice.
    async fn end(&self, claim: &Claim, state: State) -> Result<()>;

    /// Ends a claimed work with its receipt.
    async fn complete(&self, claim: &Claim, receipt: &Receipt) -> Result<()> {
        self.end(claim, State::Completed { receipt: receipt.clone() }).await
    }

    /// Gives a claimed work up for good: it is never tried again.
    async fn reject(&self, claim: &Claim, reason: &str) -> Result<()> {
        self.end(claim, State::Rejected { reason: reason.to_owned() }).await
    }

    /// Gives a claimed work back after a failure, so that the next attempt need not wait for the lease to lapse.
    async fn fail(&self, claim: &Claim, why: &str) -> Result<()> {
        self.end(claim, State::Failed { why: why.to_owned() }).await
    }

    /// The object that first brought a content: this one if the content is new, else the one that was first.
    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String>;

    /// What is known of a work, for people and tests.
    async fn look(&self, work: &WorkId) -> Result<Option<Record>>;
}
