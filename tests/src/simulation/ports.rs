//! A handler's ports: every call waits for its turn, and after it the laws of the ledger and of bronze are checked.

use std::sync::Arc;

use async_trait::async_trait;
use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::{
    Begin, Claim, ETag, Ledger, Listed, MemoryLedger, MemoryStore, Object, ObjectMeta, ObjectStore, Payload, PutMode,
    PutOptions, Result, WorkId,
    ledger::{Record, State},
};

use super::turns::{Call, Turns};

/// A bucket as one handler reaches it.
#[derive(Debug)]
pub(crate) struct TurnStore {
    pub(crate) inner: Arc<dyn ObjectStore>,
    /// The lake itself, for the check that a commit names only files that are there.
    pub(crate) lake: Arc<MemoryStore>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) handler: usize,
}

impl TurnStore {
    async fn check_commit(&self, key: &str) {
        if !key.starts_with(keys::BRONZE_COMMITS) || self.inner.bucket() != self.lake.bucket() {
            return;
        }
        let Ok(Some((_, bytes))) = self.lake.read_opt(key).await else { return };
        let Ok(commit) = BronzeCommit::from_json(&bytes) else { return };
        for file in commit.files {
            if self.lake.head(&file.key).await.is_err() {
                self.turns.violate(format!("{key} is committed before its file {}", file.key));
            }
        }
    }
}

#[async_trait]
impl ObjectStore for TurnStore {
    fn bucket(&self) -> &str {
        self.inner.bucket()
    }

    async fn get_if(&self, key: &str, etag: Option<&ETag>) -> Result<Object> {
        self.turns.call(self.handler, Call::Read, "get", key, self.inner.get_if(key, etag)).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta> {
        self.turns.call(self.handler, Call::Read, "head", key, self.inner.head(key)).await
    }

    async fn put_with(&self, key: &str, payload: Payload, options: PutOptions) -> Result<ETag> {
        let call = if options.mode == PutMode::Overwrite { Call::Put } else { Call::ConditionalPut };
        let put = async {
            let etag = self.inner.put_with(key, payload, options).await?;
            self.check_commit(key).await;
            Ok(etag)
        };
        self.turns.call(self.handler, call, "put", key, put).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.turns.call(self.handler, Call::Put, "delete", key, self.inner.delete(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.turns.call(self.handler, Call::Read, "list", prefix, self.inner.list(prefix)).await
    }
}

/// The ledger as one handler reaches it.
#[derive(Debug)]
pub(crate) struct TurnLedger {
    pub(crate) inner: Arc<dyn Ledger>,
    /// The ledger itself, for the check of its laws.
    pub(crate) records: Arc<MemoryLedger>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) handler: usize,
}

impl TurnLedger {
    async fn record(&self, work: &WorkId) -> Option<Record> {
        self.records.look(work).await.expect("memory")
    }
}

/// The law that an answer to a claim breaks, if any.
fn broken_claim(before: Option<&Record>, answer: &Begin, owner: &str, now: i64) -> Option<&'static str> {
    let free = before.is_none_or(|record| match &record.state {
        State::InProgress { lease_until_millis } => *lease_until_millis <= now || record.owner == owner,
        State::Failed { .. } => true,
        State::Completed { .. } | State::Rejected { .. } => false,
    });
    let completed = before.is_some_and(|record| matches!(record.state, State::Completed { .. }));
    match answer {
        Begin::Claimed(_) if !free => Some("it is claimed while another has it, or after it was completed"),
        Begin::Done(_) if !completed => Some("it is answered as done before it was completed"),
        Begin::Busy { .. } if free => Some("it is answered as busy without a lease"),
        _ => None,
    }
}

#[async_trait]
impl Ledger for TurnLedger {
    async fn begin(&self, work: &WorkId, owner: &str, now_millis: i64, lease_until_millis: i64) -> Result<Begin> {
        let begin = async {
            let before = self.record(work).await;
            let answer = self.inner.begin(work, owner, now_millis, lease_until_millis).await?;
            if let Some(broken) = broken_claim(before.as_ref(), &answer, owner, now_millis) {
                self.turns.violate(format!("{work}: {broken}"));
            }
            Ok(answer)
        };
        self.turns.call(self.handler, Call::Ledger, "begin", work.as_str(), begin).await
    }

    async fn end(&self, claim: &Claim, state: State) -> Result<()> {
        let operation = state.operation();
        let end = async {
            let wanted = Record { owner: claim.owner.clone(), attempt: claim.attempt, state: state.clone() };
            self.inner.end(claim, state).await?;
            if self.record(&claim.work).await.as_ref() != Some(&wanted) {
                self.turns.violate(format!("{}: an attempt that has lost its lease ended it", claim.work));
            }
            Ok(())
        };
        self.turns.call(self.handler, Call::Ledger, operation, claim.work.as_str(), end).await
    }

    async fn first_holder(&self, content_id: &str, object_id: &str) -> Result<String> {
        let call = self.inner.first_holder(content_id, object_id);
        self.turns.call(self.handler, Call::Ledger, "first_holder", content_id, call).await
    }

    async fn look(&self, work: &WorkId) -> Result<Option<Record>> {
        self.turns.call(self.handler, Call::Read, "look", work.as_str(), self.inner.look(work)).await
    }
}
