//! What the rows of the tables come to, for the answer key: counted from lives and claims, never read from the rows.

use std::collections::BTreeMap;

use metriccare_fhir::write::EncounterClass;
use serde::{Deserialize, Serialize};

use super::cell_texts::gender_letter;
use super::claims::Line;
use super::columns::{CLAIMS, ENCOUNTERS, FACILITIES, PATIENTS, PROVIDERS, REGISTRY, Table};
use crate::life::Life;
use crate::world::World;

/// Sums of a group's rows by column: numbers as they are, amounts in cents, flags as the number of rows where they are true;
/// `rows` is the number of rows.
type Sums = BTreeMap<String, i64>;

/// Totals of tables: by table, by group of rows (`adjudication_status=Paid`), by column.
///
/// Each grouping of a table covers all of its rows whose value in that column is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableTotals(BTreeMap<String, BTreeMap<String, Sums>>);

impl TableTotals {
    /// The totals by table, by group, by column.
    pub fn tables(&self) -> &BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>> {
        &self.0
    }

    /// Adds other totals to these.
    pub fn merge(&mut self, other: &TableTotals) {
        for (table, groups) in &other.0 {
            for (group, sums) in groups {
                let into = self.0.entry(table.clone()).or_default().entry(group.clone()).or_default();
                for (column, sum) in sums {
                    *into.entry(column.clone()).or_default() += sum;
                }
            }
        }
    }

    /// Adds sums to the group of a table's rows with a value in a column; the first sum is the number of rows.
    pub(crate) fn add(&mut self, table: &Table, column: &str, value: &str, sums: &[(&str, i64)]) {
        if sums.first().is_none_or(|(_, rows)| *rows == 0) {
            return;
        }
        let groups = self.0.entry(table.name.to_owned()).or_default();
        let into = groups.entry(format!("{column}={value}")).or_default();
        for (column, sum) in sums {
            *into.entry((*column).to_owned()).or_default() += sum;
        }
    }

