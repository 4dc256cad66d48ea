//! The hospitals of the world and the towns around them.

use serde::Deserialize;

use super::tsv::{Line, TableError, keep, refuse, rows};
use crate::facility::FacilityKind;

/// A town where patients live.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Town {
    /// Its name.
    pub city: &'static str,
    /// Its state, two letters.
    pub state: &'static str,
    /// How many of the hospital's patients live there, relative to the other towns.
    pub weight: f64,
}

/// A hospital of the table.
#[derive(Clone, Debug)]
pub(crate) struct HospitalRow {
    pub(crate) name: &'static str,
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
    pub(crate) kind: FacilityKind,
    /// The share of the stays that it takes, relative to the other hospitals.
    pub(crate) inpatient: f64,
    /// How often its patients are readmitted, relative to the average hospital.
    pub(crate) readmission: f64,
    /// How often its patients die, relative to the average hospital.
    pub(crate) mortality: f64,
    pub(crate) towns: Vec<Town>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    city: String,
    state: String,
    kind: FacilityKind,
    inpatient: f64,
    readmission: f64,
    mortality: f64,
    towns: String,
}

const FILE: &str = "hospitals.tsv";

pub(super) fn read(text: &str) -> Result<Vec<HospitalRow>, TableError> {
    let lines = rows::<Row>(FILE, text)?;
    let hospitals: Vec<HospitalRow> = lines.iter().map(hospital).collect::<Result<_, _>>()?;
    if hospitals[0].kind != FacilityKind::AcuteCare {
        return Err(refuse(
            FILE,
            "the first hospital must be of the kind acute: a world with one facility has no other",
        ));
    }
    Ok(hospitals)
}

fn hospital(line: &Line<Row>) -> Result<HospitalRow, TableError> {
    let row = &line.row;
    if row.name.trim().is_empty() {
        return Err(line.refuse("name", "a hospital needs a name"));
    }
    let inpatient = line.within("inpatient", row.inpatient, 0.0, 1e9)?;
    if (inpatient > 0.0) == (row.kind == FacilityKind::Clinic) {
        return Err(line.refuse("inpatient", "a hospital has a share above 0, a clinic has 0"));
    }
    let state = keep(row.state.clone());
    let towns = row.towns.split(',').map(|town| read_town(line, town, state)).collect::<Result<_, _>>()?;
    Ok(HospitalRow {
        name: keep(row.name.trim().to_owned()),
        city: keep(row.city.clone()),
        state,
        kind: row.kind,
        inpatient,
        readmission: line.within("readmission", row.readmission, 0.0, 3.0)?,
        mortality: line.within("mortality", row.mortality, 0.0, 3.0)?,
        towns,
    })
}

/// A town such as `Cary:16`, or `Rock Hill/SC:5` in another state.
fn read_town(line: &Line<Row>, text: &str, home_state: &'static str) -> Result<Town, TableError> {
    let wrong = || line.refuse("towns", format!("{text} is not a town and its weight, such as Cary:16"));
    let (place, weight) = text.split_once(':').ok_or_else(wrong)?;
    let weight = weight.parse::<f64>().ok().filter(|weight| *weight > 0.0 && weight.is_finite()).ok_or_else(wrong)?;
    let (city, state) = match place.split_once('/') {
        Some((city, state)) => (city, keep(state.to_owned())),
        None => (place, home_state),
    };
    Ok(Town { city: keep(city.to_owned()), state, weight })
}
