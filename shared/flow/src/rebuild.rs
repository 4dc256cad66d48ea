//! Silver and gold made again from what lies below them: after a damaged file, or under newer rules.
//!
//! The lake's settings first say that its tables are of no rules, so that nobody writes to it until all is made again: a
//! rebuild that was killed is done once more from its beginning. The ledger is not asked: it has this work as done.

use std::{collections::BTreeSet, sync::Arc};

use metriccare_lake::{
    bronze::BronzeCommit,
    keys,
    settings::{LakeSettings, Layer, Rules},
};
use metriccare_ports::PutMode;

use crate::{
    committed::FileRows,
    compact::end_compactions,
    drive::{Driven, Progress, take_landed},
    error::FlowError,
    function::Function,
    gold::{Gold, refresh},
    settings::read_settings,
    silver::{Silver, merge_files},
    worker::Worker,
};

/// What a lake is made again from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebuildFrom {
    /// From bronze: silver and gold.
    Bronze,
    /// From the landed objects: bronze too.
    Landing,
}

/// Makes silver and gold again, and bronze too where it begins with the landed objects.
///
/// Nothing else may write to the lake meanwhile.
///
/// # Errors
/// What the ports do, bronze of other rules where it is kept, and objects that cannot be read. The failure of single
/// landed objects is in [`Driven::failed`].
pub async fn rebuild(worker: &Arc<Worker>, from: RebuildFrom, progress: &dyn Progress) -> Result<Driven, FlowError> {
    let lake = &worker.ports.lake;
    let found = read_settings(&**lake).await?.map_or(Rules::UNNAMED, |settings| settings.rules);
    if from == RebuildFrom::Bronze {
        LakeSettings { buckets: worker.buckets, rules: found }.check_rules(Layer::Bronze)?;
    }
    let bronze = if from == RebuildFrom::Landing { 0 } else { found.bronze };
    write_rules(worker, Rules { bronze, silver: 0, gold: 0 }).await?;
    let mut removed = vec![keys::GOLD, keys::SILVER];
    if from == RebuildFrom::Landing {
        end_compactions(worker).await?;
        removed.push(keys::BRONZE);
    }
    for prefix in removed {
        for object in lake.list(prefix).await? {
            if object.key.starts_with(keys::WITHDRAWALS) {
                continue;
            }
            lake.delete(&object.key).await?;
        }
    }

    let mut driven = Driven::default();
    if from == RebuildFrom::Landing {
        write_rules(worker, Rules { bronze: Rules::CURRENT.bronze, silver: 0, gold: 0 }).await?;
        take_landed(worker, progress, &mut driven).await?;
    }
    let commits = lake.list(keys::BRONZE_COMMITS).await?;
    progress.begin(Silver::NAME, commits.len());
    let mut files = Vec::new();
    for listed in &commits {
        let bytes = lake.get(&listed.key).await?.body.bytes().await?;
        let commit = BronzeCommit::from_json(&bytes)
            .map_err(|error| FlowError::Document { key: listed.key.clone(), reason: error.to_string() })?;
        files.extend(commit.files);
    }
    merge_files(worker, FileRows::joined(&files)).await?;
    progress.advance(commits.len());
    let silver = lake.list(keys::SILVER_COMMITS).await?;
    let buckets: BTreeSet<u16> = silver.iter().filter_map(|listed| keys::bucket_of(&listed.key)).collect();
    progress.begin(Gold::NAME, buckets.len());
    refresh(worker, buckets.clone()).await?;
    progress.advance(buckets.len());
    if driven.failed.is_empty() {
        write_rules(worker, Rules::CURRENT).await?;
    }
    Ok(driven)
}

