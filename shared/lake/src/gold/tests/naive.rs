//! The metric definitions once more, one record at a time and with no thought of speed: silver's rows and the verdicts
//! on every stay. Nothing here calls the code that it checks.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::histories::History;
use crate::sample::{ConditionRow, EncounterRow, PatientRow, Version};

pub(super) type Time = DateTime<Utc>;

/// The latest version of an encounter.
#[derive(Clone, Debug)]
pub(super) struct Encounter {
    pub(super) id: String,
    pub(super) patient: Option<String>,
    pub(super) hospital: Option<String>,
    pub(super) department: Option<String>,
    pub(super) class: &'static str,
    pub(super) completed: bool,
    pub(super) open: bool,
    pub(super) admission: Option<Time>,
    pub(super) discharge: Option<Time>,
    pub(super) priority: Option<String>,
    pub(super) disposition: Option<String>,
    pub(super) reason: Option<String>,
}

fn time(micros: i64) -> Time {
    DateTime::from_timestamp_micros(micros).unwrap()
}

/// The latest version of each id, whatever patient it names.
fn latest<T: Clone>(rows: &[T], key: impl Fn(&T) -> (String, Version)) -> Vec<T> {
    let mut best: BTreeMap<String, T> = BTreeMap::new();
    let rank = |row: &T| {
        let version = key(row).1;
        (version.last_updated, version.content_id)
    };
    for row in rows {
        let (id, _) = key(row);
        let entry = best.entry(id).or_insert_with(|| row.clone());
        if rank(row) > rank(entry) {
            *entry = row.clone();
        }
    }
    best.into_values().collect()
}

pub(super) fn patients(history: &History) -> Vec<PatientRow> {
    latest(&history.patients, |row| (row.id.clone(), row.version.clone()))
}

pub(super) fn conditions(history: &History) -> Vec<ConditionRow> {
    latest(&history.conditions, |row| (row.id.clone(), row.version.clone()))
}

pub(super) fn encounters(history: &History) -> Vec<Encounter> {
    let rows = latest(&history.encounters, |row| (row.id.clone(), row.version.clone()));
    rows.into_iter().map(encounter).collect()
}

fn encounter(row: EncounterRow) -> Encounter {
    let status = row.status.as_deref().unwrap_or("");
    Encounter {
        id: row.id,
        patient: row.patient,
        hospital: row.hospital,
        department: row.department.map(|name| match name.as_str() {
            "ICU" => "Intensive Care".to_owned(),
            "ER" => "Emergency".to_owned(),
            _ => name,
        }),
        class: match row.class.as_deref() {
            Some("IMP" | "ACUTE") => "inpatient",
            Some("EMER") => "emergency",
            Some("AMB") => "outpatient",
            _ => "other",
        },
        completed: ["finished", "completed", "discharged"].contains(&status),
        open: ["in-progress", "onleave"].contains(&status),
        admission: row.admission.map(time),
        discharge: row.discharge.map(time),
        priority: row.priority,
        disposition: row.disposition.map(|code| match code.as_str() {
            "07" => "aadvice".to_owned(),
            "1" => "home".to_owned(),
            "99" => "oth".to_owned(),
            _ => code,
        }),
        reason: row.reason,
    }
}

impl Encounter {
    pub(super) fn is_stay(&self) -> bool {
        self.class == "inpatient" && self.span().is_some()
    }

    /// Admission and discharge of a completed encounter that does not end before it begins.
    pub(super) fn span(&self) -> Option<(Time, Time)> {
        let (start, end) = (self.admission?, self.discharge?);
        (self.completed && end >= start).then_some((start, end))
    }

    fn from(&self) -> Time {
        self.admission.unwrap()
    }

    fn to(&self) -> Time {
        self.discharge.unwrap()
    }
}

pub(super) fn days(from: Time, to: Time) -> i64 {
    (to.date_naive() - from.date_naive()).num_days()
}

pub(super) fn length_days(from: Time, to: Time) -> i64 {
    days(from, to).max(1)
}

pub(super) fn month(date: NaiveDate) -> String {
    date.format("%Y-%m").to_string()
}

/// Each patient's stays in order; a stay without patient is alone.
pub(super) fn chains(encounters: &[Encounter]) -> Vec<Vec<Encounter>> {
    let mut chains: BTreeMap<String, Vec<Encounter>> = BTreeMap::new();
    for stay in encounters.iter().filter(|encounter| encounter.is_stay()) {
        let key = stay.patient.clone().map_or(format!("alone {}", stay.id), |patient| format!("patient {patient}"));
        chains.entry(key).or_default().push(stay.clone());
    }
    for chain in chains.values_mut() {
        chain.sort_by_key(|stay| (stay.from(), stay.to(), stay.id.clone()));
    }
    chains.into_values().collect()
}

