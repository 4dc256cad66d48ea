//! Landed objects taken out of a lake by their keys: every version of them, in landing, bronze, silver and gold.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use metriccare_lake::{
    bronze::{BronzeCommit, Withdrawal},
    keys,
    settings::Rules,
};
use metriccare_ports::{ListedVersion, ObjectStore};

use super::{checked_rules, close, commits, delete_landed, file_stem, record};
use crate::{
    compact::{end_compactions, own_files},
    drive::{Driven, Progress},
    error::FlowError,
    rebuild::{RebuildFrom, rebuild},
    worker::Worker,
};

/// What a lake has of the keys that are to be withdrawn.
#[derive(Debug, Default)]
pub struct WithdrawalPlan {
    /// The objects, each version of a key by its id.
    objects: BTreeMap<String, Planned>,
    /// Keys that neither landing nor bronze has, and that were not withdrawn before.
    pub unknown: Vec<String>,
    /// Every key of landing and bronze, for suggestions.
    pub known: BTreeSet<String>,
}

/// A version of a landed object that is to be withdrawn.
#[derive(Debug)]
struct Planned {
    key: String,
    commit: Option<BronzeCommit>,
    landed: Option<ListedVersion>,
    recorded: bool,
}

/// What was withdrawn.
#[derive(Debug, Default)]
pub struct Withdrawn {
    /// The versions of landed objects that were withdrawn now.
    pub objects: usize,
    /// Their records.
    pub records: u64,
    /// The files of bronze that were deleted.
    pub files: usize,
    /// Keys of which nothing was left: an earlier command withdrew them.
    pub already: Vec<String>,
    /// What the rebuild of silver and gold did; none where neither had to be made again.
    pub rebuilt: Option<Driven>,
}

impl WithdrawalPlan {
    /// Finds landed objects by their keys: in landing, in bronze, and in `bronze/withdrawal`. Nothing is changed.
    ///
    /// # Errors
    /// What the ports do, and commits and withdrawals that cannot be read.
    pub async fn of(worker: &Worker, wanted: &BTreeSet<String>) -> Result<Self, FlowError> {
        let (landing, lake) = (&worker.ports.landing, &worker.ports.lake);
        let mut plan = WithdrawalPlan::default();
        for commit in commits(&**lake).await? {
            plan.known.insert(commit.sourcename.clone());
            if wanted.contains(&commit.sourcename) {
                plan.planned(&commit.object_id, &commit.sourcename).commit = Some(commit.clone());
            }
        }
        for listed in landing.list_versions("").await? {
            let (key, version) = (&listed.meta.key, listed.meta.version.as_deref());
            if wanted.contains(key)
                && let Some(meta) = landing.head_version_opt(key, version).await?
            {
                let landed = ListedVersion { meta: meta.clone(), ..listed.clone() };
                plan.planned(&meta.object_id(), &meta.key).landed = Some(landed);
            }
            plan.known.insert(listed.meta.key);
        }
        for (key, ids) in withdrawn_objects(&**lake).await? {
            for id in ids.iter().filter(|_| wanted.contains(&key)) {
                plan.planned(id, &key).recorded = true;
            }
        }
        let found: BTreeSet<&str> = plan.objects.values().map(|planned| planned.key.as_str()).collect();
        plan.unknown = wanted.iter().filter(|key| !found.contains(key.as_str())).cloned().collect();
        Ok(plan)
    }

    fn planned(&mut self, id: &str, key: &str) -> &mut Planned {
        let new = || Planned { key: key.to_owned(), commit: None, landed: None, recorded: false };
        self.objects.entry(id.to_owned()).or_insert_with(new)
    }
}

