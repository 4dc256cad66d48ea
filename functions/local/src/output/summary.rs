//! The summary of a run: every number is counted from what was written.

use std::collections::BTreeMap;

use metriccare_flow::{Driven, Worker};
use metriccare_lake::{
    bronze::{BronzeCommit, Counts},
    cells::{self, Cell},
    gold::counts::UnlinkedCounts,
    keys,
    schema::GOLD_SUMMARY,
};
use serde::Serialize;

use crate::{
    lake::unlinked::{describe, unlinked},
    output::{Output, count, counted, failure::Failure},
};

/// The summary of a run or an ingest.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Landed objects that this run took into bronze, with their counts.
    objects: Vec<Object>,
    /// Landed objects that earlier runs had taken into bronze.
    already_done: usize,
    /// Quarantined records of those.
    quarantined_before: u64,
    /// Files and folders that were not read, each with the reason.
    pub(crate) passed_over: Vec<String>,
    records: u64,
    accepted: u64,
    quarantined: u64,
    skipped: u64,
    quarantined_by_rule: BTreeMap<String, u64>,
    skipped_by_type: BTreeMap<String, u64>,
    /// Accepted rows of the relational tables, by table.
    table_rows: BTreeMap<String, u64>,
    /// Resources of the whole lake that refer to nothing that is in it.
    unlinked: UnlinkedCounts,
    /// What failed, as text.
    failures: Vec<String>,
    /// The rows of gold/summary: the whole lake.
    metrics: Vec<Metric>,
}

/// One landed object.
#[derive(Debug, Serialize)]
pub(crate) struct Object {
    pub(crate) sourcename: String,
    records: u64,
    patients: u64,
    encounters: u64,
    conditions: u64,
    /// Accepted rows of relational tables.
    pub(crate) table_rows: u64,
    pub(crate) quarantined: u64,
    skipped: u64,
}

/// One row of gold/summary.
#[derive(Debug, Serialize)]
struct Metric {
    metric: String,
    definition: String,
    numerator: Option<i64>,
    denominator: Option<i64>,
    value: Option<f64>,
    provisional: bool,
}

impl Summary {
    pub(crate) async fn of(worker: &Worker, driven: &Driven) -> Result<Self, Failure> {
        let mut counts = Counts::default();
        for commit in &driven.landed {
            counts.add(&commit.counts);
        }
        let failed = driven.failed.iter().map(|(stage, reason)| format!("{stage}: {reason}"));
        Ok(Summary {
            objects: driven.landed.iter().map(Object::of).collect(),
            already_done: driven.already.len(),
            passed_over: Vec::new(),
            unlinked: unlinked(worker).await?,
            quarantined_before: driven.already.iter().map(|commit| commit.counts.quarantined()).sum(),
            records: counts.records,
            accepted: counts.accepted(),
            quarantined: counts.quarantined(),
            skipped: counts.skipped(),
            quarantined_by_rule: counts.quarantined,
            skipped_by_type: counts.skipped,
            table_rows: counts.relational,
            failures: failed.collect(),
            metrics: metrics(worker).await?,
        })
    }

    /// The landed objects that this run took into bronze.
    pub(crate) fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// Prints what was processed and the metrics of the whole lake.
    pub(crate) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let before = if self.already_done == 0 {
            String::new()
        } else {
            format!(" ({} landed before)", count(self.already_done as u64))
        };
        output.line(format!(
            "  bronze     {}: {} accepted, {} quarantined, {} skipped{before}",
            counted(self.records, "record"),
            count(self.accepted),
            count(self.quarantined),
            count(self.skipped)
        ))?;
        list(output, "quarantined", &self.quarantined_by_rule)?;
        list(output, "skipped", &self.skipped_by_type)?;
        list(output, "rows of tables", &self.table_rows)?;
        let plain = |name: &str| {
            let row = self.metrics.iter().find(|metric| metric.metric == name);
            row.and_then(|metric| metric.numerator).and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
        };
        output.line(format!(
            "  silver     {}, {}, {}",
            counted(plain("patients"), "patient"),
            counted(plain("encounters"), "encounter"),
            counted(plain("conditions"), "condition")
        ))?;
        if let Some(unlinked) = describe(&self.unlinked) {
            output.line(format!("             not linked: {unlinked}"))?;
        }
        output.line(format!("  gold       {}", counted(plain("stays"), "stay")))?;
        output.line("")?;
        output.line("The whole lake (times in UTC)")?;
        let mut rows = Vec::new();
        for metric in self.metrics.iter().filter(|metric| metric.value.is_some() && metric.denominator.is_some()) {
            rows.push(metric.row());
        }
        if rows.is_empty() {
            output.line("  no completed inpatient stay yet: there is nothing to measure")?;
            if !self.table_rows.is_empty() {
                output
                    .line("  the tables are a star in silver: metriccare show silver_fact_claim, metriccare report")?;
            }
        }
        output.table(&rows)?;
        if self.metrics.iter().any(|metric| metric.provisional) {
            output.line("  * months that end less than 30 days before the lake's last date are provisional")?;
        }
        if self.metrics.iter().any(|metric| metric.metric == "infection") {
            output.line(
                "  infections are counted per patient-day; device-days are the standard for lines and catheters",
            )?;
        }
        output.line("")
    }

    /// Fails if work failed, or, with `strict`, if records of this run were quarantined.
    pub(crate) fn exit_status(&self, strict: bool) -> Result<(), Failure> {
        if !self.failures.is_empty() {
            return Err(Failure::failed(format!(
                "some work failed; the next run tries it again:\n  {}",
                self.failures.join("\n  ")
            )));
        }
        let quarantined = self.quarantined;
        if strict && quarantined > 0 {
            let verb = if quarantined == 1 { "is" } else { "are" };
            let words = "quarantined; bronze/quarantine has each one and its reason";
            return Err(Failure::failed(format!("{} {verb} {words}", counted(quarantined, "record"))));
        }
        Ok(())
    }
}

