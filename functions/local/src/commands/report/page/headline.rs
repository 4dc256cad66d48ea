//! The numbers that a hurried reader takes away, each with what it counts and what it can be compared with.
//!
//! Every number is a `data` element that holds gold's own value, so that anyone can check the page against the lake.

use std::fmt::Write as _;

use metriccare_lake::gold::{
    interval::wilson,
    national::{HOSPITAL_WIDE_READMISSION, comparison},
};

use crate::commands::report::{
    gather::{Gathered, Row},
    html::escape,
    numbers::{NONE, count, decimal, percent},
};

/// One number of the headline.
struct Card<'a> {
    metric: &'a str,
    definition: &'a str,
    title: &'a str,
    /// What stands between the numerator and the denominator, and what the denominator counts.
    of: [&'a str; 2],
    shares: bool,
    unit: &'a str,
}

const CARDS: [Card<'static>; 6] = [
    Card {
        metric: "readmission",
        definition: "hwr_65plus",
        title: "Readmitted within 30 days, 65 and over",
        of: ["of", "index stays"],
        shares: true,
        unit: "",
    },
    Card {
        metric: "mortality",
        definition: "30_day",
        title: "Died within 30 days of admission",
        of: ["of", "stays, in or out of hospital"],
        shares: true,
        unit: "",
    },
    Card {
        metric: "mortality",
        definition: "in_hospital",
        title: "Died in hospital",
        of: ["of", "stays"],
        shares: true,
        unit: "",
    },
    Card {
        metric: "length_of_stay",
        definition: "",
        title: "Average length of stay",
        of: ["days in", "stays"],
        shares: false,
        unit: "days",
    },
    Card {
        metric: "infection",
        definition: "",
        title: "Hospital-onset infections",
        of: ["in", "patient-days"],
        shares: false,
        unit: "per 1,000 patient-days",
    },
    Card {
        metric: "occupancy",
        definition: "",
        title: "Bed occupancy",
        of: ["of", "staffed bed-days"],
        shares: true,
        unit: "",
    },
];

pub(super) fn headline(lake: &Gathered) -> String {
    let mut html = String::from("<section aria-labelledby=\"headline\"><h2 id=\"headline\">At a glance</h2>\n");
    if lake.plain("stays") == 0 {
        html.push_str(
            "<p class=\"lead\">There is no completed inpatient stay in this lake yet, so there is nothing to measure. \
             What arrived, and what became of it, is counted below.</p>\n",
        );
    }
    html.push_str("<div class=\"cards\">\n");
    for card in CARDS {
        if let Some(row) = lake.metric(card.metric, card.definition).filter(|row| row.float("value").is_some()) {
            card.write(&row, &mut html);
        }
    }
    html.push_str("</div>\n<dl class=\"plain\">");
    for (metric, name) in [
        ("patients", "patients"),
        ("encounters", "encounters"),
        ("stays", "inpatient stays"),
        ("conditions", "conditions"),
    ] {
        let number = lake.plain(metric);
        let _ = write!(
            html,
            "<div><dt>{name}</dt><dd><data id=\"{metric}\" value=\"{number}\">{}</data></dd></div>",
            count(number)
        );
    }
    html.push_str("</dl>\n");
    if lake.summary.iter().any(|row| row.flag("provisional")) {
        html.push_str(
            "<p class=\"note\">* includes provisional months: returns and deaths within 30 days may still come.</p>\n",
        );
    }
    html.push_str("</section>\n");
    html
}

impl Card<'_> {
    fn write(&self, row: &Row<'_>, html: &mut String) {
        let id = format!("{}{}{}", self.metric, if self.definition.is_empty() { "" } else { "-" }, self.definition);
        let value = row.float("value");
        let shown = match value {
            Some(value) if self.shares => percent(value),
            Some(value) => decimal(value, 2),
            None => NONE.to_owned(),
        };
        let raw = value.map(|value| value.to_string()).unwrap_or_default();
        let star = if row.flag("provisional") { "<abbr title=\"includes provisional months\">*</abbr>" } else { "" };
        let unit =
            if self.unit.is_empty() { String::new() } else { format!(" <span class=\"unit\">{}</span>", self.unit) };
        let (numerator, denominator) = (row.count("numerator"), row.count("denominator"));
        let part =
            |kind: &str, number: i64| format!("<data id=\"{id}-{kind}\" value=\"{number}\">{}</data>", count(number));
        let _ = write!(
            html,
            "<div class=\"card{}\"><h3>{}</h3><p class=\"value\"><data id=\"{id}\" value=\"{raw}\">{shown}</data>{star}{unit}</p>\
             <p class=\"of\">{} {} {} {}</p>",
            if self.definition == "hwr_65plus" { " main" } else { "" },
            self.title,
            part("numerator", numerator),
            self.of[0],
            part("denominator", denominator),
            self.of[1]
        );
        match (self.metric, self.definition) {
            ("readmission", "hwr_65plus") => national(numerator, denominator, html),
            ("infection", _) => html.push_str(
                "<p class=\"more\">All types together, per patient-day: device-days and procedures, the standard for \
                 lines, catheters, ventilators and surgery, are not in encounters.</p>",
            ),
            ("mortality", "30_day") => {
                html.push_str("<p class=\"more\">A chain of transfers counts once, for its first hospital.</p>");
            }
            ("length_of_stay", _) => {
                html.push_str("<p class=\"more\">A stay of one day or less counts as one day.</p>");
            }
            ("occupancy", _) => html.push_str("<p class=\"more\">Beds that hold a patient at midnight.</p>"),
            _ => {}
        }
        html.push_str("</div>\n");
    }
}

/// The comparison with the national rate, in CMS's words and by its rule.
fn national(readmissions: i64, index_stays: i64, html: &mut String) {
    let national = HOSPITAL_WIDE_READMISSION;
    let interval = wilson(readmissions, index_stays);
    let words = comparison(index_stays, interval, national.rate);
    let interval = interval
        .map(|(low, high)| format!("95 % interval {} to {}. ", percent(low), percent(high)))
        .unwrap_or_default();
    let _ = write!(
        html,
        "<p class=\"verdict\"><span class=\"sign\" aria-hidden=\"true\">{}</span> <span id=\"comparison\">{words}</span></p>\
         <p class=\"more\">{interval}National rate {} ({}, {}). Crude, not risk-standardised.</p>",
        sign(words),
        percent(national.rate),
        escape(national.source.split(':').next().unwrap_or_default()),
        escape(national.period)
    );
}

/// A sign for each of CMS's words, which stands beside them and never alone.
pub(super) fn sign(comparison: &str) -> &'static str {
    match comparison.split(' ').next() {
        Some("Better") => "▼",
        Some("Worse") => "▲",
        Some("No") => "●",
        _ => "○",
    }
}
