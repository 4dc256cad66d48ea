//! Claims and measures: what was claimed and paid, who the spending is for, and facilities beside the benchmarks.

use maud::{Markup, html};

use super::Section;
use crate::commands::report::{
    chart::{self, Bar, Rows, Words},
    gather::{Compared, Gathered, Warehouse},
    html::Table,
    numbers::{NONE, count, counted, decimal, or_none, percent, rate},
};

pub(super) fn section(lake: &Gathered) -> Section {
    let star = &lake.warehouse;
    if star.rows == 0 {
        return None;
    }
    Some(html! {
        p {
            "From the relational tables: " (counted(star.rows, "row", "rows"))
            " of the star. Amounts are in whole units of the claims' own currency."
        }
        "\n"
        @if !star.claims.is_empty() { (claims(star)) }
        @if !star.measures.is_empty() || !star.infections.is_empty() { (measures(star)) }
    })
}

fn claims(star: &Warehouse) -> Markup {
    let lines: i64 = star.claims.values().map(|claims| claims.lines).sum();
    let denied = star.claims.get("Denied").map_or(0, |claims| claims.lines);
    let (paid, patients) = star.spending();
    let (top, top_paid) = star.costliest();
    let said = format!(
        "{}; {} were denied. {} was paid for {}: the costliest 5 % ({}) account for {} of it.",
        counted(lines, "claim line", "claim lines"),
        or_none(rate(denied, lines), percent),
        units(paid),
        counted(patients, "patient", "patients"),
        counted(top, "patient", "patients"),
        or_none(rate(top_paid, paid), percent)
    );
    let head = ["Status", "Lines", "Share", "Claimed", "Allowed", "Paid"];
    let mut table = Table::new("Claim lines by status", 1, &head);
    let mut bars = Vec::new();
    for (status, claims) in &star.claims {
        let name = if status.is_empty() { "not stated" } else { status };
        let share = or_none(rate(claims.lines, lines), percent);
        table.row([
            name.to_owned(),
            count(claims.lines),
            share.clone(),
            units(claims.claimed),
            units(claims.allowed),
            units(claims.paid),
        ]);
        bars.push(Bar {
            label: name.to_owned(),
            full: claims.lines as f64,
            outlined: 0.0,
            words: format!("{} · {share}", count(claims.lines)),
            strong: false,
        });
    }
    let rows = Rows { words: 20, ..Rows::default() };
    let words = Words { id: "chart-claims", title: "Claim lines by adjudication status", description: &said };
    html! {
        h3 { "Claims" }
        p { (said) }
        "\n"
        (chart::figure(&words, |width| chart::bars(&rows, &bars, width)))
        (table.behind_chart())
    }
}

fn measures(star: &Warehouse) -> Markup {
    let all = || star.measures.values().chain(star.infections.values());
    let sum = |of: fn(&Compared) -> i64| all().map(of).sum::<i64>();
    let said = format!(
        "{} better than the national benchmark, {} worse, {} no different, {} not compared.",
        counted(sum(|measure| measure.better), "report is", "reports are"),
        count(sum(|measure| measure.worse)),
        count(sum(|measure| measure.same)),
        count(sum(|measure| measure.not_compared))
    );
    let head = ["Measure", "Benchmark", "Better", "No different", "Worse", "Not compared"];
    let mut measures = Table::new("Facilities beside the benchmarks of CMS measures", 1, &head);
    for (name, measure) in &star.measures {
        measures.row([vec![name.clone()], against(measure)].concat());
    }
    let head = [
        "Infection",
        "Infections",
        "Patient-days",
        "Rate per 1,000",
        "Benchmark",
        "Better",
        "No different",
        "Worse",
        "Not compared",
    ];
    let mut infections = Table::new("Monthly reports of infections beside their benchmarks", 1, &head);
    for (name, kind) in &star.infections {
        let per_thousand = rate(kind.infections * 1_000, kind.patient_days);
        let sums = vec![
            name.clone(),
            count(kind.infections),
            count(kind.patient_days),
            or_none(per_thousand, |rate| decimal(rate, 2)),
        ];
        infections.row([sums, against(kind)].concat());
    }
    html! {
        h3 { "Measures and infections beside their benchmarks" }
        p { (said) }
        "\n"
        @if !star.measures.is_empty() { (measures.folded()) }
        @if !star.infections.is_empty() { (infections.folded()) }
    }
}

/// The benchmark, and how many reports lie on which side of it.
fn against(measure: &Compared) -> Vec<String> {
    let benchmark = measure.benchmark.map_or_else(|| NONE.to_owned(), |benchmark| decimal(benchmark, 2));
    let counts = [measure.better, measure.same, measure.worse, measure.not_compared].map(count);
    std::iter::once(benchmark).chain(counts).collect()
}

/// Cents as whole units.
fn units(cents: i64) -> String {
    count((cents as f64 / 100.0).round() as i64)
}