/// Withdraws what was planned. Interrupted, it is planned and run again with the same keys.
///
/// Nothing else may write to the lake meanwhile.
///
/// # Errors
/// What the ports do, and bronze of other rules. The failure of single objects in the rebuild is in [`Driven::failed`].
pub async fn withdraw(
    worker: &Arc<Worker>,
    plan: &WithdrawalPlan,
    reason: &str,
    progress: &dyn Progress,
) -> Result<Withdrawn, FlowError> {
    let (landing, lake) = (&worker.ports.landing, &worker.ports.lake);
    let rules = checked_rules(worker).await?;
    end_compactions(worker).await?;
    for id in plan.objects.keys() {
        own_files(worker, id).await?;
    }
    let files = files_of(&**lake, plan).await?;
    let mut withdrawn = Withdrawn { files: files.len(), ..Withdrawn::default() };
    for (id, planned) in &plan.objects {
        let records = planned.commit.as_ref().map_or(0, |commit| commit.counts.records);
        if planned.commit.is_some() || planned.landed.is_some() {
            withdrawn.objects += 1;
            withdrawn.records += records;
        } else {
            withdrawn.already.push(planned.key.clone());
        }
        if !planned.recorded {
            let withdrawal = Withdrawal {
                sourcename: Some(planned.key.clone()),
                patient_digest: None,
                reason: reason.to_owned(),
                records,
                withdrawn_micros: worker.ports.clock.now_micros(),
            };
            record(worker, id, &withdrawal).await?;
        }
    }
    // Where bronze has nothing of the objects, silver and gold have nothing either, unless a rebuild was interrupted.
    let in_bronze = !files.is_empty() || plan.objects.values().any(|planned| planned.commit.is_some());
    let rebuilds = in_bronze || rules != Rules::CURRENT;
    if rebuilds {
        close(worker, rules).await?;
    }
    let landed = plan.objects.values().filter_map(|planned| planned.landed.as_ref());
    for landed in landed {
        delete_landed(&**landing, &landed.meta, landed.is_latest).await?;
    }
    for (id, _) in plan.objects.iter().filter(|(_, planned)| planned.commit.is_some()) {
        lake.delete(&keys::bronze_commit(id)).await?;
    }
    for file in &files {
        lake.delete(file).await?;
    }
    if rebuilds {
        withdrawn.rebuilt = Some(rebuild(worker, RebuildFrom::Bronze, progress).await?);
    }
    Ok(withdrawn)
}

/// The bronze files of the planned objects: those of their commits, and those that are left where a commit is gone.
async fn files_of(lake: &dyn ObjectStore, plan: &WithdrawalPlan) -> Result<BTreeSet<String>, FlowError> {
    let committed = plan.objects.values().filter_map(|planned| planned.commit.as_ref());
    let mut files: BTreeSet<String> = committed
        .flat_map(|commit| &commit.files)
        .filter(|file| file.rows_of.is_none())
        .map(|file| file.key.clone())
        .collect();
    for listed in lake.list(keys::BRONZE).await? {
        let kept = [keys::WITHDRAWALS, keys::BRONZE_COMMITS].iter().any(|prefix| listed.key.starts_with(prefix));
        if !kept && file_stem(&listed.key).is_some_and(|id| plan.objects.contains_key(id)) {
            files.insert(listed.key);
        }
    }
    Ok(files)
}

/// The withdrawn objects: the ids of each key's versions.
///
/// # Errors
/// What the store does, and files that cannot be read.
pub async fn withdrawn_objects(lake: &dyn ObjectStore) -> Result<BTreeMap<String, BTreeSet<String>>, FlowError> {
    let mut withdrawn: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for listed in lake.list(keys::WITHDRAWALS).await? {
        let Some(id) = file_stem(&listed.key) else { continue };
        let bytes: Bytes = lake.get(&listed.key).await?.body.bytes().await?;
        let rows = Withdrawal::read(&bytes).map_err(|source| FlowError::File { key: listed.key.clone(), source })?;
        for key in rows.into_iter().filter_map(|row| row.sourcename) {
            withdrawn.entry(key).or_default().insert(id.to_owned());
        }
    }
    Ok(withdrawn)
}

#[cfg(test)]
mod tests {
    use metriccare_ports::{
        ManualClock, Ports,
        faulty::{Fault, Faults, FaultyStore},
    };

    use super::*;
    use crate::{
        drive::{Unwatched, drive},
        withdraw::landed::{everything, lake_of, worker},
    };

    const ADDED: &str = "encounter/added.ndjson";