impl Object {
    fn of(commit: &BronzeCommit) -> Self {
        let counts = &commit.counts;
        Object {
            sourcename: commit.sourcename.clone(),
            records: counts.records,
            patients: counts.patients,
            encounters: counts.encounters,
            conditions: counts.conditions,
            table_rows: counts.relational.values().sum(),
            quarantined: counts.quarantined(),
            skipped: counts.skipped(),
        }
    }

    /// The object as a row of the ingest log, with the rows of tables where the log has such a column.
    pub(crate) fn row(&self, with_tables: bool) -> Vec<String> {
        let numbers = [self.records, self.patients, self.encounters, self.conditions, self.quarantined, self.skipped];
        let name = std::iter::once(self.sourcename.clone());
        name.chain(numbers.map(count)).chain(with_tables.then(|| count(self.table_rows))).collect()
    }
}

impl Metric {
    fn row(&self) -> Vec<String> {
        let label = match (self.metric.as_str(), self.definition.as_str()) {
            ("readmission", definition) => format!("30-day readmission, {}", definition.replace('_', " ")),
            ("mortality", "in_hospital") => "mortality, in hospital".to_owned(),
            ("mortality", definition) => format!("mortality, {}", definition.replace('_', "-")),
            ("length_of_stay", _) => "average length of stay, days".to_owned(),
            ("infection", _) => "hospital-onset infections per 1,000 patient-days".to_owned(),
            ("occupancy", _) => "bed occupancy".to_owned(),
            (other, _) => other.replace('_', " "),
        };
        let value = self.value.unwrap_or_default();
        let value = match self.metric.as_str() {
            "readmission" | "mortality" | "occupancy" => format!("{:.1} %", value * 100.0),
            _ => format!("{value:.2}"),
        };
        let part = |number: Option<i64>| count(number.and_then(|n| u64::try_from(n).ok()).unwrap_or_default());
        let of = format!("{} of {}", part(self.numerator), part(self.denominator));
        vec![label, value, of, if self.provisional { "*" } else { "" }.to_owned()]
    }
}

/// The rows of gold/summary, none where gold has not been made yet.
async fn metrics(worker: &Worker) -> Result<Vec<Metric>, Failure> {
    let object = match worker.ports.lake.get(&keys::gold_file(GOLD_SUMMARY.path)).await {
        Ok(object) => object,
        Err(error) if error.kind() == metriccare_ports::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let bytes = object.body.bytes().await?;
    let rows = cells::read_rows(&GOLD_SUMMARY, &bytes).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(rows.iter().map(|row| metric(row)).collect())
}

fn metric(row: &[Cell]) -> Metric {
    let text = |cell: Option<&Cell>| cell.map(Cell::to_string).unwrap_or_default();
    let number = |cell: Option<&Cell>| match cell {
        Some(Cell::Int(number)) => Some(*number),
        _ => None,
    };
    Metric {
        metric: text(row.first()),
        definition: text(row.get(1)),
        numerator: number(row.get(2)),
        denominator: number(row.get(3)),
        value: match row.get(4) {
            Some(Cell::Float(value)) => Some(*value),
            _ => None,
        },
        provisional: row.get(5) == Some(&Cell::Bool(true)),
    }
}

fn list(output: &mut Output, what: &str, counts: &BTreeMap<String, u64>) -> Result<(), Failure> {
    if counts.is_empty() {
        return Ok(());
    }
    let parts: Vec<_> = counts.iter().map(|(name, number)| format!("{name} {}", count(*number))).collect();
    output.line(format!("             {what}: {}", parts.join(", ")))
}
