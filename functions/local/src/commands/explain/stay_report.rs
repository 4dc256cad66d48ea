//! All that is known of one stay, and how it is printed.

use std::collections::BTreeMap;

use metriccare_lake::{cells::Cell, gold::verdict::WINDOW};
use serde::Serialize;
use serde_json::Value;

use super::{infections::Infection, words};
use crate::{
    lake::rows::Row,
    output::{Output, failure::Failure},
};

/// A stay with everything that its verdicts rest on.
#[derive(Debug, Serialize)]
pub(super) struct StayReport {
    /// The ledger's row, column by column.
    pub(super) stay: BTreeMap<&'static str, Value>,
    /// Every version of the encounter that landed, oldest first.
    pub(super) versions: Vec<Version>,
    /// The patient's next stay.
    pub(super) next: Option<AdjacentStay>,
    /// The stays whose next stay this one is.
    pub(super) before: Vec<AdjacentStay>,
    pub(super) infections: Vec<Infection>,
}

/// A version of the encounter, and the landed object that brought it.
#[derive(Debug, Serialize)]
pub(super) struct Version {
    version_id: Option<String>,
    status: Option<String>,
    last_updated: Option<String>,
    landed: Option<String>,
    pub(super) sourcename: String,
    /// The line in the landed object; none where the object is gone.
    pub(super) line: Option<u64>,
    #[serde(skip)]
    pub(super) content_id: String,
    /// Whether it is the version that counts.
    counts: bool,
}

impl Version {
    pub(super) fn of(row: &Row<'_>, counts: bool) -> Self {
        let text = |column| row.text(column).map(str::to_owned);
        let time = |column| row.time(column).map(|micros| Cell::<String>::Timestamp(micros).to_string());
        Version {
            version_id: text("version_id"),
            status: text("status"),
            last_updated: time("last_updated"),
            landed: time("precombine_ts"),
            sourcename: text("sourcename").unwrap_or_default(),
            line: None,
            content_id: text("content_id").unwrap_or_default(),
            counts,
        }
    }
}

/// The stay before or after, as far as it decides anything.
#[derive(Debug, Serialize)]
pub(super) struct AdjacentStay {
    stay_id: String,
    hospital_name: Option<String>,
    admission: Option<String>,
    reason_code: Option<String>,
    planned_rule: Option<String>,
    index_status: Option<String>,
    /// Whether the stay's first return counts as a readmission.
    readmitted: bool,
    /// Days from one stay's discharge to the other's admission.
    days: Option<i64>,
}

impl AdjacentStay {
    pub(super) fn of(row: &Row<'_>, days: Option<i64>) -> Self {
        let text = |column| row.text(column).map(str::to_owned);
        AdjacentStay {
            stay_id: text("stay_id").unwrap_or_default(),
            hospital_name: text("hospital_name"),
            admission: row.time("admission_time").map(words::time),
            reason_code: text("reason_code"),
            planned_rule: text("planned_rule"),
            index_status: text("index_status"),
            readmitted: row.flag("readmitted"),
            days,
        }
    }

    fn place(&self) -> String {
        let hospital = self.hospital_name.as_deref().unwrap_or("hospital not recorded");
        let reason = self.reason_code.as_deref().map(|code| format!(", reason {code}")).unwrap_or_default();
        format!(
            "{} at {hospital}, admitted {}{reason}",
            self.stay_id,
            self.admission.as_deref().unwrap_or("at an unknown time")
        )
    }
}

impl StayReport {
    fn text(&self, column: &str) -> Option<&str> {
        self.stay.get(column).and_then(Value::as_str)
    }

    fn flag(&self, column: &str) -> bool {
        self.stay.get(column).and_then(Value::as_bool).unwrap_or_default()
    }

    fn int(&self, column: &str) -> Option<i64> {
        self.stay.get(column).and_then(Value::as_i64)
    }

