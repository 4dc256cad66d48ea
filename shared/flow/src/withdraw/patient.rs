//! What speaks of one patient taken out of a lake.
//!
//! The latest version of a landed object is written anew without it, older versions are deleted, and of what is no longer in
//! landing the rows of bronze are taken out. A commit is deleted before its object is written anew, and both after the lake is
//! closed to other writers: an interrupted withdrawal is run again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use metriccare_lake::{
    bronze::{BronzeCommit, Withdrawal, WithdrawnPatients, without_patient},
    keys,
    settings::Rules,
};
use metriccare_ports::{ListedVersion, PutMode};

use super::{
    bronze_rows::{id_in, rows_left},
    checked_rules, close, commits, delete_landed, delete_old_versions, file_stem, landed_versions, record, rules_of,
};
use crate::{
    compact::{end_compactions, own_files},
    drive::{Driven, Progress, take_landed},
    error::FlowError,
    rebuild::{RebuildFrom, rebuild},
    worker::Worker,
};

/// Where a lake speaks of a patient.
#[derive(Debug)]
pub struct PatientPlan {
    patient: String,
    /// The versions of landed objects that are written anew, or deleted where they are not the latest.
    landed: Vec<ListedVersion>,
    /// The commits of objects that are no longer in landing, from whose files rows are taken out.
    committed: Vec<BronzeCommit>,
    /// The records that are taken out.
    pub records: u64,
    /// Landed objects that hold the id in records of other subjects too: these records stay.
    pub mentions: Vec<String>,
    /// Landed objects that speak of the patient and cannot be written anew, with the reason.
    pub refused: Vec<String>,
    /// Whether the patient was withdrawn before.
    pub recorded: bool,
    /// Whether an interrupted withdrawal or rebuild has closed the lake to writers.
    interrupted: bool,
}

/// What was withdrawn of a patient.
#[derive(Debug)]
pub struct PatientWithdrawn {
    /// The landed objects that were written anew, or deleted where nothing was left.
    pub objects: usize,
    /// The records that were taken out of them.
    pub records: u64,
    /// What bronze, silver and gold did; none where nothing had changed.
    pub rebuilt: Option<Driven>,
}

impl PatientPlan {
    /// Looks for a patient, by its id in the lake, in every version of every landed object, and in bronze. Nothing is changed.
    ///
    /// # Errors
    /// What the ports do, and documents of the lake that cannot be read.
    pub async fn of(worker: &Arc<Worker>, patient: &str) -> Result<Self, FlowError> {
        let (landing, lake) = (&worker.ports.landing, &worker.ports.lake);
        let mut plan = PatientPlan {
            patient: patient.to_owned(),
            landed: Vec::new(),
            committed: Vec::new(),
            records: 0,
            mentions: Vec::new(),
            refused: Vec::new(),
            recorded: false,
            interrupted: rules_of(&**lake).await? != Rules::CURRENT,
        };
        let (mut written_anew, mut older) = (BTreeSet::new(), BTreeMap::new());
        for listed in landed_versions(worker).await? {
            let meta = &listed.meta;
            let Some(id) = id_in(&meta.key, patient) else { continue };
            let object = landing.get_version(&meta.key, meta.version.as_deref(), Some(&meta.etag)).await?;
            match without_patient(&meta.key, &object.body.bytes().await?, id) {
                Ok(None) => {}
                Ok(Some(cut)) => {
                    if cut.mentioned && listed.is_latest {
                        plan.mentions.push(meta.key.clone());
                    }
                    if cut.removed > 0 {
                        if listed.is_latest {
                            plan.records += cut.removed;
                            written_anew.insert(meta.object_id());
                        } else {
                            older.insert(meta.object_id(), cut.removed);
                        }
                        plan.landed.push(listed);
                    }
                }
                Err(reason) => plan.refused.push(format!("{}: {reason}", meta.key)),
            }
        }
        for commit in commits(&**lake).await? {
            if !written_anew.contains(&commit.object_id)
                && let Some(rows) = rows_left(worker, &commit, patient).await?
            {
                older.remove(&commit.object_id);
                plan.records += rows.removed;
                plan.committed.push(commit);
            }
        }
        plan.records += older.values().sum::<u64>();
        if let Some((_, key)) = lake.read_opt(keys::WITHDRAWAL_KEY).await? {
            let file = format!("/{}.parquet", WithdrawnPatients::digest(&key, patient));
            plan.recorded = lake.list(keys::WITHDRAWALS).await?.iter().any(|listed| listed.key.ends_with(&file));
        }
        Ok(plan)
    }

    /// Whether no landed object, and no row of bronze, has a record of the patient.
    pub fn is_empty(&self) -> bool {
        self.landed.is_empty() && self.committed.is_empty() && self.refused.is_empty()
    }
}

/// What a withdrawal writes anew in the lake, and of which no old version is left.
const REWRITTEN: [&str; 3] = [keys::BRONZE, keys::SILVER, keys::GOLD];

