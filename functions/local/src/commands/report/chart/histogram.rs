//! A distribution: one column a value, the last for all that is longer.

use super::{
    Width,
    canvas::{Anchor, Colour, Drawing, Mark, draw},
    ticks,
};
use crate::commands::report::numbers::count;

/// A distribution.
pub(in crate::commands::report) struct Histogram<'a> {
    /// What a column stands for, and how many there are.
    pub(in crate::commands::report) columns: Vec<(String, i64)>,
    /// A place among the columns, as a share of a column's width from the first one's middle, and what is there.
    pub(in crate::commands::report) marks: Vec<(f64, String)>,
    /// What the columns stand for, below the axis.
    pub(in crate::commands::report) axis: &'a str,
}

const TEXT: i32 = 13;
const LEFT: i32 = 52;
const HEAD: i32 = 46;
const FOOT: i32 = 44;

pub(in crate::commands::report) fn histogram(plot: &Histogram<'_>, width: Width) -> Drawing {
    let pixels = width.pixels();
    let body = if width.is_wide() { 220 } else { 170 };
    let (right, lower) = (pixels - 10, HEAD + body);
    let step = f64::from(right - LEFT) / plot.columns.len().max(1) as f64;
    let most = plot.columns.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let (top, ticks) = ticks(most as f64, most.clamp(1, 5) as usize);
    let y = |value: f64| lower - (value / top * f64::from(body)).round() as i32;
    draw(pixels, lower + FOOT, |canvas| {
        for tick in &ticks {
            canvas.line((LEFT, y(*tick)), (right, y(*tick)), Colour::Grid, 1);
            canvas.text(&count(*tick as i64), (LEFT - 6, y(*tick)), TEXT - 1, Colour::Quiet, Anchor::End);
        }
        let every = (30.0 / step).ceil().max(1.0) as usize;
        for (column, (name, stays)) in plot.columns.iter().enumerate() {
            let left = LEFT + (column as f64 * step) as i32;
            let wide = (step as i32 - 3).max(1);
            let high = lower - y(*stays as f64);
            let last = column + 1 == plot.columns.len();
            if *stays > 0 {
                let corner = (left + 1, lower - high.max(1));
                // What is gathered in one column is outlined: it is no single length.
                match last && name.ends_with('+') {
                    true => canvas.outline(corner, (wide, high.max(1)), Colour::First),
                    false => canvas.rect(corner, (wide, high.max(1)), Colour::First),
                }
            }
            let middle = left + (step / 2.0) as i32;
            if (column % every == 0 && column + every < plot.columns.len()) || last {
                canvas.text(name, (middle, lower + 13), TEXT - 1, Colour::Quiet, Anchor::Middle);
            }
        }
        canvas.line((LEFT, lower), (right, lower), Colour::Third, 1);
        canvas.text(plot.axis, ((LEFT + right) / 2, lower + 33), TEXT - 1, Colour::Quiet, Anchor::Middle);
        for (row, (place, name)) in plot.marks.iter().enumerate() {
            let x = (LEFT + ((place + 0.5) * step) as i32).min(right);
            let text_y = 10 + row as i32 * 18;
            canvas.dashes((x, text_y), (x, lower), Colour::Ink);
            canvas.mark(Mark::Triangle, (x, lower + 4), 4, Colour::Ink, false);
            canvas.text(name, (x + 6, text_y), TEXT, Colour::Ink, Anchor::Start);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lines_lead_the_eye_however_many_stays() {
        for most in [1, 3, 4, 5, 57, 596, 123_456] {
            let columns = vec![("1".to_owned(), most), ("2".to_owned(), 1)];
            let drawing = histogram(&Histogram { columns, marks: Vec::new(), axis: "Days" }, Width::Wide);
            let shapes = drawing.shapes.into_string();
            // The lines of the grid and the axis; two columns have two names, and the axis its own.
            let (lines, names) = (shapes.matches("<polyline").count(), shapes.matches("<text").count());
            assert!((3..=7).contains(&lines) && names == lines - 1 + 3, "{most}: {lines} lines, {names} names");
        }
    }
}
