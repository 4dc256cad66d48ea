//! What is withdrawn in the middle of a schedule, and what has to be left: the lake that never had it.

use std::{collections::BTreeSet, sync::Arc};

use metriccare_flow::{FlowError, PatientPlan, Unwatched, WithdrawalPlan, Worker, withdraw, withdraw_patient};
use metriccare_lake::{bronze::without_patient, keys};
use serde_json::Value;

use super::inputs::HOSPITALS;
use crate::{Cloud, LakeContents, Landed, crowded::Draw};

/// What may be withdrawn, with the undisturbed lake that never had it.
#[derive(Debug)]
pub struct Withdrawable {
    /// What is taken out.
    pub(crate) subject: Subject,
    /// What the lake has to be in the end.
    pub(crate) lake: LakeContents,
}

/// A landed object or a patient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// A landed object, by its key.
    Object(String),
    /// A patient, by the id in the lake.
    Patient(String),
}

impl Withdrawable {
    /// Two of these objects and two of their patients; fewer where there are fewer, or where a patient is in what cannot be
    /// split into records.
    pub(super) async fn some_of(objects: &[Landed]) -> Vec<Self> {
        let mut draw = Draw(objects.iter().map(|object| object.bytes.len() as u64).sum());
        let patients = patients(objects);
        let mut subjects = BTreeSet::new();
        for _ in 0..2 {
            if !objects.is_empty() {
                let place = draw.number_less_than(objects.len());
                subjects.insert(Subject::Object(objects[place].key.clone()));
            }
            if !patients.is_empty() {
                let place = draw.number_less_than(patients.len());
                subjects.insert(Subject::Patient(patients[place].clone()));
            }
        }
        let mut some = Vec::new();
        for subject in subjects {
            if let Some(left) = subject.removed_from(objects) {
                some.push(Self { subject, lake: Cloud::driven(&left, HOSPITALS).await });
            }
        }
        some
    }
}

impl Subject {
    /// The objects as they are without it; none where a patient cannot be taken out of one of them.
    fn removed_from(&self, objects: &[Landed]) -> Option<Vec<Landed>> {
        match self {
            Self::Object(key) => Some(objects.iter().filter(|object| object.key != *key).cloned().collect()),
            Self::Patient(patient) => {
                let left = objects.iter().map(|object| object_without(object, patient));
                Some(left.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
            }
        }
    }

    /// Takes it out of the lake, as far as it is there.
    pub(super) async fn withdraw(&self, worker: &Arc<Worker>) -> Result<(), FlowError> {
        let rebuilt = match self {
            Self::Object(key) => {
                let plan = WithdrawalPlan::of(worker, &BTreeSet::from([key.clone()])).await?;
                withdraw(worker, &plan, "sent by mistake", &Unwatched).await?.rebuilt
            }
            Self::Patient(patient) => {
                let plan = PatientPlan::of(worker, patient).await?;
                withdraw_patient(worker, &plan, "asked to", [7; 32], &Unwatched).await?.rebuilt
            }
        };
        match rebuilt.and_then(|mut rebuilt| rebuilt.failed.pop()) {
            Some(failure) => Err(FlowError::Other(format!("{failure:?}").into())),
            None => Ok(()),
        }
    }
}

/// An object without a patient: none inside where nothing is left, none at all where the patient cannot be taken out.
fn object_without(object: &Landed, patient: &str) -> Option<Option<Landed>> {
    let id = match keys::source_of(&object.key) {
        Some(source) => patient.strip_prefix(source).and_then(|rest| rest.strip_prefix(':')),
        None => Some(patient),
    };
    let Some(id) = id else { return Some(Some(object.clone())) };
    match without_patient(&object.key, &object.bytes, id) {
        Ok(Some(cut)) if cut.removed > 0 => {
            Some((cut.left > 0).then(|| Landed { bytes: cut.bytes.into(), ..object.clone() }))
        }
        Ok(_) => Some(Some(object.clone())),
        Err(_) => None,
    }
}

/// The ids of the patients that have a resource on a line of its own.
fn patients(objects: &[Landed]) -> Vec<String> {
    let mut patients = BTreeSet::new();
    for object in objects {
        for line in object.bytes.split(|byte| *byte == b'\n') {
            let Ok(resource) = serde_json::from_slice::<Value>(line) else { continue };
            if let (Some("Patient"), Some(id)) = (resource["resourceType"].as_str(), resource["id"].as_str()) {
                let source = keys::source_of(&object.key).map_or_else(String::new, |source| format!("{source}:"));
                patients.insert(format!("{source}{id}"));
            }
        }
    }
    patients.into_iter().collect()
}
