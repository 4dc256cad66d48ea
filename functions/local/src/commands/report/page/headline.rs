//! The numbers that a hurried reader takes away, each with what it counts and what it can be compared with.
//!
//! Every number is a `data` element that holds gold's own value, so that anyone can check the page against the lake.

use maud::{Markup, html};
use metriccare_lake::gold::{
    interval::wilson,
    national::{HOSPITAL_WIDE_READMISSION, comparison},
};

use crate::commands::report::{
    gather::{Gathered, Row},
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

/// Plain counts: the metric of gold/summary, and its name on the page.
const PLAIN: [(&str, &str); 4] = [
    ("patients", "patients"),
    ("encounters", "encounters"),
    ("stays", "inpatient stays"),
    ("conditions", "conditions"),
];

pub(super) fn headline(lake: &Gathered) -> Markup {
    let cards = CARDS.iter().filter_map(|card| {
        let row = lake.metric(card.metric, card.definition).filter(|row| row.float("value").is_some())?;
        Some(card.html(&row))
    });
    html! {
        section aria-labelledby="headline" {
            h2 id="headline" { "At a glance" }
            "\n"
            @if lake.plain("stays") == 0 {
                p class="lead" {
                    "There is no completed inpatient stay in this lake yet, so there is nothing to measure. What arrived, and \
                     how it was handled, is counted below."
                }
                "\n"
            }
            div class="cards" { "\n" @for card in cards { (card) } }
            "\n"
            dl class="plain" {
                @for (metric, name) in PLAIN {
                    div {
                        dt { (name) }
                        dd { (number(metric, lake.plain(metric))) }
                    }
                }
            }
            "\n"
            @if lake.summary.iter().any(|row| row.flag("provisional")) {
                p class="note" { "* includes provisional months: returns and deaths within 30 days may still come." }
                "\n"
            }
        }
        "\n"
    }
}

/// A count that the page can be checked by.
fn number(id: &str, number: i64) -> Markup {
    html! { data id=(id) value=(number) { (count(number)) } }
}

impl Card<'_> {
    fn html(&self, row: &Row<'_>) -> Markup {
        let id = format!("{}{}{}", self.metric, if self.definition.is_empty() { "" } else { "-" }, self.definition);
        let value = row.float("value");
        let shown = match value {
            Some(value) if self.shares => percent(value),
            Some(value) => decimal(value, 2),
            None => NONE.to_owned(),
        };
        let raw = value.map(|value| value.to_string()).unwrap_or_default();
        let (numerator, denominator) = (row.count("numerator"), row.count("denominator"));
        let main = self.definition == "hwr_65plus";
        html! {
            div class={ "card" @if main { " main" } } {
                h3 { (self.title) }
                p class="value" {
                    data id=(id) value=(raw) { (shown) }
                    @if row.flag("provisional") { abbr title="includes provisional months" { "*" } }
                    @if !self.unit.is_empty() { " " span class="unit" { (self.unit) } }
                }
                p class="of" {
                    (number(&format!("{id}-numerator"), numerator)) " " (self.of[0]) " "
                    (number(&format!("{id}-denominator"), denominator)) " " (self.of[1])
                }
                @match (self.metric, self.definition) {
                    ("readmission", "hwr_65plus") => { (national(numerator, denominator)) }
                    ("infection", _) => p class="more" {
                        "All types together, per patient-day: device-days and procedures, the standard for lines, \
                         catheters, ventilators and surgery, are not in encounters."
                    }
                    ("mortality", "30_day") => p class="more" {
                        "A chain of transfers counts once, for its first hospital."
                    }
                    ("length_of_stay", _) => p class="more" { "A stay of one day or less counts as one day." }
                    ("occupancy", _) => p class="more" { "Beds that hold a patient at midnight." }
                    _ => {}
                }
            }
            "\n"
        }
    }
}

/// The comparison with the national rate, in CMS's words and by its rule.
fn national(readmissions: i64, index_stays: i64) -> Markup {
    let national = HOSPITAL_WIDE_READMISSION;
    let interval = wilson(readmissions, index_stays);
    let words = comparison(index_stays, interval, national.rate);
    html! {
        p class="verdict" {
            span class="sign" aria-hidden="true" { (sign(words)) }
            " "
            span id="comparison" { (words) }
        }
        p class="more" {
            @if let Some((low, high)) = interval { "95 % interval " (percent(low)) " to " (percent(high)) ". " }
            "National rate " (percent(national.rate)) " ("
            (national.source.split(':').next().unwrap_or_default()) ", " (national.period)
            "). Crude, not risk-standardised."
        }
    }
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
