//! One row a thing: bars of one or two parts, or points with their intervals, always with the number beside them.

use super::{
    Width,
    canvas::{Anchor, Canvas, Colour, Drawing, Mark, draw},
    decimals, fit, text_width, ticks,
};

/// A bar: a full part, an outlined part after it, and the number in words.
pub(in crate::commands::report) struct Bar {
    pub(in crate::commands::report) label: String,
    pub(in crate::commands::report) full: f64,
    pub(in crate::commands::report) outlined: f64,
    pub(in crate::commands::report) words: String,
    /// Whether the bar is what the chart leads to.
    pub(in crate::commands::report) strong: bool,
}

/// A point with its 95 % interval; no point where there is no rate.
pub(in crate::commands::report) struct Dot {
    pub(in crate::commands::report) label: String,
    pub(in crate::commands::report) value: Option<f64>,
    pub(in crate::commands::report) interval: Option<(f64, f64)>,
    pub(in crate::commands::report) words: String,
    pub(in crate::commands::report) mark: Mark,
    pub(in crate::commands::report) colour: Colour,
}

/// What the rows share.
#[derive(Default)]
pub(in crate::commands::report) struct Rows<'a> {
    /// What a full and an outlined part are; no legend where empty.
    pub(in crate::commands::report) parts: [&'a str; 2],
    /// A share to compare with, and what it is.
    pub(in crate::commands::report) reference: Option<(f64, &'a str)>,
    /// Room for the words on the right of a wide chart, in characters.
    pub(in crate::commands::report) words: i32,
}

const TEXT: i32 = 13;
const FOOT: i32 = 22;

/// Where rows lie: beside their labels on a wide page, below them on a narrow one.
struct Layout {
    wide: bool,
    pixels: i32,
    left: i32,
    right: i32,
    head: i32,
    step: i32,
}

impl Layout {
    fn of(rows: &Rows<'_>, width: Width, head: i32) -> Self {
        let pixels = width.pixels();
        if width.is_wide() {
            let words = rows.words.max(8) * TEXT * 54 / 100;
            Layout { wide: true, pixels, left: 256, right: pixels - words - 16, head, step: 26 }
        } else {
            Layout { wide: false, pixels, left: 6, right: pixels - 10, head, step: 40 }
        }
    }

    /// The middle of a row's bar.
    fn y(&self, row: usize) -> i32 {
        self.head + row as i32 * self.step + if self.wide { 13 } else { 28 }
    }

    fn height(&self, rows: usize, foot: i32) -> i32 {
        self.head + rows as i32 * self.step + foot
    }

    /// From where to where an upright line is drawn: all the way, but on a narrow page not through the labels.
    fn beside_bars(&self, rows: usize) -> Vec<(i32, i32)> {
        if self.wide {
            return vec![(self.head, self.height(rows, 0))];
        }
        (0..rows).map(|row| (self.y(row) - 8, self.y(row) + 8)).collect()
    }

    fn x(&self, part: f64) -> i32 {
        self.left + (part.clamp(0.0, 1.0) * f64::from(self.right - self.left)).round() as i32
    }

    fn label(&self, canvas: &Canvas, row: usize, label: &str, words: &str, strong: bool) {
        let y = self.y(row);
        let write = |text: &str, at, anchor| match strong {
            true => canvas.bold(text, at, TEXT, Colour::Ink, anchor),
            false => canvas.text(text, at, TEXT, Colour::Ink, anchor),
        };
        if self.wide {
            write(&fit(label, self.left - 14, TEXT), (self.left - 10, y), Anchor::End);
            canvas.text(words, (self.pixels - 4, y), TEXT, Colour::Quiet, Anchor::End);
        } else {
            let room = self.right - self.left - 12 - text_width(words, TEXT);
            write(&fit(label, room, TEXT), (self.left, y - 16), Anchor::Start);
            canvas.text(words, (self.right, y - 16), TEXT, Colour::Quiet, Anchor::End);
        }
    }
}

/// Bars.
pub(in crate::commands::report) fn bars(rows: &Rows<'_>, bars: &[Bar], width: Width) -> Drawing {
    let head = if rows.parts[0].is_empty() { 6 } else { 30 };
    let layout = Layout::of(rows, width, head);
    let reference = rows.reference.map(|(value, _)| value);
    let most =
        bars.iter().map(|bar| bar.full + bar.outlined).chain(reference).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let foot = if reference.is_some() { FOOT } else { 4 };
    draw(layout.pixels, layout.height(bars.len(), foot), |canvas| {
        if head > 6 {
            legend(canvas, &layout, rows.parts);
        }
        for (row, bar) in bars.iter().enumerate() {
            let (y, full, end) = (layout.y(row), layout.x(bar.full / most), layout.x((bar.full + bar.outlined) / most));
            let thick = if layout.wide { 14 } else { 10 };
            layout.label(canvas, row, &bar.label, &bar.words, bar.strong);
            if full > layout.left || bar.full > 0.0 {
                canvas.rect((layout.left, y - thick / 2), ((full - layout.left).max(1), thick), Colour::First);
            }
            if bar.outlined > 0.0 {
                let size = ((end - full).max(2) - 1, thick - 1);
                canvas.outline((full, y - thick / 2), size, Colour::First);
            }
        }
        // On a narrow page labels stand where the axis would cross them.
        if layout.wide {
            canvas.line((layout.left, layout.head), (layout.left, layout.height(bars.len(), 0)), Colour::Third, 1);
        }
        mark_reference(canvas, &layout, rows, bars.len(), most, 12);
    })
}

/// Points with intervals, on a scale of shares.
pub(in crate::commands::report) fn dots(rows: &Rows<'_>, dots: &[Dot], width: Width) -> Drawing {
    let layout = Layout::of(rows, width, 6);
    let reference = rows.reference.map(|(value, _)| value);
    // Intervals of few cases reach far: the scale is for the points, and longer intervals leave it.
    let values = dots.iter().filter_map(|dot| dot.value).chain(reference).fold(0.0, f64::max);
    let highs = dots.iter().filter_map(|dot| dot.interval).map(|(_, high)| high).fold(values, f64::max);
    let (top, ticks) = ticks((highs.min(values * 2.2)).min(1.0) * 100.0, if layout.wide { 6 } else { 5 });
    let (most, decimals) = (top / 100.0, decimals(&ticks));
    let foot = if reference.is_some() { FOOT + 20 } else { FOOT };
    draw(layout.pixels, layout.height(dots.len(), foot), |canvas| {
        let lower = layout.height(dots.len(), 0);
        for tick in &ticks {
            let x = layout.x(tick / top);
            for (from, to) in layout.beside_bars(dots.len()) {
                canvas.line((x, from), (x, to), Colour::Grid, 1);
            }
            let anchor = if *tick == 0.0 && !layout.wide { Anchor::Start } else { Anchor::Middle };
            let anchor = if *tick == top && !layout.wide { Anchor::End } else { anchor };
            canvas.text(&format!("{tick:.decimals$} %"), (x, lower + 12), TEXT - 1, Colour::Quiet, anchor);
        }
        for (row, dot) in dots.iter().enumerate() {
            layout.label(canvas, row, &dot.label, &dot.words, false);
            let y = layout.y(row);
            if let Some((low, high)) = dot.interval {
                let (from, to) = (layout.x(low / most), layout.x(high / most));
                canvas.line((from, y), (to, y), dot.colour, 2);
                canvas.line((from, y - 4), (from, y + 4), dot.colour, 1);
                if high <= most {
                    canvas.line((to, y - 4), (to, y + 4), dot.colour, 1);
                } else {
                    canvas.path(&[(to - 5, y - 4), (to, y), (to - 5, y + 4)], dot.colour, 1);
                }
            }
            if let Some(value) = dot.value {
                canvas.mark(dot.mark, (layout.x(value / most), y), 5, dot.colour, false);
            }
        }
        mark_reference(canvas, &layout, rows, dots.len(), most, 31);
    })
}

fn legend(canvas: &Canvas, layout: &Layout, parts: [&str; 2]) {
    let [full, outlined] = parts;
    canvas.rect((layout.left, 7), (14, 10), Colour::First);
    canvas.text(full, (layout.left + 20, 12), TEXT, Colour::Ink, Anchor::Start);
    if !outlined.is_empty() {
        let x = layout.left + 44 + text_width(full, TEXT);
        canvas.outline((x, 7), (14, 10), Colour::First);
        canvas.text(outlined, (x + 20, 12), TEXT, Colour::Ink, Anchor::Start);
    }
}

fn mark_reference(canvas: &Canvas, layout: &Layout, rows: &Rows<'_>, number: usize, most: f64, below: i32) {
    if let Some((value, name)) = rows.reference {
        let (x, lower) = (layout.x(value / most), layout.height(number, 0));
        for (from, to) in layout.beside_bars(number) {
            canvas.dashes((x, from), (x, to), Colour::Ink);
        }
        let y = lower + below;
        let half = text_width(name, TEXT) / 2;
        let x = x.clamp((layout.left + half).min(layout.right), (layout.right - half).max(layout.left));
        canvas.text(name, (x, y), TEXT, Colour::Ink, Anchor::Middle);
    }
}
