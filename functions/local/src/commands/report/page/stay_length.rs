//! How long patients stay: the distribution, its middle and its mean, and the departments.

use maud::html;

use super::{
    Section,
    places::{NO_DEPARTMENT, by, name_or},
};
use crate::commands::report::{
    chart::{self, Histogram, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, counted, decimal, or_none, percent, rate},
};

/// Longer stays share the last column.
const LONGEST: i64 = 21;

pub(super) fn section(lake: &Gathered) -> Section {
    let stays = &lake.stays;
    let (median, mean) = stays.median().zip(rate(stays.total_days(), stays.stays))?;
    let longest = stays.lengths.keys().max().copied().unwrap_or(1);
    let last = longest.min(LONGEST);
    let mut columns: Vec<(String, i64)> =
        (1..=last).map(|days| (days.to_string(), stays.lengths.get(&days).copied().unwrap_or_default())).collect();
    let longer: i64 = stays.lengths.range(LONGEST + 1..).map(|(_, stays)| stays).sum();
    if longer > 0 {
        columns.push((format!("{}+", LONGEST + 1), longer));
    }
    let end = columns.len() as f64 - 1.0;
    let place = |days: f64| (days - 1.0).min(end);
    let marks = vec![
        (place(median), format!("Median {} days", days(median))),
        (place(mean), format!("Mean {} days", decimal(mean, 2))),
    ];
    let one = stays.lengths.get(&1).copied().unwrap_or_default();
    let said = format!(
        "{}: the median is {} days, the mean {} days, the longest stay took {}.",
        counted(stays.stays, "stay", "stays"),
        days(median),
        decimal(mean, 2),
        counted(longest, "day", "days")
    );
    let words = Words { id: "chart-lengths", title: "Stays by their length in days", description: &said };
    let plot = Histogram { columns, marks, axis: "Days; a same-day stay counts as one" };
    let mut lengths = Table::new("Stays by length", 0, &["Days", "Stays", "Share of all stays"]);
    for (days, number) in &stays.lengths {
        lengths.row([count(*days), count(*number), or_none(rate(*number, stays.stays), percent)]);
    }
    let mut departments =
        Table::new("Average length of stay by department", 1, &["Department", "Discharges", "Days", "Average days"]);
    for (name, [discharges, days]) in by(&lake.length_of_stay, "department", |_| true, ["discharges", "total_days"]) {
        let average = or_none(rate(days, discharges), |days| decimal(days, 2));
        departments.row([name_or(name.as_deref(), NO_DEPARTMENT), count(discharges), count(days), average]);
    }
    let one_day = format!("{} ({})", counted(one, "stay", "stays"), or_none(rate(one, stays.stays), percent));
    Some(html! {
        p { (said) " " (one_day) " lasted one day or less." }
        "\n"
        (chart::figure(&words, |width| chart::histogram(&plot, width)))
        (lengths.behind_chart())
        (departments.folded())
    })
}

/// A median: a whole number of days, or a half.
fn days(median: f64) -> String {
    decimal(median, usize::from(median.fract() != 0.0))
}
