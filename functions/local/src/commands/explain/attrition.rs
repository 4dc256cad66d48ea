//! The steps from all encounters to a rate, as counts of one hospital and month or of all.
//!
//! Encounters are counted from silver, stays and verdicts from the ledger, by the ledger's own words; nothing is judged
//! here a second time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use metriccare_fhir::calendar::{Month, date_of};
use metriccare_lake::silver::{
    class::INPATIENT,
    status::{Phase, phase},
    stays::is_stay,
};

use crate::lake::rows::{Row, Rows};

/// What is counted: all of a lake, or one hospital's, or one month's.
pub(super) struct Scope {
    pub(super) hospital: Option<String>,
    pub(super) month: Option<String>,
}

impl Scope {
    /// Whether a row with a hospital and a month is counted.
    pub(super) fn holds(&self, hospital: Option<&str>, month: Option<&str>) -> bool {
        let wanted = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        wanted(&self.hospital, hospital) && wanted(&self.month, month)
    }
}

/// Encounters and stays of a scope, counted by outcome.
#[derive(Default)]
pub(super) struct Attrition {
    /// Encounters: the latest version of each.
    pub(super) encounters: i64,
    /// Encounters of other classes, by class.
    pub(super) other_classes: BTreeMap<String, i64>,
    /// Inpatient encounters that are neither over nor going on, by status.
    pub(super) uncounted: BTreeMap<String, i64>,
    /// Inpatient encounters that are going on.
    pub(super) open: i64,
    /// Inpatient encounters that are over, without both times or with a discharge before the admission.
    pub(super) without_times: i64,
    /// Stays of silver.
    pub(super) stays: i64,
    /// Rows of the ledger.
    pub(super) ledger: i64,
    /// Stays by index_status and by hwr_status.
    pub(super) index_status: BTreeMap<String, i64>,
    pub(super) hwr_status: BTreeMap<String, i64>,
    /// Stays with a return within 30 days.
    pub(super) naive: Returns,
    /// Index stays of all payers, and of patients from 65, by what followed.
    pub(super) all_payer: Returns,
    pub(super) hwr: Returns,
    /// Every hospital and month that the lake has, whatever the scope.
    pub(super) hospitals: BTreeSet<String>,
    pub(super) months: BTreeSet<String>,
}

/// What followed the index stays of a definition.
#[derive(Default)]
pub(super) struct Returns {
    /// Index stays.
    pub(super) index: i64,
    /// Those without any stay that began within 30 days.
    pub(super) none: i64,
    /// Those whose first return was planned, by the rule.
    pub(super) planned: BTreeMap<String, i64>,
    /// Those that count as readmitted.
    pub(super) readmitted: i64,
}

impl Returns {
    fn add(&mut self, returned: bool, readmitted: bool, rule: Option<&str>) {
        self.index += 1;
        if readmitted {
            self.readmitted += 1;
        } else if returned {
            *self.planned.entry(rule.unwrap_or("unknown").to_owned()).or_default() += 1;
        } else {
            self.none += 1;
        }
    }
}

impl Attrition {
    /// Counts a file of silver's encounters.
    pub(super) fn encounters(&mut self, file: &Rows, scope: &Scope) {
        for row in file.iter() {
            let (admission, discharge) = (row.time("admission_time"), row.time("discharge_time"));
            let hospital = row.text("hospital_name");
            // A stay counts in the month of its discharge; what has none is placed by its admission.
            let month = discharge.or(admission).map(|time| Month::of(date_of(time)).to_string());
            if let Some(hospital) = hospital
                && !self.hospitals.contains(hospital)
            {
                self.hospitals.insert(hospital.to_owned());
            }
            if let Some(month) = &month
                && !self.months.contains(month)
            {
                self.months.insert(month.clone());
            }
            if scope.holds(hospital, month.as_deref()) {
                self.encounter(row, admission, discharge);
            }
        }
    }

    fn encounter(&mut self, row: Row<'_>, admission: Option<i64>, discharge: Option<i64>) {
        let (class, status) = (row.text("encounter_class"), row.text("status"));
        let named = |name: Option<&str>| name.unwrap_or("unknown").to_owned();
        self.encounters += 1;
        if class != Some(INPATIENT) {
            *self.other_classes.entry(named(class)).or_default() += 1;
        } else if is_stay(class, status, admission, discharge) {
            self.stays += 1;
        } else {
            match phase(status) {
                Phase::Uncounted => *self.uncounted.entry(named(status)).or_default() += 1,
                Phase::Open => self.open += 1,
                Phase::Completed => self.without_times += 1,
            }
        }
    }

    /// Counts a file of the ledger, which holds whole patients.
    pub(super) fn ledger(&mut self, file: &Rows, scope: &Scope) {
        let key = |row: &Row<'_>, id: &str| {
            Some((row.text("patient_id").unwrap_or_default().to_owned(), row.text(id)?.to_owned()))
        };
        let planned: HashMap<_, _> =
            file.iter().filter_map(|row| Some((key(&row, "stay_id")?, row.text("planned_rule")?.to_owned()))).collect();
        for row in file.iter().filter(|row| scope.holds(row.text("hospital_name"), row.text("month"))) {
            let (returned, readmitted) = (row.flag("naive_readmitted"), row.flag("readmitted"));
            let rule = key(&row, "next_stay_id").and_then(|next| planned.get(&next)).map(String::as_str);
            self.ledger += 1;
            self.naive.add(returned, returned, None);
            for (column, statuses, returns) in [
                ("index_status", &mut self.index_status, &mut self.all_payer),
                ("hwr_status", &mut self.hwr_status, &mut self.hwr),
            ] {
                let status = row.text(column).unwrap_or_default();
                *statuses.entry(status.to_owned()).or_default() += 1;
                if status == "index" {
                    returns.add(returned, readmitted, rule);
                }
            }
        }
    }
}
