//! `metriccare explain stay`: one stay, found in the stay ledger, silver and bronze.

use std::num::NonZeroUsize;

use metriccare_flow::Worker;
use metriccare_lake::{
    schema::{BRONZE_ENCOUNTER, GOLD_STAY, SILVER_ENCOUNTER},
    silver::{
        class::INPATIENT,
        status::{Phase, phase},
    },
};

use super::{
    infections, source,
    stay_report::{AdjacentStay, StayReport, Version},
};
use crate::{
    arguments::ExplainStay,
    lake::{
        self,
        rows::{self, Row, Rows},
    },
    output::{Output, failure::Failure},
};

pub(super) async fn explain(arguments: &ExplainStay, output: &mut Output) -> Result<(), Failure> {
    let worker = lake::open_with_tables(&arguments.lake, &arguments.tables, NonZeroUsize::MIN).await?;
    let id = arguments.id.as_str();
    // Identity is patient and id: one id of two patients is two stays.
    let mut files = Vec::new();
    Rows::of_each_file(&worker, &GOLD_STAY, |file| {
        if file.iter().any(|row| row.text("stay_id") == Some(id)) {
            files.push(file);
        }
    })
    .await?;
    let mut reports = Vec::new();
    for file in &files {
        for stay in file.iter().filter(|row| row.text("stay_id") == Some(id)) {
            reports.push(stay_report(&worker, file, stay, id).await?);
        }
    }
    if reports.is_empty() {
        return Err(no_stay(&worker, id).await?);
    }
    if arguments.json {
        output.json(&serde_json::json!({ "stays": reports }))?;
    } else {
        for report in &reports {
            report.print(output)?;
        }
    }
    output.flush()
}

async fn stay_report(worker: &Worker, file: &Rows, stay: Row<'_>, id: &str) -> Result<StayReport, Failure> {
    let patient = stay.text("patient_id");
    let of_patient = |row: &Row<'_>| patient.is_some() && row.text("patient_id") == patient;
    let next = stay.text("next_stay_id");
    let next = file.iter().find(|row| of_patient(row) && next.is_some() && row.text("stay_id") == next);
    let before = file.iter().filter(|row| of_patient(row) && row.text("next_stay_id") == Some(id));
    Ok(StayReport {
        stay: stay.cells().map(|(name, cell)| (name, rows::json(cell))).collect(),
        versions: versions(worker, patient, id).await?,
        next: next.map(|row| AdjacentStay::of(&row, stay.int("days_to_next"))),
        before: before.map(|row| AdjacentStay::of(&row, row.int("days_to_next"))).collect(),
        infections: infections::of(worker, &stay, id).await?,
    })
}

/// Every version of an encounter that landed, oldest first, and which of them silver took.
async fn versions(worker: &Worker, patient: Option<&str>, id: &str) -> Result<Vec<Version>, Failure> {
    let mine = |row: &Row<'_>| row.text("encounter_id") == Some(id) && row.text("patient_id") == patient;
    // What tells one version from another in the merge.
    let name = |row: &Row<'_>| {
        let text = |column| row.text(column).map(str::to_owned);
        (row.time("last_updated"), text("version_id"), row.time("precombine_ts"), text("content_id"))
    };
    let mut counts = None;
    Rows::of_each_file(worker, &SILVER_ENCOUNTER, |file| {
        counts = file.iter().find(mine).map(|row| name(&row)).or(counts.take());
    })
    .await?;
    let mut found = Vec::new();
    Rows::of_each_file(worker, &BRONZE_ENCOUNTER, |file| {
        found.extend(file.iter().filter(mine).map(|row| {
            let version = Version::of(&row, counts.as_ref() == Some(&name(&row)));
            (name(&row), version)
        }));
    })
    .await?;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut versions: Vec<_> = found.into_iter().map(|(_, version)| version).collect();
    for version in &mut versions {
        version.line = source::line(worker, &version.sourcename, &version.content_id).await;
    }
    Ok(versions)
}

/// What to say of an id that is no stay: the encounter's own reason where there is such an encounter.
async fn no_stay(worker: &Worker, id: &str) -> Result<Failure, Failure> {
    let mut why = None;
    Rows::of_each_file(worker, &SILVER_ENCOUNTER, |file| {
        if let Some(row) = file.iter().find(|row| row.text("encounter_id") == Some(id)) {
            let class = row.text("encounter_class").unwrap_or("unknown");
            let status = row.text("status").unwrap_or("unknown");
            why = Some(match phase(row.text("status")) {
                _ if class != INPATIENT => format!("its class is {class}, and a stay is inpatient"),
                Phase::Open => format!("its status is {status}: it is not over"),
                Phase::Uncounted => format!("its status is {status}: it counts nowhere"),
                Phase::Completed => "it lacks its admission or discharge, or ends before it starts".to_owned(),
            });
        }
    })
    .await?;
    Ok(Failure::usage(match why {
        Some(why) => format!("the encounter {id:?} is no stay: {why}"),
        None => format!(
            "there is no stay {id:?} in this lake; `metriccare query \"SELECT stay_id, hospital_name, month FROM gold_stay\"` lists them"
        ),
    }))
}
