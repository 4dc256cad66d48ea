//! Who the patients are, and whether outcomes differ between groups of them.

use maud::html;
use metriccare_lake::gold::interval::wilson;

use super::{
    Section,
    places::{by, name_or, top},
};
use crate::commands::report::{
    chart::{self, Colour, Dot, Mark, Rows, Width, Words},
    gather::Gathered,
    html::Table,
    numbers::{count, or_none, percent, rate},
};

/// Every dimension, its name, and whether its values have an order of their own.
const DIMENSIONS: [(&str, &str, bool); 4] = [
    ("age_band", "Age at admission", true),
    ("gender", "Gender", false),
    ("language", "Language", false),
    ("state", "State", false),
];

/// Values that a chart shows by name.
const SHOWN: usize = 8;

pub(super) fn section(lake: &Gathered) -> Section {
    if lake.demographics.is_empty() {
        return None;
    }
    let mut charts = Vec::new();
    for (dimension, title, ordered) in DIMENSIONS {
        let counts = ["stays", "index_stays", "readmissions", "deaths"];
        let mut all = by(&lake.demographics, "value", |row| row.text("dimension") == Some(dimension), counts);
        if all.is_empty() {
            continue;
        }
        let mut rows = top(&all, SHOWN, "unknown", "values, together");
        if ordered {
            all.sort_by(|(one, _), (other, _)| one.cmp(other));
            rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        let dots: Vec<_> = rows
            .into_iter()
            .map(|(label, [_, index, back, _])| {
                let value = rate(back, index);
                let words = format!("{} · {} of {}", or_none(value, percent), count(back), count(index));
                Dot { label, value, interval: wilson(back, index), words, mark: Mark::Circle, colour: Colour::First }
            })
            .collect();
        let head = [title, "Stays", "Index stays", "Readmissions", "Readmission", "Deaths", "Mortality"];
        let mut table = Table::new(format!("{title}: stays, readmissions and deaths"), 1, &head);
        let mut said = String::new();
        for (value, [stays, index, back, deaths]) in &all {
            let value = name_or(value.as_deref(), "unknown");
            let readmission = or_none(rate(*back, *index), percent);
            if said.len() < 300 {
                said.push_str(&format!("{value}: {readmission}. "));
            }
            let mortality = or_none(rate(*deaths, *stays), percent);
            table.row([value, count(*stays), count(*index), count(*back), readmission, count(*deaths), mortality]);
        }
        let id = format!("chart-{}", dimension.replace('_', "-"));
        let drawing = chart::dots(&Rows::default(), &dots, Width::Narrow);
        charts.push(html! {
            div {
                (chart::small_figure(&Words { id: &id, title, description: &said }, drawing))
                (table.behind_chart())
            }
            "\n"
        });
    }
    Some(html! {
        p {
            "30-day readmission of all payers, unplanned, with 95 % intervals: an interval that is wide has few stays behind \
             it, and a difference between groups says nothing about its cause. Numbers beside a name are readmissions of \
             index stays. The tables add deaths in hospital."
        }
        "\n"
        div class="pair" { "\n" @for chart in &charts { (chart) } }
        "\n"
    })
}