/// Says in the lake's settings which rules its tables are of; those of 0 close it to writers until it is rebuilt.
pub(crate) async fn write_rules(worker: &Worker, rules: Rules) -> Result<(), FlowError> {
    let settings = LakeSettings { buckets: worker.buckets, rules };
    worker.ports.lake.put(keys::LAKE_SETTINGS, settings.to_json().into(), PutMode::Overwrite).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, num::NonZeroUsize};

    use bytes::Bytes;
    use metriccare_ports::{Ports, SystemClock};

    use super::*;
    use crate::drive::{Unwatched, drive};

    async fn land(worker: &Worker, name: &str, resource: &str) {
        let key = format!("encounter/{name}.ndjson");
        let put = worker.ports.landing.put(&key, resource.to_owned().into(), PutMode::IfAbsent);
        put.await.expect("memory");
    }

    /// A stay that was filed under one patient and corrected to another, who lives in another bucket.
    async fn corrected() -> Arc<Worker> {
        let worker = Arc::new(Worker::new(Ports::memory(Arc::new(SystemClock)), 2, NonZeroUsize::MIN, "test"));
        for (version, patient) in [(1, "p1"), (2, "p3")] {
            let stay = format!(
                r#"{{"resourceType":"Encounter","id":"e","status":"finished","class":{{"code":"IMP"}},
                "meta":{{"versionId":"{version}","lastUpdated":"2025-01-0{version}T00:00:00Z"}},
                "subject":{{"reference":"Patient/{patient}"}},"period":{{"start":"2025-01-01","end":"2025-01-02"}}}}"#
            );
            land(&worker, &version.to_string(), &stay.replace('\n', "")).await;
        }
        let driven = drive(&worker, &Unwatched).await.expect("memory");
        assert!(driven.failed.is_empty(), "{:?}", driven.failed);
        worker
    }

    async fn objects(worker: &Worker) -> BTreeMap<String, Bytes> {
        let lake = &worker.ports.lake;
        let mut objects = BTreeMap::new();
        for listed in lake.list("").await.expect("memory") {
            let bytes = lake.get(&listed.key).await.expect("listed").body.bytes().await.expect("memory");
            objects.insert(listed.key, bytes);
        }
        objects
    }

    #[tokio::test]
    async fn a_damaged_lake_is_made_again() {
        for from in [RebuildFrom::Bronze, RebuildFrom::Landing] {
            let worker = corrected().await;
            let lake = &worker.ports.lake;
            let whole = objects(&worker).await;
            let silver: Vec<_> = whole.keys().filter(|key| key.starts_with(keys::SILVER)).collect();
            assert!(silver.len() >= 4, "two buckets, a commit and the index: {silver:?}");
            for key in silver {
                lake.put(key, "damaged".into(), PutMode::Overwrite).await.expect("memory");
            }
            lake.put("silver/encounter/bucket=99/part.parquet", "foreign".into(), PutMode::Overwrite)
                .await
                .expect("put");
            let driven = rebuild(&worker, from, &Unwatched).await.expect("rebuilt");
            assert!(driven.failed.is_empty(), "{:?}", driven.failed);
            assert_eq!(objects(&worker).await, whole, "{from:?}");
        }
    }

    #[tokio::test]
    async fn a_lake_of_older_rules_is_not_written_until_it_is_rebuilt() {
        let worker = corrected().await;
        let older = LakeSettings { buckets: 2, rules: Rules { silver: 1, ..Rules::CURRENT } };
        let lake = &worker.ports.lake;
        lake.put(keys::LAKE_SETTINGS, older.to_json().into(), PutMode::Overwrite).await.expect("memory");
        land(&worker, "3", r#"{"resourceType":"Patient","id":"p1"}"#).await;
        let before = lake.list(keys::SILVER).await.expect("memory");
        let driven = drive(&worker, &Unwatched).await.expect("memory");
        let (stage, reason) = driven.failed.first().expect("silver refuses");
        assert_eq!(*stage, Silver::NAME);
        assert!(reason.to_string().contains("`metriccare rebuild`"), "{reason}");
        assert_eq!(lake.list(keys::SILVER).await.expect("memory"), before);
        rebuild(&worker, RebuildFrom::Bronze, &Unwatched).await.expect("rebuilt");
        let settings = read_settings(&**lake).await.expect("memory").expect("settings");
        assert_eq!(settings, LakeSettings::new(2));
        let driven = drive(&worker, &Unwatched).await.expect("memory");
        assert!(driven.failed.is_empty(), "{:?}", driven.failed);
    }

    #[tokio::test]
    async fn bronze_of_older_rules_is_made_again_from_the_landed_objects_only() {
        let worker = corrected().await;
        let older = LakeSettings { buckets: 2, rules: Rules { bronze: 1, ..Rules::CURRENT } };
        let lake = &worker.ports.lake;
        lake.put(keys::LAKE_SETTINGS, older.to_json().into(), PutMode::Overwrite).await.expect("memory");
        let refused = rebuild(&worker, RebuildFrom::Bronze, &Unwatched).await.expect_err("bronze is older");
        assert!(refused.to_string().contains("`metriccare rebuild --from landing`"), "{refused}");
        rebuild(&worker, RebuildFrom::Landing, &Unwatched).await.expect("rebuilt");
        assert!(drive(&worker, &Unwatched).await.expect("memory").failed.is_empty());
    }
}
