//! How stays become the denominator of a readmission rate: what is left out, step by step.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Section;
use crate::commands::report::{
    chart::{self, Bar, Rows, Words},
    gather::Gathered,
    html::Table,
    numbers::count,
};

/// The reasons to leave a stay out, in the order in which they are asked; how a chart and how a sentence names each.
pub(super) const STEPS: [(&str, &str, &str); 10] = [
    ("died", "Died in hospital", "ended in death"),
    ("against-advice", "Left against advice", "against medical advice"),
    ("transferred", "Transferred to another hospital", "in a transfer to another hospital"),
    ("same-day-same-cause", "Back the same day, same cause", "in a return the same day for the same cause"),
    ("under-65", "Under 65 years", "under 65"),
    ("age-unknown", "Age unknown", "of unknown age"),
    ("psychiatric", "Psychiatric", "psychiatric"),
    ("rehabilitation", "Rehabilitation", "for rehabilitation"),
    ("cancer-treatment", "Cancer treatment", "for cancer treatment"),
    ("covid-19", "COVID-19", "for COVID-19"),
];

pub(super) fn section(lake: &Gathered) -> Section {
    let stays = &lake.stays;
    if stays.stays == 0 {
        return None;
    }
    let charts = [
        ("chart-all-payer", "All payers, unplanned", &stays.index_status, stays.readmitted),
        ("chart-65-plus", "65 and over", &stays.hwr_status, stays.hwr_readmitted),
    ];
    Some(html! {
        h3 { "From all stays to the denominator" }
        p {
            "The stay ledger gives every stay the first reason that applies. Full: what remains. Outlined: what the step \
             leaves out."
        }
        "\n"
        div class="pair" {
            "\n"
            @for (id, title, status, readmitted) in charts {
                div { (funnel(id, title, stays.stays, status, readmitted)) }
                "\n"
            }
        }
        "\n"
    })
}

fn funnel(id: &str, title: &str, stays: i64, status: &BTreeMap<String, i64>, readmitted: i64) -> Markup {
    let mut left = stays;
    let bar = |label: String, full: i64, out: i64, strong: bool| {
        let words = if out > 0 { format!("−{} → {}", count(out), count(full)) } else { count(full) };
        Bar { label, full: full as f64, outlined: out as f64, words, strong }
    };
    let mut bars = vec![bar("All stays".to_owned(), stays, 0, true)];
    let mut table = Table::new(format!("{title}: the denominator"), 1, &["Step", "Left out", "Remaining"]);
    table.row(["All stays".to_owned(), String::new(), count(stays)]);
    let known = STEPS.iter().map(|(name, label, _)| (*name, *label));
    // A reason that this page does not know is shown by its own name.
    let others = status
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "index" && !STEPS.iter().any(|(known, _, _)| known == name));
    for (name, label) in known.chain(others.map(|name| (name, name))) {
        let out = status.get(name).copied().unwrap_or_default();
        if out > 0 {
            left -= out;
            bars.push(bar(label.to_owned(), left, out, false));
            table.row([label.to_owned(), count(out), count(left)]);
        }
    }
    bars.push(bar("Index stays: the denominator".to_owned(), left, 0, true));
    bars.push(bar("Readmitted: the numerator".to_owned(), readmitted, 0, true));
    table.row(["Index stays: the denominator".to_owned(), String::new(), count(left)]);
    table.row(["Readmitted: the numerator".to_owned(), String::new(), count(readmitted)]);
    let said = format!("{} stays, {} index stays, {} readmitted.", count(stays), count(left), count(readmitted));
    let drawing = chart::bars(&Rows::default(), &bars, chart::Width::Narrow);
    html! {
        (chart::small_figure(&Words { id, title, description: &said }, drawing))
        (table.behind_chart())
    }
}
