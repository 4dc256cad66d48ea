//! The page: a headline that a hurried reader can stop at, then one section a question, then where the numbers come
//! from.

mod demographics;
mod denominator;
mod headline;
mod infection;
mod load;
mod occupancy;
mod places;
mod readmission;
mod records;
mod stay_length;
mod trends;
mod warehouse;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use metriccare_lake::gold::national::NATIONAL_RATES;

use super::{
    gather::{Gathered, Rows},
    numbers::{counted, percent},
};
use crate::commands::verify::Origin;

/// A section's markup, or none where the lake has nothing for it.
type Section = Option<Markup>;

/// What writes a section.
type Write = fn(&Gathered) -> Section;

/// What a section is called in the page's list of contents, and what writes it.
const SECTIONS: [(&str, &str, Write); 9] = [
    ("trends", "Month by month", trends::section),
    ("readmission", "Readmission", readmission::section),
    ("length-of-stay", "Length of stay", stay_length::section),
    ("occupancy", "Occupancy", occupancy::section),
    ("infections", "Infections", infection::section),
    ("departments", "Department load", load::section),
    ("demographics", "Patients", demographics::section),
    ("claims-and-measures", "Claims and measures", warehouse::section),
    ("records", "Where the numbers come from", where_from),
];

/// The whole page.
pub(super) fn page(lake: &Gathered) -> String {
    let sections: Vec<_> =
        SECTIONS.into_iter().filter_map(|(id, title, write)| Some((id, title, write(lake)?))).collect();
    let page = html! {
        (DOCTYPE)
        "\n"
        html lang="en" {
            (head())
            "\n"
            body {
                a class="skip" href="#headline" { "Skip to the headline numbers" }
                "\n"
                header {
                    p class="brand" { "MetricCare" }
                    h1 { "Hospital quality report" }
                    p class="subtitle" { (subtitle(lake)) }
                    (synthetic(lake.origin))
                    nav aria-label="Sections" {
                        ul { @for (id, title, _) in &sections { li { a href={ "#about-" (id) } { (title) } } } }
                    }
                }
                "\n"
                main {
                    "\n"
                    (headline::headline(lake))
                    @for (id, title, text) in &sections {
                        section aria-labelledby={ "about-" (id) } {
                            h2 id={ "about-" (id) } { (title) }
                            "\n"
                            (text)
                        }
                        "\n"
                    }
                }
                "\n"
                footer { (notes()) }
            }
        }
        "\n"
    };
    page.into_string()
}

fn head() -> Markup {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content=(policy);
            link rel="icon" href="data:,";
            title { "Hospital quality report" }
            "\n"
            style { "\n" (PreEscaped(include_str!("../report.css"))) }
        }
    }
}

/// Whose data it is, where that is known.
fn synthetic(origin: Origin) -> Markup {
    let (title, words) = match origin {
        Origin::Generated => (
            "Synthetic data.",
            " A generator's answer key covers everything in this lake: its patients were made up, and no person is described \
             here.",
        ),
        Origin::Mixed => (
            "Synthetic and other data.",
            " A generator's answer key covers a part of this lake: patients of that part were made up, and the others may be \
             persons.",
        ),
        Origin::Unknown => return Markup::default(),
    };
    html! { p class="synthetic" { strong { (title) } (words) } }
}

/// What the page covers.
fn subtitle(lake: &Gathered) -> String {
    let months: Vec<_> = lake.readmission.iter().map(|row| row.month()).filter(|month| !month.is_empty()).collect();
    let (first, last) = (months.iter().min(), months.iter().max());
    // Clinics and home care are in the lake as well: what has no bed is not called a hospital.
    let named = |rows: &Rows| {
        let places = places::hospitals::<0>(rows, |_| true, []);
        places.iter().filter(|(name, _)| name.is_some()).count() as i64
    };
    let (with_stays, all) = (named(&lake.length_of_stay), named(&lake.department_load));
    let mut hospitals = counted(with_stays, "hospital", "hospitals");
    if all > with_stays && with_stays > 0 {
        hospitals +=
            &format!(" with inpatient stays, {} without", counted(all - with_stays, "place of care", "places of care"));
    } else if with_stays == 0 {
        hospitals = counted(all, "place of care", "places of care");
    }
    match (first, last) {
        (Some(first), Some(last)) if first != last => {
            // With hyphens at which no line breaks.
            let [first, last] = [first, last].map(|month| month.replace('-', "\u{2011}"));
            format!("{hospitals} · stays discharged from {first} to {last} · all times in UTC")
        }
        (Some(only), _) => format!("{hospitals} · stays discharged in {} · all times in UTC", only),
        _ => format!("{hospitals} · no completed inpatient stay yet · all times in UTC"),
    }
}

fn where_from(lake: &Gathered) -> Section {
    let (records, denominator) = (records::section(lake), denominator::section(lake));
    if records.is_none() && denominator.is_none() {
        return None;
    }
    Some(html! {
        @if let Some(records) = records { (records) }
        @if let Some(denominator) = denominator { (denominator) }
    })
}

/// How to read the page, and what it cannot say.
fn notes() -> Markup {
    html! {
        h2 { "How to read this page" }
        ul {
            li {
                "Rates are " strong { "crude" }
                ": they are not adjusted for how ill a hospital's patients are. CMS's published comparisons are \
                 risk-standardised; the words used here are CMS's, the method is not."
            }
            li {
                "An interval is a 95 % confidence interval: Wilson's for proportions, Byar's for infections. A hospital differs \
                 from the national rate only where its whole interval lies on one side of it, and is not compared under 25 \
                 index stays."
            }
            li {
                "A month is " strong { "provisional" }
                " where its last day and 30 days more are after the last date in the lake: returns and deaths may still come. \
                 Charts show it on a grey ground with hollow points, tables with an asterisk (*)."
            }
            li {
                "Dates and months are those of UTC. A stay belongs to the month of its discharge, 30-day mortality to that of \
                 admission."
            }
            li { "A dash (–) stands where there is nothing to divide by." }
        }
        h3 { "National rates" }
        ul {
            @for rate in NATIONAL_RATES {
                li {
                    (rate.measure) ": " (percent(rate.rate)) ", discharges of " (rate.period) ". Source: " (rate.source) "."
                }
            }
        }
    }
}
