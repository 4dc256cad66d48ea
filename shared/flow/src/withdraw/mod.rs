//! Withdrawal: landed objects, or what speaks of one patient, taken out of a lake as if it had never landed.
//!
//! The order makes an interrupted withdrawal safe to run again: first the row that says so, which keeps bronze from taking the
//! object in once more, then the lake is closed to other writers, then landing, the commits, and the files that only the
//! commits name; silver and gold are made again last.

mod bronze_rows;
#[cfg(test)]
mod landed;
mod objects;
mod patient;
pub(crate) mod withdrawals;

use std::sync::Arc;

use metriccare_lake::{
    bronze::{BronzeCommit, Withdrawal},
    keys,
    schema::BRONZE_WITHDRAWAL,
    settings::{LakeSettings, Layer, Rules},
};
use metriccare_ports::{ListedVersion, ObjectMeta, ObjectStore, PutMode};

pub use objects::{WithdrawalPlan, Withdrawn, withdraw, withdrawn_objects};
pub use patient::{PatientPlan, PatientWithdrawn, withdraw_patient};

use crate::{
    error::FlowError,
    rebuild::write_rules,
    settings::read_settings,
    worker::{Worker, side_by_side},
};

/// The rules of a lake's tables.
async fn rules_of(lake: &dyn ObjectStore) -> Result<Rules, FlowError> {
    Ok(read_settings(lake).await?.map_or(Rules::UNNAMED, |settings| settings.rules))
}

/// The rules of a lake's tables, where bronze is of the present ones.
async fn checked_rules(worker: &Worker) -> Result<Rules, FlowError> {
    let rules = rules_of(&*worker.ports.lake).await?;
    LakeSettings { buckets: worker.buckets, rules }.check_rules(Layer::Bronze)?;
    Ok(rules)
}

/// Closes silver and gold to other writers until they are rebuilt.
async fn close(worker: &Worker, rules: Rules) -> Result<(), FlowError> {
    write_rules(worker, Rules { silver: 0, gold: 0, ..rules }).await
}

/// The bronze commits of a lake.
async fn commits(lake: &dyn ObjectStore) -> Result<Vec<BronzeCommit>, FlowError> {
    let mut commits = Vec::new();
    for listed in lake.list(keys::BRONZE_COMMITS).await? {
        let bytes = lake.get(&listed.key).await?.body.bytes().await?;
        let commit = BronzeCommit::from_json(&bytes)
            .map_err(|error| FlowError::Document { key: listed.key, reason: error.to_string() })?;
        commits.push(commit);
    }
    Ok(commits)
}

/// Writes the row that says what is withdrawn, and makes its partition known.
async fn record(worker: &Worker, id: &str, withdrawal: &Withdrawal) -> Result<(), FlowError> {
    let file = withdrawal.key(id);
    let bytes = withdrawal.to_parquet().map_err(|error| FlowError::Other(error.into()))?;
    worker.ports.lake.put(&file, bytes.into(), PutMode::Overwrite).await?;
    let date = keys::partition_value(&file, "ingest_date").flatten().unwrap_or_default();
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (catalog, table) = (&worker.ports.catalog, BRONZE_WITHDRAWAL.glue_name());
    catalog.ensure_partition(&table, &[&date], &format!("{folder}/")).await?;
    Ok(())
}

/// Every version of every landed object, as the objects describe themselves: a listing may state another time.
async fn landed_versions(worker: &Arc<Worker>) -> Result<Vec<ListedVersion>, FlowError> {
    let listed = worker.ports.landing.list_versions("").await?;
    let described = side_by_side(worker.io_width, listed, |listed| {
        let landing = Arc::clone(&worker.ports.landing);
        async move {
            let meta = landing.head_version_opt(&listed.meta.key, listed.meta.version.as_deref()).await?;
            Ok::<_, FlowError>(meta.map(|meta| ListedVersion { meta, ..listed }))
        }
    });
    described.await.into_iter().filter_map(Result::transpose).collect()
}

/// Deletes a landed object for good. Where the bucket keeps versions, none of before takes its place.
async fn delete_landed(landing: &dyn ObjectStore, meta: &ObjectMeta, is_latest: bool) -> Result<(), FlowError> {
    if is_latest {
        landing.delete(&meta.key).await?;
    }
    if meta.version.is_some() {
        landing.delete_version(&meta.key, meta.version.as_deref()).await?;
    }
    Ok(())
}

/// Deletes the versions that a bucket keeps of replaced and deleted objects.
async fn delete_old_versions(worker: &Arc<Worker>, prefixes: &[&str]) -> Result<(), FlowError> {
    for prefix in prefixes {
        let mut old = worker.ports.lake.list_versions(prefix).await?;
        old.retain(|listed| listed.meta.version.is_some() && (listed.is_deleted || !listed.is_latest));
        let deleted = side_by_side(worker.io_width, old, |listed| {
            let lake = Arc::clone(&worker.ports.lake);
            async move { lake.delete_version(&listed.meta.key, listed.meta.version.as_deref()).await }
        });
        deleted.await.into_iter().collect::<Result<Vec<()>, _>>()?;
    }
    Ok(())
}

/// The name of a Parquet file: in bronze, the id of the landed object that it is of.
fn file_stem(file: &str) -> Option<&str> {
    file.rsplit('/').next()?.strip_suffix(".parquet")
}
