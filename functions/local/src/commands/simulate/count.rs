//! Counts what was written with the pipeline itself: bronze, silver and gold in memory, for one part of the patients.
//!
//! A patient's resources are all in one part, so the parts' counts add up, and memory does not grow with the cohort.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use metriccare_flow::{Unwatched, Worker, drive};
use metriccare_lake::{
    cells::{self, Cell},
    keys,
    schema::GOLD_STAY,
};
use metriccare_ports::{Ports, PutMode, SystemClock};
use metriccare_world::Resources;

use crate::output::failure::Failure;

/// Resources, and the patients of each cohort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) patients: u64,
    pub(super) encounters: u64,
    pub(super) conditions: u64,
    /// Patients who died in hospital.
    pub(super) deaths: u64,
    /// Patients with a hospital-onset infection.
    pub(super) infections: u64,
    /// Patients who were admitted again within 30 days.
    pub(super) readmissions: u64,
    /// Patients with a completed stay.
    pub(super) stays: u64,
}

impl Counted {
    pub(super) fn add(&mut self, other: Counted) {
        self.patients += other.patients;
        self.encounters += other.encounters;
        self.conditions += other.conditions;
        self.deaths += other.deaths;
        self.infections += other.infections;
        self.readmissions += other.readmissions;
        self.stays += other.stays;
    }
}

pub(super) async fn count(resources: &Resources) -> Result<Counted, Failure> {
    let worker = Arc::new(Worker::new(Ports::memory(Arc::new(SystemClock)), 1, NonZeroUsize::MIN, "simulate"));
    let types =
        [("patient", &resources.patient), ("encounter", &resources.encounter), ("condition", &resources.condition)];
    for (kind, lines) in types {
        let key = format!("{kind}/{kind}.ndjson");
        worker.ports.landing.put(&key, lines.clone().into(), PutMode::Overwrite).await?;
    }
    let driven = drive(&worker, &Unwatched).await?;
    let failed = driven.failed.first().map(|(stage, reason)| format!("{stage}: {reason}"));
    let mut counted = Counted::default();
    for commit in &driven.landed {
        let counts = &commit.counts;
        if counts.quarantined() > 0 {
            return Err(Failure::failed(format!("the pipeline refuses {} of the records", counts.quarantined())));
        }
        counted.patients += counts.patients;
        counted.encounters += counts.encounters;
        counted.conditions += counts.conditions;
    }
    if let Some(failed) = failed {
        return Err(Failure::failed(format!("the resources that were written cannot be counted: {failed}")));
    }
    cohorts(&worker, &mut counted).await?;
    Ok(counted)
}

/// The patients of each cohort, by the ledger of stays.
async fn cohorts(worker: &Worker, counted: &mut Counted) -> Result<(), Failure> {
    let bytes =
        worker.ports.lake.get(&keys::bucket_file(GOLD_STAY.path, 0, worker.buckets)).await?.body.bytes().await?;
    let rows = cells::read_rows(&GOLD_STAY, &bytes).map_err(|error| Failure::failed(error.to_string()))?;
    let column = |name: &str| GOLD_STAY.file_columns().position(|(column, _)| column == name);
    let patients_where = |name: &str, holds: &dyn Fn(&Cell) -> bool| -> u64 {
        let Some((patient, flag)) = column("patient_id").zip(column(name)) else { return 0 };
        let chosen = rows.iter().filter(|row| holds(&row[flag]));
        chosen.map(|row| row[patient].to_string()).collect::<BTreeSet<_>>().len() as u64
    };
    let yes = |cell: &Cell| *cell == Cell::Bool(true);
    counted.deaths = patients_where("died_in_hospital", &yes);
    counted.infections = patients_where("infections", &|cell| matches!(cell, Cell::Int(number) if *number > 0));
    counted.readmissions = patients_where("naive_readmitted", &yes);
    counted.stays = patients_where("stay_id", &|_| true);
    Ok(())
}
