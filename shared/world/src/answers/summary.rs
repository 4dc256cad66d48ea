//! The summary of the whole lake: sums of the other tables, and the plain counts.

use metriccare_fhir::write::Date;

use super::cells::{ExpectedRow, Value, provisional};
use super::tally::{MORTALITY, READMISSION};
use super::{Answers, Month, Share};

/// The summary's rows, the rates first.
pub(super) fn rows(key: &Answers, tables: &[ExpectedRow], last: Date) -> Vec<ExpectedRow> {
    let mut rows = Vec::new();
    let open_month = |month: Month| provisional(month, last);
    for (definition, name) in READMISSION.into_iter().enumerate() {
        let cells = key.readmission.iter().filter(|((_, _, d), _)| usize::from(*d) == definition);
        let sum = total(cells.clone().map(|(_, share)| share));
        let open = cells.into_iter().any(|((_, month, _), _)| open_month(*month));
        rows.push(row("readmission", name, sum.events, Some(sum.of), 1.0, Value::Flag(open)));
    }
    for (definition, name) in MORTALITY.into_iter().enumerate() {
        let cells = key.mortality.iter().filter(|((_, _, d), _)| usize::from(*d) == definition);
        let sum = total(cells.clone().map(|(_, share)| share));
        let open = cells.into_iter().any(|((_, month, _), _)| open_month(*month));
        rows.push(row("mortality", name, sum.events, Some(sum.of), 1.0, Value::Flag(open)));
    }
    let los = "gold/length_of_stay";
    let (days, discharges) = (column(tables, los, "total_days"), column(tables, los, "discharges"));
    rows.push(row("length_of_stay", "", days, Some(discharges), 1.0, Value::Flag(false)));
    let infections = column(tables, "gold/infection", "infections");
    let patient_days = column(tables, OCCUPANCY, "patient_days");
    rows.push(row("infection", "", infections, Some(patient_days), 1_000.0, Value::Flag(false)));
    // Where a hospital's beds are not known, its patients cannot be set against them.
    let known: Vec<ExpectedRow> = tables.iter().filter(|row| has_beds(row)).cloned().collect();
    let (patient_days, bed_days) = (column(&known, OCCUPANCY, "patient_days"), column(&known, OCCUPANCY, "bed_days"));
    rows.push(row("occupancy", "", patient_days, Some(bed_days), 1.0, Value::Flag(false)));
    rows.extend(counts(key));
    rows.retain(|row| row.values.iter().any(|(_, value)| matches!(value, Value::Count(count) if *count != 0)));
    rows
}

const OCCUPANCY: &str = "gold/occupancy";

fn has_beds(row: &ExpectedRow) -> bool {
    row.table == OCCUPANCY && row.values.iter().any(|(name, value)| *name == "bed_days" && *value != Value::Null)
}

/// The plain counts.
pub(super) fn counts(key: &Answers) -> Vec<ExpectedRow> {
    let totals = &key.totals;
    let counts = [
        ("patients", totals.patients),
        ("encounters", totals.encounters),
        ("stays", totals.stays),
        ("conditions", totals.conditions),
    ];
    let there = counts.into_iter().filter(|(_, count)| *count != 0);
    there.map(|(metric, count)| row(metric, "", count, None, 1.0, Value::Flag(false))).collect()
}

fn total<'a>(shares: impl Iterator<Item = &'a Share>) -> Share {
    shares.fold(Share::default(), |sum, share| Share { of: sum.of + share.of, events: sum.events + share.events })
}

fn column(rows: &[ExpectedRow], table: &str, column: &str) -> i64 {
    let cells = rows.iter().filter(|row| row.table == table).flat_map(|row| &row.values);
    cells.filter(|(name, _)| *name == column).map(|(_, value)| if let Value::Count(n) = value { *n } else { 0 }).sum()
}

fn row(
    metric: &str,
    definition: &str,
    numerator: i64,
    denominator: Option<i64>,
    per: f64,
    provisional: Value,
) -> ExpectedRow {
    let value = match denominator {
        None => Value::Float(numerator as f64),
        Some(0) => Value::Null,
        Some(denominator) => Value::Float(numerator as f64 / denominator as f64 * per),
    };
    ExpectedRow {
        table: "gold/summary",
        dimensions: vec![("metric", Some(metric.to_owned())), ("definition", Some(definition.to_owned()))],
        values: vec![
            ("numerator", Value::Count(numerator)),
            ("denominator", denominator.map_or(Value::Null, Value::Count)),
            ("value", value),
            ("provisional", provisional),
        ],
    }
}
