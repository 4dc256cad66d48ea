//! Where the work is: encounters, hours and patient-days by department.

use maud::html;

use super::{
    Section,
    places::{NO_DEPARTMENT, by, name_or, top},
};
use crate::commands::report::{
    chart::{self, Bar, Rows, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, counted, decimal, or_none, percent, rate},
};

/// Departments that the chart shows by name.
const SHOWN: usize = 15;

pub(super) fn section(lake: &Gathered) -> Section {
    let counts = ["encounters", "inpatient_encounters", "emergency_encounters", "patient_days"];
    let all = by(&lake.department_load, "department", |_| true, counts);
    if all.is_empty() {
        return None;
    }
    let total: i64 = all.iter().map(|(_, [encounters, ..])| encounters).sum();
    let bars: Vec<_> = top(&all, SHOWN, NO_DEPARTMENT, "departments")
        .into_iter()
        .map(|(label, [encounters, inpatient, _, _])| Bar {
            label,
            full: inpatient as f64,
            outlined: (encounters - inpatient) as f64,
            words: format!("{} · {}", count(encounters), or_none(rate(encounters, total), percent)),
            strong: false,
        })
        .collect();
    let said = format!(
        "{} in {}. The whole encounter counts in the department where it lasted longest.",
        counted(total, "encounter", "encounters"),
        counted(all.len() as i64, "department", "departments")
    );
    let rows = Rows { parts: ["Inpatient", "Emergency, outpatient and other"], words: 18, ..Rows::default() };
    let words = Words { id: "chart-load", title: "Encounters by department, and share of all", description: &said };
    let head = ["Department", "Encounters", "Share", "Inpatient", "Emergency", "Hours of completed", "Patient-days"];
    let mut table = Table::new("Load, every department", 1, &head);
    for (name, [encounters, inpatient, emergency, days]) in &all {
        let rows = lake.department_load.iter().filter(|row| row.text("department") == name.as_deref());
        let hours: f64 = rows.filter_map(|row| row.float("total_hours")).sum();
        table.row([
            name_or(name.as_deref(), NO_DEPARTMENT),
            count(*encounters),
            or_none(rate(*encounters, total), percent),
            count(*inpatient),
            count(*emergency),
            count_of_hours(hours),
            count(*days),
        ]);
    }
    Some(html! {
        p { (said) }
        "\n"
        (chart::figure(&words, |width| chart::bars(&rows, &bars, width)))
        (table.behind_chart())
    })
}

/// Hours, to the tenth, thousands apart.
fn count_of_hours(hours: f64) -> String {
    let text = decimal(hours, 1);
    match text.split_once('.').and_then(|(whole, tenth)| Some((whole.parse().ok()?, tenth))) {
        Some((whole, tenth)) => format!("{}.{tenth}", count(whole)),
        None => text,
    }
}
