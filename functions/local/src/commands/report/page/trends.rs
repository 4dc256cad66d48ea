//! How the metrics move over months, or years where there are many.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::Section;
use crate::commands::report::{
    chart::{self, Colour, Drawing, Lines, Mark, Series, Width, Words},
    gather::{Gathered, Rows},
    html::Table,
    numbers::{count, decimal, or_none, percent, rate},
    periods::Periods,
};

/// A small chart of one or two lines.
struct Trend<'a> {
    id: &'a str,
    title: String,
    lines: Vec<(&'a str, Vec<[i64; 2]>)>,
    /// What a numerator and a denominator count.
    of: [&'static str; 2],
    shares: bool,
    per: f64,
}

pub(super) fn section(lake: &Gathered) -> Section {
    let returns = periods(&lake.readmission);
    if returns.len() == 0 {
        return None;
    }
    let (deaths, lengths, months) =
        (periods(&lake.mortality), final_periods(&lake.length_of_stay), final_periods(&lake.occupancy));
    let charts = [
        (readmission(lake, &returns), &returns),
        (mortality(lake, &deaths), &deaths),
        (length_of_stay(lake, &lengths), &lengths),
        (occupancy(lake, &months), &months),
    ];
    Some(html! {
        @if returns.noun() == "year" {
            p {
                "The lake covers many months, so they are summed by year. A year is provisional where one of its months is. \
                 Years without data are gaps."
                @if returns.cut { " The oldest years are left out of the charts." }
            }
            "\n"
        } @else if returns.provisional().contains(&true) {
            p {
                "Months on a grey ground are provisional. The first and the last months of a lake often hold only a part of \
                 their stays."
            }
            "\n"
        }
        div class="pair" {
            "\n"
            @for (trend, periods) in charts.iter().filter(|(trend, _)| trend.has_data()) {
                div {
                    (chart::small_figure(&trend.words(&trend.describe(periods)), trend.draw(periods, Width::Narrow)))
                    (trend.table(periods).behind_chart())
                }
                "\n"
            }
        }
        "\n"
    })
}

/// Sums of two counts by period, of the rows of one definition or of all.
fn sums(rows: &Rows, periods: &Periods, definition: Option<&str>, columns: [&str; 2]) -> Vec<[i64; 2]> {
    let rows = rows.iter().filter(|row| definition.is_none() || row.text("definition") == definition);
    periods.sums(rows.map(|row| (row.month(), columns.map(|column| row.count(column)))))
}

fn readmission(lake: &Gathered, periods: &Periods) -> Trend<'static> {
    let line = |definition| sums(&lake.readmission, periods, Some(definition), ["readmissions", "index_stays"]);
    Trend {
        id: "trend-readmission",
        title: format!("30-day readmission by {} of discharge", periods.noun()),
        lines: vec![
            ("65 and over", line("hwr_65plus")),
            ("All payers, unplanned", line("all_payer_unplanned")),
            ("Every return (naive)", line("naive")),
        ],
        of: ["readmissions", "index stays"],
        shares: true,
        per: 1.0,
    }
}

fn mortality(lake: &Gathered, periods: &Periods) -> Trend<'static> {
    let line = |definition| sums(&lake.mortality, periods, Some(definition), ["deaths", "stays"]);
    Trend {
        id: "trend-mortality",
        title: format!("Mortality by {} (30-day: of admission)", periods.noun()),
        lines: vec![("In hospital", line("in_hospital")), ("Within 30 days", line("30_day"))],
        of: ["deaths", "stays"],
        shares: true,
        per: 1.0,
    }
}

fn length_of_stay(lake: &Gathered, periods: &Periods) -> Trend<'static> {
    Trend {
        id: "trend-length-of-stay",
        title: format!("Average length of stay by {} of discharge, days", periods.noun()),
        lines: vec![("Average days", sums(&lake.length_of_stay, periods, None, ["total_days", "discharges"]))],
        of: ["days", "discharges"],
        shares: false,
        per: 1.0,
    }
}

fn occupancy(lake: &Gathered, periods: &Periods) -> Trend<'static> {
    // A hospital whose beds are not known has patient-days and no bed-days: it counts in neither.
    let beds = lake.occupancy.iter().filter(|row| row.int("bed_days").is_some());
    let beds = periods.sums(beds.map(|row| (row.month(), [row.count("patient_days"), row.count("bed_days")])));
    Trend {
        id: "trend-occupancy",
        title: format!("Bed occupancy by {}", periods.noun()),
        lines: vec![("Occupancy", beds)],
        of: ["patient-days", "bed-days"],
        shares: true,
        per: 1.0,
    }
}