/// The prior stay of each stay, with the days since.
pub(super) fn priors(encounters: &[Encounter]) -> BTreeMap<String, (String, i64)> {
    let mut priors = BTreeMap::new();
    for chain in chains(encounters) {
        for (i, stay) in chain.iter().enumerate() {
            let mut prior: Option<&Encounter> = None;
            for before in &chain[..i] {
                if before.to() <= stay.from() && prior.is_none_or(|prior| before.to() >= prior.to()) {
                    prior = Some(before);
                }
            }
            if let Some(prior) = prior {
                priors.insert(stay.id.clone(), (prior.id.clone(), days(prior.to(), stay.from())));
            }
        }
    }
    priors
}

/// A stay with its verdicts.
#[derive(Clone, Debug)]
pub(super) struct Stay {
    pub(super) encounter: Encounter,
    pub(super) from: Time,
    pub(super) to: Time,
    pub(super) patient: Option<PatientRow>,
    pub(super) age: Option<i64>,
    pub(super) planned: Option<&'static str>,
    pub(super) next: Option<(String, i64)>,
    pub(super) index_status: &'static str,
    pub(super) hwr_status: &'static str,
    pub(super) readmitted: bool,
    pub(super) died: bool,
    pub(super) died_30d: bool,
    pub(super) after_transfer: bool,
}

fn cause(encounter: &Encounter) -> Option<String> {
    let reason = encounter.reason.clone()?;
    // In these histories a code that begins with a letter is ICD-10.
    Some(if reason.starts_with(|c: char| c.is_ascii_uppercase()) { reason[..3].to_owned() } else { reason })
}

fn planned(encounter: &Encounter) -> Option<&'static str> {
    let reason = encounter.reason.as_deref().unwrap_or("");
    if encounter.priority.as_deref() == Some("EL") {
        Some("priority")
    } else if reason.starts_with("Z51.0") || reason.starts_with("Z51.1") {
        Some("chemotherapy")
    } else if reason.starts_with("Z51.89") {
        Some("rehabilitation")
    } else if reason.starts_with("O80") || reason.starts_with("O82") || reason.starts_with("Z37") {
        Some("delivery")
    } else if reason.starts_with("Z49") {
        Some("dialysis")
    } else {
        None
    }
}

fn age(patient: Option<&PatientRow>, from: Time) -> Option<i64> {
    let birth = NaiveDate::from_ymd_opt(1970, 1, 1)? + chrono::Duration::days(i64::from(patient?.birth_date?));
    let on = from.date_naive();
    let had_birthday = (on.month(), on.day()) >= (birth.month(), birth.day());
    Some(i64::from(on.year() - birth.year() - i32::from(!had_birthday)))
}

pub(super) fn stays(history: &History) -> Vec<Stay> {
    let patients: BTreeMap<_, _> = patients(history).into_iter().map(|row| (row.id.clone(), row)).collect();
    let conditions = conditions(history);
    let mut stays: Vec<Stay> = Vec::new();
    for chain in chains(&encounters(history)) {
        let mut judged: Vec<Stay> = Vec::new();
        for (i, this) in chain.iter().enumerate() {
            let next = chain[i + 1..].iter().find(|other| other.from() >= this.to());
            let patient = this.patient.as_ref().and_then(|id| patients.get(id));
            let died = death_in(this, &conditions, patient).is_some();
            let death = date_of_death(&chain, &conditions, patient);
            judged.push(judge(this, next, patient, died, death));
        }
        let received: Vec<_> = judged.iter().filter(|stay| stay.index_status == "transferred").collect();
        let received: Vec<_> = received.into_iter().filter_map(|stay| Some(stay.next.clone()?.0)).collect();
        for stay in &mut judged {
            stay.after_transfer = received.contains(&stay.encounter.id);
        }
        stays.extend(judged);
    }
    stays
}

/// The dates of the death conditions that are linked to a stay; none for one without a time.
fn deaths(this: &Encounter, conditions: &[ConditionRow]) -> Vec<Option<NaiveDate>> {
    let says_death = |row: &&ConditionRow| {
        matches!(row.code.as_deref(), Some("419620001" | "419099009"))
            && row.verification.as_deref() != Some("refuted")
            && row.encounter.as_ref() == Some(&this.id)
            && this.patient.is_some()
            && row.patient == this.patient
    };
    let date = |row: &ConditionRow| row.onset.or(row.recorded).map(|micros| time(micros).date_naive());
    conditions.iter().filter(says_death).map(date).collect()
}

/// Whether the patient died in a stay, and the date that the stay gives then.
fn death_in(this: &Encounter, conditions: &[ConditionRow], patient: Option<&PatientRow>) -> Option<NaiveDate> {
    let (from, to) = (this.from().date_naive(), this.to().date_naive());
    let within = |date: &NaiveDate| from <= *date && *date <= to;
    let deceased = patient.and_then(|patient| patient.deceased).map(|micros| time(micros).date_naive());
    let linked = deaths(this, conditions);
    let died = match this.disposition.as_deref() {
        Some("exp") => true,
        None | Some("oth") => {
            deceased.as_ref().is_some_and(within) || linked.iter().any(|date| date.as_ref().is_none_or(within))
        }
        Some(_) => false,
    };
    died.then(|| linked.into_iter().flatten().filter(within).min().unwrap_or(to))
}