    pub(super) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        output.line(format!("stay {}", self.text("stay_id").unwrap_or_default()))?;
        self.facts(output)?;
        output.line("")?;
        output.line("Versions that landed")?;
        for version in &self.versions {
            output.line(version.words())?;
        }
        output.line("")?;
        output.line("Verdicts")?;
        for (name, verdict) in self.verdicts() {
            field(output, name, &verdict)?;
        }
        for infection in &self.infections {
            let (onset, day) = (infection.onset.as_deref().unwrap_or("unknown"), infection.day);
            let day = day.map(|day| format!(", day {day} of the stay")).unwrap_or_default();
            let (kind, id, verdict) = (&infection.infection_type, &infection.condition_id, infection.verdict);
            field(output, "infection", &format!("{kind}, onset {onset}{day}: {verdict} ({id})"))?;
        }
        output.line("")
    }

    fn facts(&self, output: &mut Output) -> Result<(), Failure> {
        let or = |column: &str, other: &str| self.text(column).unwrap_or(other).to_owned();
        let age = self
            .int("age_at_admission")
            .map_or_else(|| "age unknown".to_owned(), |age| format!("{age} years at admission"));
        let time =
            |column: &str| self.text(column).map(|text| text.replace('T', " ").replace('Z', "")).unwrap_or_default();
        let hours = self.stay.get("length_hours").and_then(Value::as_f64).unwrap_or_default();
        field(
            output,
            "patient",
            &format!(
                "{}, {age}, {}, {}",
                or("patient_id", "not recorded"),
                or("gender", "gender unknown"),
                or("state", "state unknown")
            ),
        )?;
        field(
            output,
            "hospital",
            &format!("{}, {}", or("hospital_name", "not recorded"), or("department", "department not recorded")),
        )?;
        field(output, "admitted", &format!("{} UTC", time("admission_time")))?;
        field(
            output,
            "discharged",
            &format!(
                "{} UTC, after {} ({hours:.1} hours); counts in {}",
                time("discharge_time"),
                words::days(self.int("length_days").unwrap_or_default()),
                or("month", "no month")
            ),
        )?;
        field(output, "reason", &or("reason_code", "not recorded"))?;
        field(output, "disposition", &or("discharge_disposition", "not recorded"))?;
        field(output, "priority", &or("priority", "not recorded"))
    }

    fn verdicts(&self) -> Vec<(&'static str, String)> {
        let status = |column| match self.text(column) {
            Some("index") => "an index stay: counts in the denominator".to_owned(),
            Some(status) => format!("{status}, not in the denominator: {}", words::reason(status)),
            None => "not judged".to_owned(),
        };
        let planned =
            self.text("planned_rule").map_or_else(|| "no".to_owned(), |rule| format!("yes: {}", words::planned(rule)));
        let mut verdicts = vec![
            ("planned", planned),
            (
                "naive",
                format!("{}, as every stay", if self.flag("naive_index") { "an index stay" } else { "no index stay" }),
            ),
            ("all payers", status("index_status")),
            ("65 and over", status("hwr_status")),
            ("next stay", self.next_stay()),
            ("readmitted", self.readmitted()),
            ("death", self.death()),
        ];
        for before in &self.before {
            verdicts.push(("before", before_this(before)));
        }
        verdicts
    }

    fn next_stay(&self) -> String {
        let Some(next) = &self.next else { return "none in this lake".to_owned() };
        let planned = next
            .planned_rule
            .as_deref()
            .map_or_else(|| "unplanned".to_owned(), |rule| format!("planned: {}", words::planned(rule)));
        format!("{}, {} after this discharge, {planned}", next.place(), words::days(next.days.unwrap_or_default()))
    }

    fn readmitted(&self) -> String {
        let (index, back) = (self.text("index_status") == Some("index"), self.flag("naive_readmitted"));
        if self.flag("readmitted") {
            return format!("yes, by {}", self.text("readmission_stay_id").unwrap_or("the next stay"));
        }
        match &self.next {
            None => "no: there is no next stay".to_owned(),
            Some(_) if !back => format!("no: the next stay began more than {} after discharge", words::days(WINDOW)),
            Some(_) if !index => "no: this is no index stay (naively: yes)".to_owned(),
            Some(_) => "no: the first return is planned, which ends the search (naively: yes)".to_owned(),
        }
    }

    fn death(&self) -> String {
        match (self.flag("died_in_hospital"), self.flag("died_30d")) {
            (true, true) => "in hospital, within 30 days of admission".to_owned(),
            (true, false) => "in hospital, more than 30 days after admission".to_owned(),
            (false, true) => "within 30 days of admission, not in hospital".to_owned(),
            (false, false) => "neither in hospital nor within 30 days of admission".to_owned(),
        }
    }
}

fn before_this(before: &AdjacentStay) -> String {
    let ended = match before.days {
        Some(0) => "discharged on the day of this admission".to_owned(),
        days => format!("discharged {} before this admission", words::days(days.unwrap_or_default())),
    };
    let is = match (before.readmitted, before.index_status.as_deref()) {
        (true, _) => "this stay is its readmission".to_owned(),
        (false, Some("index")) => "this stay is not its readmission".to_owned(),
        (false, status) => format!("that stay is no index stay ({})", status.unwrap_or("not judged")),
    };
    format!("{}, {ended}: {is}", before.place())
}

fn field(output: &mut Output, name: &str, words: &str) -> Result<(), Failure> {
    output.line(format!("  {name:<13}{words}"))
}

impl Version {
    fn words(&self) -> String {
        let line = self.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let updated = self.last_updated.as_deref().unwrap_or("at an unknown time");
        format!(
            "  {:<13}{:<12} updated {updated}, landed {} in {}{line}{}",
            self.version_id.as_deref().map_or_else(|| "no version".to_owned(), |version| format!("version {version}")),
            self.status.as_deref().unwrap_or("no status"),
            self.landed.as_deref().unwrap_or("at an unknown time"),
            self.sourcename,
            if self.counts { "  (the one that counts)" } else { "" }
        )
    }
}
