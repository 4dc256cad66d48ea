//! A calendar: a month a row, a day a cell, darker where there is more; on a wide page the number stands in the cell.

use std::collections::BTreeMap;

use metriccare_fhir::calendar::{Month, civil};

use super::{
    Width,
    canvas::{Anchor, Colour, Drawing, draw},
    lines::short,
    text_width,
};
use crate::commands::report::numbers::count;

/// Days and their values.
pub(in crate::commands::report) struct Calendar<'a> {
    /// Months from the first to the last, and the values of their dates.
    pub(in crate::commands::report) months: Vec<Month>,
    pub(in crate::commands::report) values: &'a BTreeMap<i32, i64>,
    /// The dates that have a value, 0 where none is named.
    pub(in crate::commands::report) dates: (i32, i32),
    /// What a value counts.
    pub(in crate::commands::report) noun: &'a str,
}

const TEXT: i32 = 13;
const HEAD: i32 = 24;

pub(in crate::commands::report) fn calendar(plot: &Calendar<'_>, width: Width) -> Drawing {
    let (pixels, wide) = (width.pixels(), width.is_wide());
    let left = if wide { 80 } else { 72 };
    let cell = (pixels - left - 4) / 31;
    let high = if wide { cell } else { 17 };
    let (first, last) = plot.dates;
    let value = |date: i32| (first..=last).contains(&date).then(|| plot.values.get(&date).copied().unwrap_or_default());
    let shown = plot.months.iter().flat_map(|month| month.first_day()..=month.last_day()).filter_map(value);
    let (least, most) = shown.fold((i64::MAX, 0), |(least, most), value| (least.min(value), most.max(value)));
    let steps = Steps { least: least.min(most), most };
    let lower = HEAD + plot.months.len() as i32 * high;
    let names: Vec<_> = (0..5).filter_map(|step| Some((step, steps.name(step)?))).collect();
    draw(pixels, lower + 44, |canvas| {
        for day in (1..=31).filter(|day| wide || day % 5 == 1) {
            let x = left + (day - 1) * cell + cell / 2;
            canvas.text(&day.to_string(), (x, 11), if wide { 11 } else { 12 }, Colour::Quiet, Anchor::Middle);
        }
        for (row, month) in plot.months.iter().enumerate() {
            let y = HEAD + row as i32 * high;
            let name = month.to_string();
            let (year, number) = name.split_once('-').unwrap_or((&name, ""));
            let size = if wide { TEXT } else { 12 };
            let at = (left - 8, y + high / 2);
            canvas.text(&format!("{} {year}", short(number)), at, size, Colour::Quiet, Anchor::End);
            for date in month.first_day()..=month.last_day() {
                let Some(value) = value(date) else { continue };
                let x = left + (civil(date).2 as i32 - 1) * cell;
                let step = steps.of(value);
                canvas.rect((x, y), (cell - 1, high - 1), Colour::Step(step));
                if wide && value < 1_000 {
                    let ink = if step >= 3 { Colour::Paper } else { Colour::Ink };
                    canvas.text(&value.to_string(), (x + cell / 2, y + high / 2), 11, ink, Anchor::Middle);
                }
            }
        }
        let mut x = if wide { left } else { 4 };
        for (step, name) in &names {
            canvas.rect((x, lower + 16), (16, 16), Colour::Step(*step));
            canvas.text(name, (x + 22, lower + 24), 12, Colour::Ink, Anchor::Start);
            x += 22 + text_width(name, 12) + 16;
        }
        if wide {
            canvas.text(plot.noun, (x, lower + 24), 12, Colour::Quiet, Anchor::Start);
        }
    })
}

/// Five steps of whole numbers from the least to the most.
struct Steps {
    least: i64,
    most: i64,
}

impl Steps {
    fn span(&self) -> i64 {
        self.most - self.least + 1
    }

    fn of(&self, value: i64) -> usize {
        usize::try_from((value - self.least) * 5 / self.span()).unwrap_or_default().min(4)
    }

    /// The values of a step; none where no whole number falls into it.
    fn name(&self, step: usize) -> Option<String> {
        let first = |step: i64| self.least + (step * self.span() + 4) / 5;
        let (low, high) = (first(step as i64), first(step as i64 + 1) - 1);
        match low.cmp(&high) {
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Equal => Some(count(low)),
            std::cmp::Ordering::Less => Some(format!("{}–{}", count(low), count(high))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_step_whose_name_says_so() {
        for (least, most) in [(0, 0), (0, 3), (17, 54), (0, 4), (5, 1005)] {
            let steps = Steps { least, most };
            for value in least..=most {
                let name = steps.name(steps.of(value)).expect("a step that holds a value has a name").replace(',', "");
                let (low, high) = name.split_once('–').unwrap_or((&name, &name));
                assert!((low.parse().unwrap()..=high.parse().unwrap()).contains(&value), "{value} in {name}");
            }
        }
    }
}