/// The patient's date of death: the patient's own, else the earliest that any of the patient's stays gives.
fn date_of_death(chain: &[Encounter], conditions: &[ConditionRow], patient: Option<&PatientRow>) -> Option<NaiveDate> {
    let own = patient.and_then(|patient| patient.deceased).map(|micros| time(micros).date_naive());
    own.or_else(|| chain.iter().filter_map(|stay| death_in(stay, conditions, patient)).min())
}

fn judge(
    this: &Encounter,
    next: Option<&Encounter>,
    patient: Option<&PatientRow>,
    died: bool,
    death: Option<NaiveDate>,
) -> Stay {
    let (from, to) = (this.from(), this.to());
    let disposition = this.disposition.as_deref();
    let died_30d = death.is_some_and(|date| (0..=30).contains(&(date - from.date_naive()).num_days()));
    let gap = next.map(|next| days(to, next.from()));
    let hospitals = next.and_then(|next| Some((this.hospital.clone()?, next.hospital.clone()?)));
    let elsewhere = hospitals.as_ref().is_some_and(|(a, b)| a != b);
    let same_place = hospitals.as_ref().is_some_and(|(a, b)| a == b);
    let same_cause = cause(this).is_some() && next.is_some_and(|next| cause(this) == cause(next));
    let index_status = if died {
        "died"
    } else if disposition == Some("aadvice") {
        "against-advice"
    } else if elsewhere && gap.unwrap() <= 1 {
        "transferred"
    } else if same_place && gap.unwrap() == 0 && same_cause {
        "same-day-same-cause"
    } else {
        "index"
    };
    let age = age(patient, from);
    let reason = this.reason.as_deref().unwrap_or("");
    let hwr_status = match (index_status, age) {
        ("index", None) => "age-unknown",
        ("index", Some(age)) if age < 65 => "under-65",
        ("index", _) if reason == "F20.0" => "psychiatric",
        ("index", _) if reason == "Z51.89" => "rehabilitation",
        ("index", _) if ["C50.9", "Z51.11"].contains(&reason) => "cancer-treatment",
        ("index", _) if reason == "U07.1" => "covid-19",
        (status, _) => status,
    };
    Stay {
        from,
        to,
        patient: patient.cloned(),
        age,
        planned: planned(this),
        next: next.map(|next| (next.id.clone(), gap.unwrap())),
        index_status,
        hwr_status,
        readmitted: index_status == "index" && next.is_some_and(|next| planned(next).is_none()) && gap.unwrap() <= 30,
        died,
        died_30d,
        after_transfer: false,
        encounter: this.clone(),
    }
}

/// A counted infection.
#[derive(Clone, Debug)]
pub(super) struct Infection {
    pub(super) encounter: Encounter,
    pub(super) kind: &'static str,
    pub(super) onset: NaiveDate,
    pub(super) hospital_onset: bool,
}

pub(super) fn infections(history: &History) -> Vec<Infection> {
    let mut found = Vec::new();
    let conditions = conditions(history);
    for encounter in encounters(history) {
        let open = encounter.class == "inpatient" && encounter.open && encounter.admission.is_some();
        if !(encounter.is_stay() || open) || encounter.patient.is_none() {
            continue;
        }
        for kind in ["clabsi", "cdi", "mrsa", "ssi", "other"] {
            let of_kind = |row: &&ConditionRow| {
                let this = match row.code.as_deref() {
                    Some("T80.211A" | "T80.211D") => "clabsi",
                    Some("A04.72") => "cdi",
                    Some("A41.02") => "mrsa",
                    Some("T81.41XA") => "ssi",
                    Some("40733004") => "other",
                    _ => "",
                };
                this == kind && row.verification.as_deref() != Some("refuted")
            };
            let here =
                |row: &&ConditionRow| row.encounter.as_ref() == Some(&encounter.id) && row.patient == encounter.patient;
            let admitted = || encounter.from().date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc();
            let at = |row: &ConditionRow| row.onset.or(row.recorded).map_or_else(admitted, time);
            let linked = conditions.iter().filter(of_kind).filter(here);
            let Some(first) = linked.min_by_key(|row| (at(row), row.id.clone())) else { continue };
            let onset = at(first).date_naive();
            let late = encounter.is_stay() && (onset - encounter.to().date_naive()).num_days() > 1;
            if late {
                continue;
            }
            let after = (onset - encounter.from().date_naive()).num_days();
            let hospital_onset = match kind {
                "ssi" => true,
                "cdi" | "mrsa" => after >= 3,
                _ => after >= 2,
            };
            found.push(Infection { encounter: encounter.clone(), kind, onset, hospital_onset });
        }
    }
    found
}