    /// The totals of the tables that are written once for a world: its clinicians and hospitals.
    pub fn of_directory(world: &World) -> TableTotals {
        let mut totals = TableTotals::default();
        for clinician in world.directory.clinicians() {
            totals.add(&PROVIDERS, "specialty", clinician.department.name(), &[("rows", 1), ("active", 1)]);
        }
        for (at, hospital) in world.directory.hospitals().iter().enumerate() {
            let beds = i64::from(hospital.licensed_beds);
            let sums = [("rows", 1), ("bed_count", beds), ("teaching", i64::from(at < 3))];
            totals.add(&FACILITIES, "facility_type", hospital.kind.name(), &sums);
        }
        totals
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct PatientSums {
    rows: i64,
    active: i64,
    high_cost: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct EncounterSums {
    rows: i64,
    days: i64,
    readmissions: i64,
    readmission_days: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct ClaimSums {
    rows: i64,
    /// Claimed, allowed and paid, in cents.
    amounts: [i64; 3],
    fraudulent: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct RegistrySums {
    rows: i64,
    complications: i64,
    deaths: i64,
    readmissions: i64,
}

/// What a registry entry says, before it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegistryEntry {
    pub(super) outcome: &'static str,
    pub(super) complication: bool,
    pub(super) died: bool,
    pub(super) readmitted: bool,
}

/// Sums over the lives that a writer has written.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    patients: BTreeMap<&'static str, PatientSums>,
    encounters: BTreeMap<&'static str, EncounterSums>,
    claims: BTreeMap<&'static str, ClaimSums>,
    denials: BTreeMap<&'static str, i64>,
    registry: BTreeMap<&'static str, RegistrySums>,
}

impl Tally {
    pub(super) fn patient(&mut self, world: &World, life: &Life, high_cost: bool) {
        let sums = self.patients.entry(gender_letter(life.person.gender)).or_default();
        sums.rows += 1;
        sums.active += i64::from(life.death.is_none_or(|death| death >= world.year.end()));
        sums.high_cost += i64::from(high_cost);
    }

    pub(super) fn encounters(&mut self, world: &World, life: &Life) {
        let now = world.year.end();
        for encounter in life.encounters.iter().filter(|encounter| encounter.start < now) {
            let completed = encounter.end < now;
            let sums = self.encounters.entry(encounter_type(encounter.class, completed)).or_default();
            sums.rows += 1;
            if completed {
                // A stay counts as a day even where it ends on the day of its admission.
                let days = i64::from(encounter.end.date().0 - encounter.start.date().0);
                sums.days += if encounter.is_stay() { days.max(1) } else { days };
            }
        }
        let stays = || life.encounters.iter().filter(|encounter| encounter.is_stay() && encounter.end < now);
        for (before, stay) in stays().zip(stays().skip(1)) {
            let days = i64::from(stay.start.date().0 - before.end.date().0);
            if days <= 30 {
                let sums = self.encounters.entry(encounter_type(stay.class, true)).or_default();
                sums.readmissions += 1;
                sums.readmission_days += days;
            }
        }
    }

    pub(super) fn claims(&mut self, lines: &[Line]) {
        for line in lines {
            let sums = self.claims.entry(line.status.name()).or_default();
            sums.rows += 1;
            sums.fraudulent += i64::from(line.fraudulent);
            sums.amounts.iter_mut().zip(line.amounts).for_each(|(sum, cents)| *sum += cents);
            if !line.denial.is_empty() {
                *self.denials.entry(line.denial).or_default() += 1;
            }
        }
    }

    pub(super) fn registry(&mut self, entry: RegistryEntry) {
        let sums = self.registry.entry(entry.outcome).or_default();
        sums.rows += 1;
        sums.complications += i64::from(entry.complication);
        sums.deaths += i64::from(entry.died);
        sums.readmissions += i64::from(entry.readmitted);
    }

    /// The sums by the names of their tables and columns.
    pub(super) fn totals(&self) -> TableTotals {
        let mut totals = TableTotals::default();
        for (gender, sums) in &self.patients {
            let sums = [("rows", sums.rows), ("active", sums.active), ("is_high_cost", sums.high_cost)];
            totals.add(&PATIENTS, "gender", gender, &sums);
        }
        for (kind, sums) in &self.encounters {
            let sums = [
                ("rows", sums.rows),
                ("length_of_stay", sums.days),
                ("is_readmission", sums.readmissions),
                ("readmission_days", sums.readmission_days),
            ];
            totals.add(&ENCOUNTERS, "encounter_type", kind, &sums);
        }
        for (status, sums) in &self.claims {
            let [claimed, allowed, paid] = sums.amounts;
            let sums = [
                ("rows", sums.rows),
                ("claim_amount", claimed),
                ("allowed_amount", allowed),
                ("paid_amount", paid),
                ("is_fraudulent", sums.fraudulent),
            ];
            totals.add(&CLAIMS, "adjudication_status", status, &sums);
        }
        for (reason, rows) in &self.denials {
            totals.add(&CLAIMS, "denial_reason", reason, &[("rows", *rows)]);
        }
        for (outcome, sums) in &self.registry {
            let sums = [
                ("rows", sums.rows),
                ("has_complication", sums.complications),
                ("mortality_flag", sums.deaths),
                ("readmission_flag", sums.readmissions),
            ];
            totals.add(&REGISTRY, "outcome", outcome, &sums);
        }
        totals
    }
}

fn encounter_type(class: EncounterClass, completed: bool) -> &'static str {
    match (class, completed) {
        (EncounterClass::Inpatient, true) => "Inpatient",
        (EncounterClass::Inpatient, false) => "Inpatient (in progress)",
        (EncounterClass::Emergency, _) => "Emergency",
        (EncounterClass::Ambulatory, _) => "Outpatient",
        (EncounterClass::Virtual, _) => "Virtual",
        (EncounterClass::HomeHealth, _) => "Home Health",
    }
}