    /// A stay of a patient, as a version of its resource.
    fn stay(id: &str, patient: &str, version: u32) -> String {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\
             \"meta\":{{\"versionId\":\"{version}\",\"lastUpdated\":\"2025-01-0{version}T00:00:00Z\"}},\
             \"subject\":{{\"reference\":\"Patient/{patient}\"}},\
             \"period\":{{\"start\":\"2025-01-0{version}\",\"end\":\"2025-01-09\"}}}}\n"
        )
    }

    /// A lake of two landed objects, and of a third that moves a stay to another bucket, deletes nothing, and brings a record
    /// that cannot be read.
    async fn lake(added: bool) -> Ports {
        let mut objects =
            vec![("encounter/1.ndjson", stay("moved", "p1", 1)), ("encounter/2.ndjson", stay("other", "p2", 1))];
        if added {
            let lines = [stay("moved", "p3", 2), stay("new", "p4", 1), "no JSON\n".to_owned()];
            objects.push((ADDED, lines.concat()));
        }
        lake_of(objects, ManualClock::at_micros(1_764_100_000_000_000)).await
    }

    /// Everything in both buckets but the withdrawals.
    async fn objects(ports: &Ports) -> BTreeMap<String, Bytes> {
        let mut objects = everything(ports).await;
        objects.retain(|key, _| !key.starts_with(keys::WITHDRAWALS));
        objects
    }

    async fn withdraw_added(ports: &Ports) -> Result<Withdrawn, FlowError> {
        let worker = worker(ports);
        let plan = WithdrawalPlan::of(&worker, &BTreeSet::from([ADDED.to_owned()])).await?;
        assert!(plan.unknown.is_empty());
        withdraw(&worker, &plan, "sent by mistake", &Unwatched).await
    }

    #[tokio::test]
    async fn a_withdrawn_object_leaves_the_lake_as_if_it_had_never_landed() {
        let (never, ports) = (objects(&lake(false).await).await, lake(true).await);
        assert_ne!(objects(&ports).await, never);
        let withdrawn = withdraw_added(&ports).await.expect("withdrawn");
        assert_eq!((withdrawn.objects, withdrawn.records, withdrawn.already.len()), (1, 3, 0));
        assert!(withdrawn.files >= 3, "encounters, quarantine, ingest log: {}", withdrawn.files);
        assert_eq!(objects(&ports).await, never);
        let repeated = withdraw_added(&ports).await.expect("withdrawn already");
        assert_eq!((repeated.objects, repeated.already, repeated.rebuilt.is_none()), (0, vec![ADDED.to_owned()], true));
        let driven = drive(&worker(&ports), &Unwatched).await.expect("memory");
        assert!(driven.failed.is_empty() && driven.landed.is_empty());
        assert_eq!(objects(&ports).await, never);

        let plan = WithdrawalPlan::of(&worker(&ports), &BTreeSet::from(["encounter/3.ndjson".to_owned()])).await;
        assert_eq!(plan.expect("memory").unknown, ["encounter/3.ndjson"]);
    }

    #[tokio::test]
    async fn a_withdrawal_that_crashed_at_any_call_is_completed_by_the_next() {
        let never = objects(&lake(false).await).await;
        for crash in 1.. {
            let ports = lake(true).await;
            let fault = if crash % 2 == 0 { Fault::Crash } else { Fault::CrashAfter };
            let faults = Arc::new(Faults::at(crash, fault));
            let faulty = |store: &Arc<dyn ObjectStore>| -> Arc<dyn ObjectStore> {
                Arc::new(FaultyStore::new(Arc::clone(store), Arc::clone(&faults)))
            };
            let broken = Ports { landing: faulty(&ports.landing), lake: faulty(&ports.lake), ..ports.clone() };
            let crashed = withdraw_added(&broken).await;
            let over = faults.calls() < crash;
            assert_eq!(crashed.is_ok_and(|withdrawn| withdrawn.rebuilt.is_some_and(|it| it.failed.is_empty())), over);
            withdraw_added(&ports).await.expect("withdrawn");
            assert_eq!(objects(&ports).await, never, "a crash at call {crash}");
            let withdrawals = ports.lake.list(keys::WITHDRAWALS).await.expect("memory");
            assert_eq!(withdrawals.len(), 1, "a crash at call {crash}");
            if over {
                assert!(crash > 20, "only {crash} calls");
                break;
            }
        }
    }
}
