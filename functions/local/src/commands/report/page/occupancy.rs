//! How full the beds are: the midnight census of every day, and each hospital's occupied beds.

use std::collections::BTreeMap;

use maud::{Markup, html};
use metriccare_fhir::calendar::Month;
use metriccare_lake::cells::Cell;

use super::{
    Section,
    places::{NO_HOSPITAL, SHOWN, hospitals, name_or, top},
};
use crate::commands::report::{
    chart::{self, Bar, Calendar, Rows, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, counted, or_none, percent, rate},
};

/// Months that the calendar shows.
const MONTHS: usize = 14;

pub(super) fn section(lake: &Gathered) -> Section {
    let mut days: BTreeMap<i32, i64> = BTreeMap::new();
    for row in lake.census.iter() {
        if let Some(date) = row.date("date") {
            *days.entry(date).or_default() += row.count("patients");
        }
    }
    let (&first, &last) = days.keys().next().zip(days.keys().next_back())?;
    let months = shown(&days, last);
    let from = months.first().map_or(first, |month| month.first_day()).max(first);
    Some(html! {
        p {
            "Inpatients at midnight: the day of admission counts, the day of discharge does not, and a same-day stay is in no \
             midnight census."
            @if from > first {
                " The calendar shows the last 14 months with inpatients; the table has every day."
            }
        }
        "\n"
        (calendar(&days, months, (from, last)))
        (by_hospital(lake))
    })
}

/// The last months with inpatients.
fn shown(days: &BTreeMap<i32, i64>, last: i32) -> Vec<Month> {
    let mut months: Vec<Month> = Vec::new();
    for date in days.range(..=last).rev().map(|(date, _)| *date) {
        let month = Month::of(date);
        if months.last() != Some(&month) {
            if months.len() == MONTHS {
                break;
            }
            months.push(month);
        }
    }
    months.reverse();
    months
}

fn calendar(days: &BTreeMap<i32, i64>, months: Vec<Month>, dates: (i32, i32)) -> Markup {
    let text = |date: i32| Cell::<&str>::Date(date).to_string();
    let within = || days.range(dates.0..=dates.1);
    let fullest = within().max_by_key(|(date, patients)| (**patients, std::cmp::Reverse(**date)));
    let said = fullest.map_or_else(String::new, |(date, patients)| {
        format!(
            "The fullest midnight was that of {}, with {}.",
            text(*date),
            counted(*patients, "inpatient", "inpatients")
        )
    });
    let words = Words { id: "chart-calendar", title: "Inpatients at midnight, day by day", description: &said };
    let plot = Calendar { months, values: days, dates, noun: "inpatients at midnight" };
    let mut table =
        Table::new("Inpatients at midnight by date; days without any are not listed", 1, &["Date", "Inpatients"]);
    for (date, patients) in days {
        table.row([text(*date), count(*patients)]);
    }
    html! {
        p { (said) }
        "\n"
        (chart::figure(&words, |width| chart::calendar(&plot, width)))
        (table.behind_chart())
    }
}

fn by_hospital(lake: &Gathered) -> Markup {
    let all = hospitals(&lake.occupancy, |row| row.int("bed_days").is_some(), ["bed_days", "patient_days"]);
    if all.is_empty() {
        return html! {
            p {
                "No hospital's staffed beds are known, so there is no occupancy rate. They are read from "
                code { "reference/hospitals.csv" }
                " in the lake, which can be edited."
            }
            "\n"
        };
    }
    let (with_beds, without): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|(_, [beds, _])| *beds > 0);
    let bars: Vec<_> = top(&with_beds, SHOWN, NO_HOSPITAL, "hospitals, together")
        .into_iter()
        .map(|(label, [beds, days])| {
            let value = rate(days, beds);
            let words = format!("{} · {} of {}", or_none(value, percent), count(days), count(beds));
            Bar { label, full: value.unwrap_or_default(), outlined: 0.0, words, strong: false }
        })
        .collect();
    let over = with_beds.iter().filter(|(_, [beds, days])| days > beds).count();
    let hospitals = |number: usize| counted(number as i64, "hospital", "hospitals");
    let mut said = format!(
        "{} with staffed beds; {} had more patient-days than bed-days.",
        hospitals(with_beds.len()),
        hospitals(over)
    );
    if !without.is_empty() {
        let days: i64 = without.iter().map(|(_, [_, days])| days).sum();
        let (places, days) = (hospitals(without.len()), counted(days, "patient-day", "patient-days"));
        said.push_str(&format!(" {places} with {days} but no staffed bed in the reference file: no rate."));
    }
    let words =
        Words { id: "chart-occupancy", title: "Occupied share of staffed bed-days, by hospital", description: &said };
    let rows = Rows { reference: Some((1.0, "100 %: every staffed bed")), words: 26, ..Rows::default() };
    let mut table = Table::new(
        "Occupancy, every hospital with known beds",
        1,
        &["Hospital", "Patient-days", "Bed-days", "Occupancy"],
    );
    for (name, [beds, days]) in &all {
        let name = name_or(name.as_deref(), NO_HOSPITAL);
        table.row([name, count(*days), count(*beds), or_none(rate(*days, *beds), percent)]);
    }
    html! {
        h3 { "Hospitals" }
        p { (said) }
        "\n"
        (chart::figure(&words, |width| chart::bars(&rows, &bars, width)))
        (table.behind_chart())
    }
}
