//! Readmission by three definitions side by side, why they differ, and where each hospital stands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};
use metriccare_lake::gold::{
    interval::wilson,
    national::{HOSPITAL_WIDE_READMISSION, comparison},
};

use super::{
    Section, denominator,
    headline::sign,
    places::{NO_HOSPITAL, SHOWN, hospitals, name_or, top},
};
use crate::commands::report::{
    chart::{self, Colour, Dot, Mark, Rows, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, counted, or_none, percent, rate},
};

const DEFINITIONS: [(&str, &str); 3] = [
    ("naive", "Every return (naive)"),
    ("all_payer_unplanned", "All payers, unplanned"),
    ("hwr_65plus", "65 and over (close to CMS)"),
];

/// CMS's words for a hospital beside the national rate.
const COMPARISONS: [&str; 4] = [
    "Better Than the National Rate",
    "No Different Than the National Rate",
    "Worse Than the National Rate",
    "Number of Cases Too Small",
];

pub(super) fn section(lake: &Gathered) -> Section {
    if lake.stays.stays == 0 {
        return None;
    }
    Some(html! {
        (three(lake))
        (gap(lake))
        (by_hospital(lake))
    })
}

/// The three definitions on one scale.
fn three(lake: &Gathered) -> Markup {
    let national = HOSPITAL_WIDE_READMISSION;
    let mut dots = Vec::new();
    let mut table = Table::new(
        "Readmission by definition",
        1,
        &["Definition", "Index stays", "Readmissions", "Rate", "95 % from", "to"],
    );
    let mut said = String::new();
    for (place, (definition, name)) in DEFINITIONS.into_iter().enumerate() {
        let Some(row) = lake.metric("readmission", definition) else { continue };
        let (back, index) = (row.count("numerator"), row.count("denominator"));
        let (value, interval) = (row.float("value"), wilson(back, index));
        let shown = or_none(value, percent);
        let _ = write!(said, "{name}: {shown}, {} of {}. ", count(back), count(index));
        let limit = |limit: Option<f64>| or_none(limit, percent);
        let (low, high) = (limit(interval.map(|(low, _)| low)), limit(interval.map(|(_, high)| high)));
        table.row([name.to_owned(), count(index), count(back), shown.clone(), low, high]);
        let (colour, mark) =
            [(Colour::Third, Mark::Square), (Colour::Second, Mark::Triangle), (Colour::First, Mark::Circle)][place];
        let words = format!("{shown} · {} of {}", count(back), count(index));
        dots.push(Dot { label: name.to_owned(), value, interval, words, mark, colour });
    }
    let label = format!("National, 65 and over: {}", percent(national.rate));
    let rows = Rows { reference: Some((national.rate, &label)), words: 24, ..Rows::default() };
    let words = Words {
        id: "chart-definitions",
        title: "The same stays, three definitions of a readmission",
        description: &format!("{said}{label}."),
    };
    html! {
        (chart::figure(&words, |width| chart::dots(&rows, &dots, width)))
        (table.behind_chart())
    }
}

