//! Sums over the star: claims by their status, what patients cost, and facilities beside the benchmarks of their measures.

use std::collections::BTreeMap;

use metriccare_flow::Worker;
use metriccare_lake::relational::{CLAIMS, CMS_MEASURES, HAI_DATA, RELATIONAL};

use super::{Row, Rows};
use crate::output::failure::Failure;

/// Claim lines of one status; amounts in cents.
#[derive(Default)]
pub(in crate::commands::report) struct Claims {
    pub(in crate::commands::report) lines: i64,
    pub(in crate::commands::report) claimed: i64,
    pub(in crate::commands::report) allowed: i64,
    pub(in crate::commands::report) paid: i64,
}

/// How rows of a measure compare with its benchmark.
#[derive(Default)]
pub(in crate::commands::report) struct Compared {
    pub(in crate::commands::report) benchmark: Option<f64>,
    pub(in crate::commands::report) better: i64,
    pub(in crate::commands::report) same: i64,
    pub(in crate::commands::report) worse: i64,
    /// Too few cases, or not available.
    pub(in crate::commands::report) not_compared: i64,
    /// Infections and patient-days, of infections only.
    pub(in crate::commands::report) infections: i64,
    pub(in crate::commands::report) patient_days: i64,
}

/// Sums over the star; empty where the lake has none.
#[derive(Default)]
pub(in crate::commands::report) struct Warehouse {
    /// Rows of all eight tables.
    pub(in crate::commands::report) rows: i64,
    /// By adjudication status.
    pub(in crate::commands::report) claims: BTreeMap<String, Claims>,
    /// What was paid, by patient, in cents.
    paid: BTreeMap<String, i64>,
    /// By the measure's name; only measures that have a benchmark.
    pub(in crate::commands::report) measures: BTreeMap<String, Compared>,
    /// By the type of infection.
    pub(in crate::commands::report) infections: BTreeMap<String, Compared>,
}

impl Warehouse {
    pub(super) async fn read(worker: &Worker) -> Result<Self, Failure> {
        let mut sums = Warehouse::default();
        for table in RELATIONAL {
            Rows::of_each_file(worker, &table.silver, |file| {
                for row in file.iter() {
                    sums.rows += 1;
                    match table.name {
                        name if name == CLAIMS.name => sums.claim(&row),
                        name if name == CMS_MEASURES.name => sums.measure(&row),
                        name if name == HAI_DATA.name => sums.infection(&row),
                        _ => {}
                    }
                }
            })
            .await?;
        }
        Ok(sums)
    }

    fn claim(&mut self, row: &Row<'_>) {
        let of_status = self.claims.entry(text(row, "adjudication_status")).or_default();
        let paid = row.money("paid_amount").unwrap_or_default();
        of_status.lines += 1;
        of_status.claimed += row.money("claim_amount").unwrap_or_default();
        of_status.allowed += row.money("allowed_amount").unwrap_or_default();
        of_status.paid += paid;
        *self.paid.entry(text(row, "patient_id")).or_default() += paid;
    }

    fn measure(&mut self, row: &Row<'_>) {
        if let Some(benchmark) = row.float("benchmark_value") {
            let measure = self.measures.entry(text(row, "measure_name")).or_default();
            measure.add(benchmark, row.text("performance_status"));
        }
    }

    fn infection(&mut self, row: &Row<'_>) {
        let kind = self.infections.entry(text(row, "hai_type")).or_default();
        kind.infections += row.count("infection_count");
        kind.patient_days += row.count("patient_days");
        if let Some(benchmark) = row.float("national_benchmark") {
            kind.add(benchmark, row.text("status"));
        }
    }

    /// What was paid in all, in cents, and for how many patients.
    pub(in crate::commands::report) fn spending(&self) -> (i64, i64) {
        (self.paid.values().sum(), self.paid.len() as i64)
    }

    /// How many patients the costliest twentieth is, rounded up, and what was paid for them, in cents.
    pub(in crate::commands::report) fn costliest(&self) -> (i64, i64) {
        let mut paid: Vec<i64> = self.paid.values().copied().collect();
        paid.sort_unstable_by(|one, other| other.cmp(one));
        let top = paid.len().div_ceil(20);
        (top as i64, paid[..top].iter().sum())
    }
}

impl Compared {
    fn add(&mut self, benchmark: f64, status: Option<&str>) {
        self.benchmark = Some(benchmark);
        let place = match status.unwrap_or_default() {
            status if status.starts_with("Better") => &mut self.better,
            status if status.starts_with("Worse") => &mut self.worse,
            status if status.starts_with("No Different") => &mut self.same,
            _ => &mut self.not_compared,
        };
        *place += 1;
    }
}

fn text(row: &Row<'_>, column: &str) -> String {
    row.text(column).unwrap_or_default().to_owned()
}