/// Withdraws a patient as planned; `fresh_key` is random, and becomes the lake's key where it has none.
///
/// Nothing else may write to the lake meanwhile. Interrupted, it is planned and run again.
///
/// # Errors
/// What the ports do, and bronze of other rules. The failure of single objects is in [`Driven::failed`].
pub async fn withdraw_patient(
    worker: &Arc<Worker>,
    plan: &PatientPlan,
    reason: &str,
    fresh_key: [u8; 32],
    progress: &dyn Progress,
) -> Result<PatientWithdrawn, FlowError> {
    let rules = checked_rules(worker).await?;
    let objects: BTreeSet<&str> = plan.landed.iter().map(|listed| listed.meta.key.as_str()).collect();
    let mut withdrawn =
        PatientWithdrawn { objects: objects.len() + plan.committed.len(), records: plan.records, rebuilt: None };
    if plan.is_empty() && !plan.interrupted {
        if plan.recorded {
            // An earlier withdrawal may have been interrupted after its rebuild.
            delete_old_versions(worker, &REWRITTEN).await?;
        }
        return Ok(withdrawn);
    }
    if !plan.recorded {
        record_patient(worker, plan, reason, fresh_key).await?;
    }
    close(worker, rules).await?;
    end_compactions(worker).await?;
    for listed in &plan.landed {
        own_files(worker, &listed.meta.object_id()).await?;
        write_anew(worker, plan, listed).await?;
    }
    for commit in &plan.committed {
        let commit = own_files(worker, &commit.object_id).await?.unwrap_or_else(|| commit.clone());
        if let Some(rows) = rows_left(worker, &commit, &plan.patient).await? {
            rows.write(worker).await?;
        }
    }
    remove_uncommitted(worker).await?;
    let mut bronze = Driven::default();
    take_landed(worker, progress, &mut bronze).await?;
    let mut rebuilt = rebuild(worker, RebuildFrom::Bronze, progress).await?;
    delete_old_versions(worker, &REWRITTEN).await?;
    rebuilt.failed.extend(bronze.failed);
    withdrawn.rebuilt = Some(rebuilt);
    Ok(withdrawn)
}

/// Writes the row that says that the patient is withdrawn, by a digest with the lake's key.
async fn record_patient(
    worker: &Worker,
    plan: &PatientPlan,
    reason: &str,
    fresh_key: [u8; 32],
) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    let key = match lake.read_opt(keys::WITHDRAWAL_KEY).await? {
        Some((_, key)) => key.to_vec(),
        None => {
            lake.put(keys::WITHDRAWAL_KEY, fresh_key.to_vec().into(), PutMode::IfAbsent).await?;
            fresh_key.to_vec()
        }
    };
    let patient_digest = WithdrawnPatients::digest(&key, &plan.patient);
    let withdrawal = Withdrawal {
        sourcename: None,
        patient_digest: Some(patient_digest.clone()),
        reason: reason.to_owned(),
        records: plan.records,
        withdrawn_micros: worker.ports.clock.now_micros(),
    };
    record(worker, &patient_digest, &withdrawal).await
}

/// Writes a landed object without the patient, where it is the latest version and something is left; the version that held
/// the patient is deleted.
async fn write_anew(worker: &Worker, plan: &PatientPlan, listed: &ListedVersion) -> Result<(), FlowError> {
    let (landing, meta) = (&worker.ports.landing, &listed.meta);
    if !listed.is_latest {
        return delete_landed(&**landing, meta, false).await;
    }
    worker.ports.lake.delete(&keys::bronze_commit(&meta.object_id())).await?;
    let object = landing.get_version(&meta.key, meta.version.as_deref(), Some(&meta.etag)).await?;
    let id = id_in(&meta.key, &plan.patient).unwrap_or_default();
    let cut = without_patient(&meta.key, &object.body.bytes().await?, id)
        .map_err(|error| FlowError::Document { key: meta.key.clone(), reason: error.to_string() })?;
    match cut {
        Some(cut) if cut.left == 0 => delete_landed(&**landing, meta, true).await,
        Some(cut) => {
            let (bytes, micros) = (cut.bytes.into(), meta.last_modified_micros);
            landing.put_stamped(&meta.key, bytes, PutMode::IfMatch(meta.etag.clone()), micros).await?;
            delete_landed(&**landing, meta, false).await
        }
        None => Ok(()),
    }
}

