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

use std::fmt::Write as _;

use metriccare_lake::gold::national::NATIONAL_RATES;

use super::{
    gather::{Gathered, Rows},
    html::escape,
    numbers::{counted, percent},
};
use crate::{commands::verify::Origin, output::failure::Failure};

/// A section's text, or none where the lake has nothing to say.
type Section = Result<Option<String>, Failure>;

/// What writes a section.
type Write = fn(&Gathered) -> Section;

/// What a section is called in the page's list of contents, and what writes it.
const SECTIONS: [(&str, &str, Write); 8] = [
    ("trends", "Month by month", trends::section),
    ("readmission", "Readmission", readmission::section),
    ("length-of-stay", "Length of stay", stay_length::section),
    ("occupancy", "Occupancy", occupancy::section),
    ("infections", "Infections", infection::section),
    ("departments", "Department load", load::section),
    ("demographics", "Patients", demographics::section),
    ("records", "Where the numbers come from", where_from),
];

/// The whole page.
pub(super) fn page(lake: &Gathered) -> Result<String, Failure> {
    let mut contents = String::new();
    let mut body = String::new();
    for (id, title, section) in SECTIONS {
        let Some(text) = section(lake)? else { continue };
        let _ = write!(contents, "<li><a href=\"#about-{id}\">{title}</a></li>");
        let _ = write!(
            body,
            "<section aria-labelledby=\"about-{id}\"><h2 id=\"about-{id}\">{title}</h2>\n{text}</section>\n"
        );
    }
    let style = include_str!("../report.css");
    let headline = headline::headline(lake);
    let subtitle = subtitle(lake);
    let notes = notes();
    let synthetic = match lake.origin {
        Origin::Generated => {
            "<p class=\"synthetic\"><strong>Synthetic data.</strong> A generator's answer key covers everything in this \
             lake: its patients were made up, and no person is described here.</p>"
        }
        Origin::Mixed => {
            "<p class=\"synthetic\"><strong>Synthetic and other data.</strong> A generator's answer key covers a part \
             of this lake: patients of that part were made up, and the others may be persons.</p>"
        }
        Origin::Unknown => "",
    };
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\
         <link rel=\"icon\" href=\"data:,\"><title>Hospital quality report</title>\n<style>\n{style}</style></head>\n<body>\
         <a class=\"skip\" href=\"#headline\">Skip to the headline numbers</a>\n<header><p class=\"brand\">MetricCare</p>\
         <h1>Hospital quality report</h1><p class=\"subtitle\">{subtitle}</p>{synthetic}\
         <nav aria-label=\"Sections\"><ul>{contents}</ul></nav></header>\n<main>\n{headline}{body}</main>\n\
         <footer>{notes}</footer></body></html>\n"
    ))
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
            format!("{hospitals} · stays discharged from {} to {} · all times in UTC", escape(first), escape(last))
        }
        (Some(only), _) => format!("{hospitals} · stays discharged in {} · all times in UTC", escape(only)),
        _ => format!("{hospitals} · no completed inpatient stay yet · all times in UTC"),
    }
}

fn where_from(lake: &Gathered) -> Section {
    let records = records::section(lake)?.unwrap_or_default();
    let denominator = denominator::section(lake)?.unwrap_or_default();
    Ok(Some(format!("{records}{denominator}")).filter(|text| !text.is_empty()))
}

/// How to read the page, and what it cannot say.
fn notes() -> String {
    let mut rates = String::new();
    for rate in NATIONAL_RATES {
        let (measure, source, period) = (escape(rate.measure), escape(rate.source), escape(rate.period));
        let _ = write!(rates, "<li>{measure}: {}, discharges of {period}. Source: {source}.</li>", percent(rate.rate));
    }
    format!(
        "<h2>How to read this page</h2><ul>\
         <li>Rates are <strong>crude</strong>: they are not adjusted for how ill a hospital's patients are. CMS's \
         published comparisons are risk-standardised; the words used here are CMS's, the method is not.</li>\
         <li>An interval is a 95 % confidence interval: Wilson's for proportions, Byar's for infections. A hospital \
         differs from the national rate only where its whole interval lies on one side of it, and is not compared \
         under 25 index stays.</li>\
         <li>A month is <strong>provisional</strong> where its last day and 30 days more are after the last date in the \
         lake: returns and deaths may still come. Charts show it on a grey ground with hollow points, tables with an \
         asterisk (*).</li>\
         <li>Dates and months are those of UTC. A stay belongs to the month of its discharge, 30-day mortality to that \
         of admission.</li><li>A dash (–) stands where there is nothing to divide by.</li></ul>\
         <h3>National rates</h3><ul>{rates}</ul>"
    )
}
