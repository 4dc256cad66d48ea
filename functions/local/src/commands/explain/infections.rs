//! The infections recorded of a stay, and whether each counts.

use std::collections::BTreeSet;

use metriccare_fhir::calendar::{DAY, date_of};
use metriccare_flow::Worker;
use metriccare_lake::{gold::begins_in_hospital, schema::SILVER_CONDITION};
use serde::Serialize;

use super::words;
use crate::{
    lake::rows::{Row, Rows},
    output::failure::Failure,
};

/// An infection that is recorded of a stay.
#[derive(Debug, Serialize)]
pub(super) struct Infection {
    pub(super) condition_id: String,
    pub(super) infection_type: String,
    /// The date of onset, or of recording where that is not known.
    pub(super) onset: Option<String>,
    /// The day of the stay on which it began; the day of admission is 1.
    pub(super) day: Option<i64>,
    /// Whether it counts as begun in hospital.
    pub(super) hospital_onset: bool,
    /// What it counts as, as text.
    pub(super) verdict: &'static str,
}

/// The infections of an encounter, the earliest first.
pub(super) async fn of(worker: &Worker, stay: &Row<'_>, id: &str) -> Result<Vec<Infection>, Failure> {
    let (Some(admission), Some(discharge)) = (stay.time("admission_time"), stay.time("discharge_time")) else {
        return Ok(Vec::new());
    };
    let patient = stay.text("patient_id");
    let mut recorded = Vec::new();
    Rows::of_each_file(worker, &SILVER_CONDITION, |file| {
        for row in file.iter() {
            // A condition without a patient is not linked.
            let of_stay =
                patient.is_some() && row.text("encounter_id") == Some(id) && row.text("patient_id") == patient;
            if let Some(kind) = row.text("infection_type").filter(|_| of_stay) {
                let time = row.time("onset_time").or_else(|| row.time("recorded_time"));
                recorded.push((time, row.text("condition_id").unwrap_or_default().to_owned(), kind.to_owned()));
            }
        }
    })
    .await?;
    let (admission, discharge) = (date_of(admission), date_of(discharge));
    // Of one type the earliest counts, of equal times the smaller id; what has no time is as old as the admission.
    let at = |time: Option<i64>| time.unwrap_or(i64::from(admission) * DAY);
    recorded.sort_by_key(|(time, id, _)| (at(*time), id.clone()));
    let mut seen = BTreeSet::new();
    let judged = recorded.into_iter().map(|(time, condition_id, infection_type)| {
        let onset = date_of(at(time));
        let (hospital_onset, verdict) = if !seen.insert(infection_type.clone()) {
            (false, "the same infection as the earlier one of its type: counted once")
        } else if i64::from(onset) > i64::from(discharge) + 1 {
            (false, "began after discharge: does not count")
        } else if begins_in_hospital(&infection_type, admission, onset) {
            (true, "began in hospital: counts")
        } else {
            (false, "present on admission: not the hospital's")
        };
        let known = time.map(date_of);
        let day = known.map(|onset| i64::from(onset) - i64::from(admission) + 1);
        Infection { condition_id, infection_type, onset: known.map(words::date), day, hospital_onset, verdict }
    });
    Ok(judged.collect())
}
