//! Gives a landed object files of its own again, so that it can be withdrawn or flattened once more without its neighbours.

use metriccare_lake::{bronze::BronzeCommit, keys};
use metriccare_ports::PutMode;

use super::state::folder_of;
use crate::{
    committed::{FileRows, table_of},
    error::FlowError,
    worker::Worker,
};

/// Takes an object's rows out of compacted files, into files of its own that its commit names then. Returns the commit; none
/// where the object has none.
///
/// Nothing else may write to the lake meanwhile, and no compaction may be under way. Interrupted, it is called once more.
///
/// # Errors
/// What the store does, and files that cannot be read or have other rows than the commit counts.
pub async fn own_files(worker: &Worker, object_id: &str) -> Result<Option<BronzeCommit>, FlowError> {
    let (lake, commit_key) = (&worker.ports.lake, keys::bronze_commit(object_id));
    let Some((_, bytes)) = lake.read_opt(&commit_key).await? else { return Ok(None) };
    let mut commit = BronzeCommit::from_json(&bytes)
        .map_err(|error| FlowError::Document { key: commit_key.clone(), reason: error.to_string() })?;
    let mut is_changed = false;
    for file in commit.files.iter_mut().filter(|file| file.rows_of.is_some()) {
        let shared = FileRows::from(&*file);
        let own = format!("{}{object_id}.parquet", folder_of(&file.key));
        let rows = match shared.read_opt(&**lake).await? {
            Some(bytes) => {
                let counted = metriccare_lake::table_file::count_rows(table_of(&file.key, &file.table)?, &bytes);
                let counted = counted.map_err(|source| FlowError::File { key: file.key.clone(), source })?;
                (counted > 0).then_some((counted, bytes))
            }
            None => None,
        };
        match rows {
            Some((counted, bytes)) if counted == file.rows => {
                lake.put(&own, bytes.into(), PutMode::Overwrite).await?;
                shared.remove(&**lake).await?;
            }
            // An interrupted call took them out.
            None if lake.head_opt(&own).await?.is_some() => {}
            _ => {
                let reason =
                    format!("it has not the {} rows that {commit_key} counts; see `metriccare verify`", file.rows);
                return Err(FlowError::Document { key: file.key.clone(), reason });
            }
        }
        (file.key, file.rows_of) = (own, None);
        is_changed = true;
    }
    if is_changed {
        commit.files.sort();
        lake.put(&commit_key, commit.to_json().into(), PutMode::Overwrite).await?;
    }
    Ok(Some(commit))
}
