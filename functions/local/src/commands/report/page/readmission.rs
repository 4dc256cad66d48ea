//! Readmission by three definitions side by side, why they differ, and where each hospital stands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

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
use crate::output::failure::Failure;

const DEFINITIONS: [(&str, &str); 3] = [
    ("naive", "Every return (naive)"),
    ("all_payer_unplanned", "All payers, unplanned"),
    ("hwr_65plus", "65 and over (close to CMS)"),
];

pub(super) fn section(lake: &Gathered) -> Section {
    if lake.stays.stays == 0 {
        return Ok(None);
    }
    let mut html = three(lake)?;
    html.push_str(&gap(lake));
    html.push_str(&by_hospital(lake)?);
    Ok(Some(html))
}

/// The three definitions on one scale.
fn three(lake: &Gathered) -> Result<String, Failure> {
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
    let figure = chart::figure(&words, |width| chart::dots(&rows, &dots, width))?;
    Ok(figure + &table.behind_chart())
}

/// The way from the naive rate to the others, told in counts of the stay ledger.
fn gap(lake: &Gathered) -> String {
    let stays = &lake.stays;
    let returned: i64 = stays.returned.values().sum();
    let index = stays.index_status.get("index").copied().unwrap_or_default();
    let hwr = stays.hwr_status.get("index").copied().unwrap_or_default();
    let left_out = stays.stays - index;
    let gone = returned - stays.returned.get("index").copied().unwrap_or_default();
    let [naive, all_payer, older] =
        [rate(returned, stays.stays), rate(stays.readmitted, index), rate(stays.hwr_readmitted, hwr)];
    let reasons = |counts: &BTreeMap<String, i64>| {
        let parts = denominator::STEPS.iter().filter_map(|(status, _, words)| {
            let number = counts.get(*status).copied().filter(|number| *number > 0)?;
            Some(format!("{} {words}", count(number)))
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    let mut html = format!(
        "<div class=\"words\"><h3>Why the three differ</h3><p><strong>Every return.</strong> After {} of {}, the patient was back in \
         hospital within 30 days: {}.</p>",
        count(returned),
        counted(stays.stays, "stay", "stays"),
        or_none(naive, percent)
    );
    let why = reasons(&stays.index_status);
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    let _ = write!(
        html,
        "<p><strong>All payers, unplanned.</strong> {} cannot begin a readmission{why}; leaving them out takes {} away. Of the returns \
         after the {} that remain, {} planned. That leaves {}: {}, {} than the naive rate.</p>",
        counted(left_out, "stay", "stays"),
        counted(gone, "return", "returns"),
        counted(index, "index stay", "index stays"),
        counted(stays.planned_returns, "was", "were"),
        counted(stays.readmitted, "readmission", "readmissions"),
        or_none(all_payer, percent),
        points(all_payer, naive),
    );
    let _ = writeln!(
        html,
        "<p><strong>65 and over.</strong> CMS's measure looks at patients of 65 and over, and leaves out psychiatric care, \
         rehabilitation, cancer treatment and COVID-19. {} of {} remain, {} of them followed by an unplanned return: {}, {} than the \
         naive rate. Only this rate is compared with the national one.</p></div>",
        count(hwr),
        counted(stays.stays, "stay", "stays"),
        count(stays.hwr_readmitted),
        or_none(older, percent),
        points(older, naive),
    );
    html
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

fn by_hospital(lake: &Gathered) -> Result<String, Failure> {
    let national = HOSPITAL_WIDE_READMISSION.rate;
    let all = hospitals(
        &lake.readmission,
        |row| row.text("definition") == Some("hwr_65plus"),
        ["index_stays", "readmissions"],
    );
    if all.is_empty() {
        let words = "No stay of a patient of 65 and over is an index stay, so no hospital can be compared.";
        return Ok(format!("<p>{words}</p>\n"));
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
    let mut html = String::from("<h3>Each hospital against the national rate</h3>\n<ul class=\"verdicts\">");
    let mut said = String::new();
    for words in [
        "Better Than the National Rate",
        "No Different Than the National Rate",
        "Worse Than the National Rate",
        "Number of Cases Too Small",
    ] {
        let number = count(verdicts.get(words).copied().unwrap_or_default());
        let _ = write!(html, "<li><span class=\"number\">{number}</span> {words}</li>");
        let _ = write!(said, "{number} {words}. ");
    }
    html.push_str("</ul>\n<p>Crude rates with 95 % intervals over all months, not risk-standardised; the largest hospitals first. \
         Grey: fewer than 25 index stays. A triangle: worse; a square: better; a circle: no different.</p>\n");
    let label = format!("National: {}", percent(national));
    let rows = Rows { reference: Some((national, &label)), words: 22, ..Rows::default() };
    let words = Words {
        id: "chart-hospitals",
        title: "Readmission of patients of 65 and over, by hospital",
        description: &format!("Of {}: {said}", counted(all.len() as i64, "hospital", "hospitals")),
    };
    html.push_str(&chart::figure(&words, |width| chart::dots(&rows, &dots, width))?);
    html.push_str(&table.behind_chart());
    Ok(html)
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