/// The periods of a table that says which months are provisional.
fn periods(rows: &Rows) -> Periods {
    Periods::of(rows.iter().map(|row| (row.month(), row.flag("provisional"))))
}

/// The periods of a table whose months are all final.
fn final_periods(rows: &Rows) -> Periods {
    Periods::of(rows.iter().map(|row| (row.month(), false)))
}

/// Infections of all types by period, per 1,000 patient-days: its own section shows it.
pub(super) fn infections(lake: &Gathered) -> Markup {
    let periods = final_periods(&lake.infection);
    // Every type repeats its hospital's patient-days of the month: they are taken once.
    let types = lake.infection.iter().map(|row| (row.month(), [row.count("infections"), 0]));
    let days = lake.infection.iter().filter(|row| row.text("infection_type") == Some("clabsi"));
    let days = days.map(|row| (row.month(), [0, row.count("patient_days")]));
    let trend = Trend {
        id: "trend-infection",
        title: format!("Hospital-onset infections per 1,000 patient-days, by {}", periods.noun()),
        lines: vec![("All types", periods.sums(types.chain(days)))],
        of: ["infections", "patient-days"],
        shares: false,
        per: 1000.0,
    };
    html! {
        (chart::figure(&trend.words(&trend.describe(&periods)), |width| trend.draw(&periods, width)))
        (trend.table(&periods).behind_chart())
    }
}

impl Trend<'_> {
    fn value(&self, [numerator, denominator]: [i64; 2]) -> Option<f64> {
        Some(rate(numerator, denominator)? * self.per)
    }

    fn shown(&self, value: Option<f64>) -> String {
        or_none(value, |value| if self.shares { percent(value) } else { decimal(value, 2) })
    }

    /// Whether any line has a point.
    fn has_data(&self) -> bool {
        self.lines.iter().any(|(_, values)| values.iter().any(|[_, denominator]| *denominator > 0))
    }

    fn words<'a>(&'a self, description: &'a str) -> Words<'a> {
        Words { id: self.id, title: &self.title, description }
    }

    fn draw(&self, periods: &Periods, width: Width) -> Drawing {
        let looks = [(Colour::First, Mark::Circle), (Colour::Second, Mark::Triangle), (Colour::Third, Mark::Square)];
        let series = self.lines.iter().zip(looks).map(|((name, counts), (colour, mark))| {
            let values = counts.iter().map(|counts| self.value(*counts)).collect();
            Series { name, colour, mark, values }
        });
        let plot = Lines { periods, series: series.collect(), reference: None, shares: self.shares };
        chart::lines(&plot, width)
    }

    /// The least and the greatest value of each line, in words.
    fn describe(&self, periods: &Periods) -> String {
        let mut words = String::new();
        for (name, counts) in &self.lines {
            let values = counts.iter().zip(periods.names());
            let values: Vec<_> = values.filter_map(|(counts, name)| Some((self.value(*counts)?, name))).collect();
            let least = values.iter().min_by(|one, other| one.0.total_cmp(&other.0));
            let most = values.iter().max_by(|one, other| one.0.total_cmp(&other.0));
            if let (Some((least, when_least)), Some((most, when_most))) = (least, most) {
                let (least, most) = (self.shown(Some(*least)), self.shown(Some(*most)));
                let _ = write!(words, "{name}: from {least} in {when_least} to {most} in {when_most}. ");
            }
        }
        words + "The table below has every value."
    }

    fn table(&self, periods: &Periods) -> Table {
        let head =
            [if periods.noun() == "month" { "Month" } else { "Year" }, "Series", self.of[0], self.of[1], "Value"];
        let mut table = Table::new(self.title.clone(), 2, &head);
        for (period, (name, provisional)) in periods.names().iter().zip(periods.provisional()).enumerate() {
            // Over many years most have no data; over some months a gap is worth a row.
            let empty = self.lines.iter().all(|(_, counts)| counts.get(period).is_none_or(|counts| *counts == [0, 0]));
            if empty && periods.noun() == "year" {
                continue;
            }
            for (series, counts) in &self.lines {
                let counts = counts.get(period).copied().unwrap_or_default();
                let star = if *provisional { " *" } else { "" };
                let value = self.shown(self.value(counts));
                let [numerator, denominator] = counts;
                table.row([format!("{name}{star}"), (*series).to_owned(), count(numerator), count(denominator), value]);
            }
        }
        table
    }
}
