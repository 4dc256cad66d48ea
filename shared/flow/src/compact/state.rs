//! How far the compaction of each bronze partition is: one object, changed by compare-and-swap by whoever has the lease.

use std::collections::BTreeMap;

use metriccare_lake::keys;
use metriccare_ports::{Error, ErrorKind, ObjectStore, register};
use serde::{Deserialize, Serialize};

use crate::{error::FlowError, worker::Worker};

/// `bronze/_compaction.json`: the partitions that are being compacted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compactions {
    /// Who compacts at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    /// The partitions, by their folders, such as `bronze/encounter/hospital_name=A/`.
    pub folders: BTreeMap<String, Stage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    owner: String,
    until_millis: i64,
}

/// How far the compaction of a partition is, and since when, in UTC microseconds.
///
/// Its folder holds every row in all stages, and its copy does while it is [`Serving`](Stage::Serving).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What lands is written to the folder and to its copy; what was there before is compacted into the copy.
    Copying(i64),
    /// The catalog reads the copy, in which small files are compacted; what lands is still written to both.
    Serving(i64),
    /// The catalog reads the folder again, which has the compacted files now; the copy is still there for running queries.
    Returned(i64),
}

impl Compactions {
    /// Reads how far compactions are; none where a lake was never compacted.
    ///
    /// # Errors
    /// What the store does, and what is no JSON of this kind.
    pub async fn read(lake: &dyn ObjectStore) -> Result<Option<Self>, FlowError> {
        match lake.read_opt(keys::COMPACTIONS).await? {
            Some((_, bytes)) => Self::from_json(&bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the object's bytes.
    ///
    /// # Errors
    /// What is no JSON of this kind.
    pub fn from_json(bytes: &[u8]) -> Result<Self, FlowError> {
        serde_json::from_slice(bytes)
            .map_err(|error| FlowError::Document { key: keys::COMPACTIONS.to_owned(), reason: error.to_string() })
    }

    /// Whether a file of this folder is written to the folder's copy as well.
    pub fn is_copied(&self, folder: &str) -> bool {
        matches!(self.folders.get(folder), Some(Stage::Copying(_) | Stage::Serving(_)))
    }

    /// Whether queries read the folder's copy in its place.
    pub fn reads_copy(&self, folder: &str) -> bool {
        matches!(self.folders.get(folder), Some(Stage::Serving(_)))
    }
}

/// The right to compact a lake, until the worker's lease ends.
pub(super) struct Lease<'a> {
    worker: &'a Worker,
    owner: String,
}

impl<'a> Lease<'a> {
    /// Takes the lease, with what there is to do; none where another process has it.
    pub(super) async fn take(worker: &'a Worker) -> Result<Option<(Self, Compactions)>, FlowError> {
        let owner = worker.owner();
        let now = worker.ports.clock.now_millis();
        let lease = i64::try_from(worker.lease.as_millis()).unwrap_or(i64::MAX);
        let mine = Holder { owner: owner.clone(), until_millis: now.saturating_add(lease) };
        let taken = update(worker, |state| {
            if state.holder.as_ref().is_none_or(|holder| holder.until_millis <= now || holder.owner == mine.owner) {
                state.holder = Some(mine.clone());
            }
            Ok(())
        });
        let state = taken.await?;
        let is_mine = state.holder.as_ref() == Some(&mine);
        Ok(is_mine.then_some((Self { worker, owner }, state)))
    }

    /// Changes what is known of the folders.
    pub(super) async fn change(
        &self,
        change: impl Fn(&mut Compactions) + Send + Sync,
    ) -> Result<Compactions, FlowError> {
        update(self.worker, |state| {
            if state.holder.as_ref().is_none_or(|holder| holder.owner != self.owner) {
                let reason = "another process has taken the compaction over";
                return Err(Error::new(ErrorKind::LeaseLost, "compact", keys::COMPACTIONS, reason).into());
            }
            change(state);
            Ok(())
        })
        .await
    }

    /// Sets the stage of a folder; none where its compaction is over.
    pub(super) async fn set(&self, folder: &str, stage: Option<Stage>) -> Result<Compactions, FlowError> {
        self.change(|state| match stage {
            Some(stage) => state.folders.extend([(folder.to_owned(), stage)]),
            None => state.folders.retain(|it, _| it != folder),
        })
        .await
    }

    /// Gives the lease back.
    pub(super) async fn release(self) -> Result<(), FlowError> {
        self.change(|state| state.holder = None).await.map(|_| ())
    }
}

async fn update(
    worker: &Worker,
    change: impl Fn(&mut Compactions) -> Result<(), FlowError> + Send + Sync,
) -> Result<Compactions, FlowError> {
    let mut last = Compactions::default();
    let (lake, clock, retry) = (&worker.ports.lake, &worker.ports.clock, worker.retry(keys::COMPACTIONS));
    register::update(&**lake, &**clock, keys::COMPACTIONS, &retry, |current| {
        let changed: Result<register::Change, FlowError> = (|| {
            let mut state = current.map_or(Ok(Compactions::default()), |it| Compactions::from_json(&it.bytes))?;
            change(&mut state)?;
            let bytes = serde_json::to_vec(&state).expect("text and numbers are JSON");
            last = state;
            Ok(register::Change::Write(bytes.into()))
        })();
        async move { changed }
    })
    .await?;
    Ok(last)
}

/// The folder of a file, with its last slash.
pub(crate) fn folder_of(key: &str) -> &str {
    key.rfind('/').map_or("", |slash| &key[..=slash])
}