/// The way from the naive rate to the others, in counts of the stay ledger.
fn gap(lake: &Gathered) -> Markup {
    let stays = &lake.stays;
    let returned: i64 = stays.returned.values().sum();
    let index = stays.index_status.get("index").copied().unwrap_or_default();
    let hwr = stays.hwr_status.get("index").copied().unwrap_or_default();
    let left_out = stays.stays - index;
    let excluded_returns = returned - stays.returned.get("index").copied().unwrap_or_default();
    let [naive, all_payer, older] =
        [rate(returned, stays.stays), rate(stays.readmitted, index), rate(stays.hwr_readmitted, hwr)];
    let reasons = |counts: &BTreeMap<String, i64>| {
        let parts = denominator::STEPS.iter().filter_map(|(status, _, words)| {
            let number = counts.get(*status).copied().filter(|number| *number > 0)?;
            Some(format!("{} {words}", count(number)))
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    let why = reasons(&stays.index_status);
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    html! {
        div class="words" {
            h3 { "Why the three differ" }
            p {
                strong { "Every return." }
                " After " (count(returned)) " of " (counted(stays.stays, "stay", "stays"))
                ", the patient was back in hospital within 30 days: " (or_none(naive, percent)) "."
            }
            p {
                strong { "All payers, unplanned." }
                " " (counted(left_out, "stay", "stays")) " cannot begin a readmission" (why) "; leaving them out takes "
                (counted(excluded_returns, "return", "returns")) " away. Of the returns after the "
                (counted(index, "index stay", "index stays")) " that remain, "
                (counted(stays.planned_returns, "was", "were")) " planned. That leaves "
                (counted(stays.readmitted, "readmission", "readmissions")) ": " (or_none(all_payer, percent)) ", "
                (points(all_payer, naive)) " than the naive rate."
            }
            p {
                strong { "65 and over." }
                " CMS's measure looks at patients of 65 and over, and leaves out psychiatric care, rehabilitation, cancer \
                 treatment and COVID-19. " (count(hwr)) " of " (counted(stays.stays, "stay", "stays")) " remain, "
                (count(stays.hwr_readmitted)) " of them followed by an unplanned return: " (or_none(older, percent)) ", "
                (points(older, naive)) " than the naive rate. Only this rate is compared with the national one."
            }
        }
        "\n"
    }
}

/// How far one rate is from another, in percentage points as they are shown.
fn points(rate: Option<f64>, from: Option<f64>) -> String {
    let Some((rate, from)) = rate.zip(from) else { return "not to be compared".to_owned() };
    // Rounded first, so that the difference is that of the numbers on the page.
    let tenths = (rate * 1000.0).round() as i64 - (from * 1000.0).round() as i64;
    let size = format!("{}.{} percentage points", tenths.abs() / 10, tenths.abs() % 10);
    match tenths.signum() {
        0 => "no different".to_owned(),
        1 => format!("{size} higher"),
        _ => format!("{size} lower"),
    }
}

fn by_hospital(lake: &Gathered) -> Markup {
    let national = HOSPITAL_WIDE_READMISSION.rate;
    let all = hospitals(
        &lake.readmission,
        |row| row.text("definition") == Some("hwr_65plus"),
        ["index_stays", "readmissions"],
    );
    if all.is_empty() {
        let words = "No stay of a patient of 65 and over is an index stay, so no hospital can be compared.";
        return html! { p { (words) } "\n" };
    }
    let head =
        ["Hospital", "Comparison with the national rate", "Index stays", "Readmissions", "Rate", "95 % from", "to"];
    let mut table = Table::new("Readmission of patients of 65 and over, every hospital", 2, &head);
    let mut verdicts: BTreeMap<&str, i64> = BTreeMap::new();
    for (hospital, [index, back]) in &all {
        let interval = wilson(*back, *index);
        let words = comparison(*index, interval, national);
        *verdicts.entry(words).or_default() += 1;
        let limit = |limit: Option<f64>| or_none(limit, percent);
        table.row([
            name_or(hospital.as_deref(), NO_HOSPITAL),
            words.to_owned(),
            count(*index),
            count(*back),
            or_none(rate(*back, *index), percent),
            limit(interval.map(|(low, _)| low)),
            limit(interval.map(|(_, high)| high)),
        ]);
    }
    let dots: Vec<_> = top(&all, SHOWN, NO_HOSPITAL, "hospitals, together")
        .into_iter()
        .map(|(label, [index, back])| {
            let interval = wilson(back, index);
            let (colour, mark) = match sign(comparison(index, interval, national)) {
                "▲" => (Colour::Second, Mark::Triangle),
                "▼" => (Colour::First, Mark::Square),
                "●" => (Colour::First, Mark::Circle),
                _ => (Colour::Third, Mark::Circle),
            };
            let value = rate(back, index);
            let words = format!("{} · {} of {}", or_none(value, percent), count(back), count(index));
            Dot { label, value, interval, words, mark, colour }
        })
        .collect();
    let number = |words: &str| count(verdicts.get(words).copied().unwrap_or_default());
    let said = COMPARISONS.map(|words| format!("{} {words}. ", number(words))).concat();
    let label = format!("National: {}", percent(national));
    let rows = Rows { reference: Some((national, &label)), words: 22, ..Rows::default() };
    let words = Words {
        id: "chart-hospitals",
        title: "Readmission of patients of 65 and over, by hospital",
        description: &format!("Of {}: {said}", counted(all.len() as i64, "hospital", "hospitals")),
    };
    html! {
        h3 { "Each hospital against the national rate" }
        "\n"
        ul class="verdicts" {
            @for words in COMPARISONS {
                li { span class="number" { (number(words)) } " " (words) }
            }
        }
        "\n"
        p {
            "Crude rates with 95 % intervals over all months, not risk-standardised; the largest hospitals first. Grey: fewer \
             than 25 index stays. A triangle: worse; a square: better; a circle: no different."
        }
        "\n"
        (chart::figure(&words, |width| chart::dots(&rows, &dots, width)))
        (table.behind_chart())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_that_of_the_numbers_on_the_page() {
        assert_eq!(points(Some(0.1189), Some(0.1455)), "2.7 percentage points lower");
        assert_eq!(points(Some(0.2), Some(0.1)), "10.0 percentage points higher");
        assert_eq!(points(Some(0.10001), Some(0.1)), "no different");
        assert_eq!(points(None, Some(0.1)), "not to be compared");
    }
}
