//! A trend: lines over months or years, their points told apart by shape, hollow where provisional.

use super::{
    Width,
    canvas::{Anchor, Canvas, Colour, Drawing, Mark, draw},
    decimals, text_width, ticks,
};
use crate::commands::report::periods::Periods;

/// One line.
pub(in crate::commands::report) struct Series<'a> {
    pub(in crate::commands::report) name: &'a str,
    pub(in crate::commands::report) colour: Colour,
    pub(in crate::commands::report) mark: Mark,
    /// A value a period; none breaks the line.
    pub(in crate::commands::report) values: Vec<Option<f64>>,
}

/// A trend.
pub(in crate::commands::report) struct Lines<'a> {
    pub(in crate::commands::report) periods: &'a Periods,
    pub(in crate::commands::report) series: Vec<Series<'a>>,
    /// A value to compare with, and what it is.
    pub(in crate::commands::report) reference: Option<(f64, String)>,
    /// Whether the values are shares, shown in per cent.
    pub(in crate::commands::report) shares: bool,
}

const TEXT: i32 = 13;
const LEFT: i32 = 46;
const RIGHT: i32 = 14;
const BOTTOM: i32 = 40;

pub(in crate::commands::report) fn lines(plot: &Lines<'_>, width: Width) -> Drawing {
    let pixels = width.pixels();
    let (legend, head) = legend(plot, pixels);
    let body = if width.is_wide() { 230 } else { 150 };
    let scale = Scale::of(plot, pixels, head, body);
    draw(pixels, head + body + BOTTOM, |canvas| {
        ground(canvas, plot, &scale);
        for (number, (x, y)) in legend.into_iter().enumerate() {
            if let Some(series) = plot.series.get(number) {
                canvas.line((x, y), (x + 22, y), series.colour, 2);
                canvas.mark(series.mark, (x + 11, y), 4, series.colour, false);
                canvas.text(series.name, (x + 28, y), TEXT, Colour::Ink, Anchor::Start);
            } else if let Some((_, name)) = &plot.reference {
                canvas.dashes((x, y), (x + 22, y), Colour::Ink);
                canvas.text(name, (x + 28, y), TEXT, Colour::Ink, Anchor::Start);
            }
        }
        if let Some((value, _)) = plot.reference {
            let y = scale.y(value);
            canvas.dashes((LEFT, y), (scale.right, y), Colour::Ink);
        }
        for series in plot.series.iter().rev() {
            line(canvas, plot, &scale, series);
        }
    })
}

/// Where the entries of the legend stand, and the height that they take.
fn legend(plot: &Lines<'_>, pixels: i32) -> (Vec<(i32, i32)>, i32) {
    let names = plot.series.iter().map(|series| series.name);
    let names: Vec<_> = names.chain(plot.reference.iter().map(|(_, name)| name.as_str())).collect();
    if names.len() < 2 {
        return (Vec::new(), 14);
    }
    let (mut x, mut y) = (LEFT, 12);
    let mut places = Vec::new();
    for name in names {
        let wide = 28 + text_width(name, TEXT) + 20;
        if x > LEFT && x + wide > pixels {
            (x, y) = (LEFT, y + 20);
        }
        places.push((x, y));
        x += wide;
    }
    (places, y + 20)
}

/// Where values lie.
struct Scale {
    top: f64,
    ticks: Vec<f64>,
    upper: i32,
    lower: i32,
    right: i32,
    step: f64,
}

impl Scale {
    fn of(plot: &Lines<'_>, pixels: i32, head: i32, body: i32) -> Self {
        let values = plot.series.iter().flat_map(|series| series.values.iter().flatten().copied());
        let most = values.chain(plot.reference.iter().map(|(value, _)| *value)).fold(0.0, f64::max);
        let (top, ticks) = ticks(if plot.shares { most * 100.0 } else { most }, 5);
        let right = pixels - RIGHT;
        let step = f64::from(right - LEFT) / plot.periods.len().max(1) as f64;
        Scale { top: if plot.shares { top / 100.0 } else { top }, ticks, upper: head, lower: head + body, right, step }
    }

    /// The middle of a period.
    fn x(&self, period: usize) -> i32 {
        LEFT + ((period as f64 + 0.5) * self.step) as i32
    }

    fn y(&self, value: f64) -> i32 {
        self.lower - (value / self.top * f64::from(self.lower - self.upper)).round() as i32
    }
}

/// Provisional periods, the grid and the axes.
fn ground(canvas: &Canvas, plot: &Lines<'_>, scale: &Scale) {
    for (period, _) in plot.periods.provisional().iter().enumerate().filter(|(_, provisional)| **provisional) {
        let left = scale.x(period) - (scale.step / 2.0) as i32;
        let size = (scale.step.ceil() as i32, scale.lower - scale.upper);
        canvas.rect((left, scale.upper), size, Colour::Shade);
    }
    let decimals = decimals(&scale.ticks);
    for tick in &scale.ticks {
        let y = scale.y(if plot.shares { tick / 100.0 } else { *tick });
        canvas.line((LEFT, y), (scale.right, y), if *tick == 0.0 { Colour::Third } else { Colour::Grid }, 1);
        let label = format!("{tick:.decimals$}{}", if plot.shares { " %" } else { "" });
        canvas.text(&label, (LEFT - 6, y), TEXT - 1, Colour::Quiet, Anchor::End);
    }
    let monthly = plot.periods.noun() == "month";
    let every = ((if monthly { 30.0 } else { 40.0 }) / scale.step).ceil().max(1.0) as usize;
    let mut year = "";
    for (period, name) in plot.periods.names().iter().enumerate().filter(|(period, _)| period % every == 0) {
        let (at, (of_year, month)) = (scale.x(period), name.split_once('-').unwrap_or((name, "")));
        let label = if monthly { short(month) } else { of_year };
        canvas.text(label, (at, scale.lower + 13), TEXT - 1, Colour::Quiet, Anchor::Middle);
        if monthly && of_year != year {
            canvas.text(of_year, (at, scale.lower + 29), TEXT - 1, Colour::Quiet, Anchor::Middle);
            year = of_year;
        }
    }
}

fn line(canvas: &Canvas, plot: &Lines<'_>, scale: &Scale, series: &Series<'_>) {
    let point = |(period, value): (usize, &Option<f64>)| value.map(|value| (scale.x(period), scale.y(value)));
    let points: Vec<_> = series.values.iter().enumerate().map(point).collect();
    for part in points.split(Option::is_none) {
        let part: Vec<_> = part.iter().flatten().copied().collect();
        if part.len() > 1 {
            canvas.path(&part, series.colour, 2);
        }
    }
    for (at, provisional) in points.iter().zip(plot.periods.provisional()) {
        if let Some(at) = at {
            canvas.mark(series.mark, *at, 4, series.colour, *provisional);
        }
    }
}

/// A month's short name, from its number.
pub(super) fn short(month: &str) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    month.parse::<usize>().ok().and_then(|month| NAMES.get(month.wrapping_sub(1))).copied().unwrap_or_default()
}