/// Deletes the bronze files of objects that have no commit any more.
async fn remove_uncommitted(worker: &Worker) -> Result<(), FlowError> {
    let lake = &worker.ports.lake;
    let committed: BTreeMap<String, BronzeCommit> =
        commits(&**lake).await?.into_iter().map(|commit| (commit.object_id.clone(), commit)).collect();
    let named: BTreeSet<&str> = committed.values().flat_map(|it| &it.files).map(|file| file.key.as_str()).collect();
    for listed in lake.list(keys::BRONZE).await? {
        let is_committed = named.contains(listed.key.as_str());
        if !is_committed
            && !listed.key.starts_with(keys::WITHDRAWALS)
            && file_stem(&listed.key).is_some_and(|id| !committed.contains_key(id))
        {
            lake.delete(&listed.key).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use metriccare_ports::{
        ManualClock, ObjectStore, Ports,
        faulty::{Fault, Faults, FaultyStore},
    };

    use super::*;
    use crate::{
        drive::Unwatched,
        withdraw::landed::{TIME, everything, lake_of, worker},
    };

    fn line(kind: &str, id: &str, patient: &str) -> String {
        format!(
            "{{\"resourceType\":\"{kind}\",\"id\":\"{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"IMP\"}},\
             \"subject\":{{\"reference\":\"Patient/{patient}\"}},\"period\":{{\"start\":\"2025-01-01\",\"end\":\"2025-01-09\"}}}}\n"
        )
    }

    /// A lake of two patients, and of a third that is to be withdrawn: in an object of its own, beside others, and in a record
    /// that cannot be read.
    async fn lake(third: bool) -> Ports {
        let person = |id: &str| format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}\n");
        let only = |text: String| if third { text } else { String::new() };
        let objects = [
            ("patient/all.ndjson", [person("p1"), only(person("p3-secret")), person("p2")].concat()),
            (
                "encounter/all.ndjson",
                [line("Encounter", "e1", "p1"), only(line("Encounter", "e3", "p3-secret"))].concat(),
            ),
            (
                "condition/third.ndjson",
                only("{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/p3-secret\n".to_owned()),
            ),
        ];
        let objects = objects.into_iter().filter(|(_, text)| !text.is_empty());
        lake_of(objects, ManualClock::at_micros(TIME)).await
    }

    /// Everything in both buckets but withdrawals and their key.
    async fn objects(ports: &Ports) -> BTreeMap<String, Bytes> {
        let mut objects = everything(ports).await;
        for (key, bytes) in &objects {
            assert!(!key.starts_with(keys::WITHDRAWALS) || memfind(bytes, b"p3-secret").is_none());
        }
        objects.retain(|key, _| !key.starts_with(keys::WITHDRAWALS) && key != keys::WITHDRAWAL_KEY);
        objects
    }

    fn memfind(bytes: &[u8], part: &[u8]) -> Option<usize> {
        bytes.windows(part.len()).position(|window| window == part)
    }

    async fn withdraw_third(ports: &Ports) -> Result<PatientWithdrawn, FlowError> {
        let worker = worker(ports);
        let plan = PatientPlan::of(&worker, "p3-secret").await?;
        assert!(plan.refused.is_empty() && plan.mentions.is_empty(), "{plan:?}");
        withdraw_patient(&worker, &plan, "a request of the patient", [7; 32], &Unwatched).await
    }

    #[tokio::test]
    async fn a_withdrawn_patient_leaves_the_lake_as_if_it_had_never_been_there() {
        let (never, ports) = (objects(&lake(false).await).await, lake(true).await);
        assert!(objects(&ports).await.values().any(|bytes| memfind(bytes, b"p3-secret").is_some()));
        let withdrawn = withdraw_third(&ports).await.expect("withdrawn");
        assert_eq!((withdrawn.objects, withdrawn.records), (3, 3));
        assert_eq!(objects(&ports).await, never);
        let repeated = withdraw_third(&ports).await.expect("done");
        assert_eq!((repeated.objects, repeated.rebuilt.is_none()), (0, true));
        let plan = PatientPlan::of(&worker(&ports), "p3-secret").await.expect("memory");
        assert!(plan.is_empty() && plan.recorded);
        let plan = PatientPlan::of(&worker(&ports), "p4").await.expect("memory");
        assert!(plan.is_empty() && !plan.recorded);
    }

    #[tokio::test]
    async fn a_patients_withdrawal_that_crashed_is_completed_by_the_next() {
        let never = objects(&lake(false).await).await;
        for crash in (1..).step_by(3) {
            let ports = lake(true).await;
            let fault = if crash % 2 == 0 { Fault::Crash } else { Fault::CrashAfter };
            let faults = Arc::new(Faults::at(crash, fault));
            let faulty = |store: &Arc<dyn ObjectStore>| -> Arc<dyn ObjectStore> {
                Arc::new(FaultyStore::new(Arc::clone(store), Arc::clone(&faults)))
            };
            let broken = Ports { landing: faulty(&ports.landing), lake: faulty(&ports.lake), ..ports.clone() };
            let _ = withdraw_third(&broken).await;
            withdraw_third(&ports).await.expect("withdrawn");
            assert_eq!(objects(&ports).await, never, "a crash at call {crash}");
            if faults.calls() < crash {
                assert!(crash > 30, "only {crash} calls");
                break;
            }
        }
    }
}
