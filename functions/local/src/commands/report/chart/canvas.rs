//! What charts are drawn on: the few SVG shapes and looks that the page uses.

use std::{cell::RefCell, fmt::Write as _};

use maud::{Markup, PreEscaped, html};

use crate::commands::report::html::Text;

/// A colour with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands::report) enum Colour {
    /// What the chart is about.
    First,
    /// What stands beside it.
    Second,
    /// What stands behind both.
    Third,
    /// Text.
    Ink,
    /// Text that steps back.
    Quiet,
    /// Lines of a grid.
    Grid,
    /// Ground under provisional months.
    Shade,
    /// The page.
    Paper,
    /// A step of a scale of one hue, from 0, the lightest, to 4.
    Step(usize),
}

impl Colour {
    fn hex(self) -> &'static str {
        const STEPS: [&str; 5] = ["#E6F0F7", "#B9D7EA", "#73B0D7", "#1F7BB6", "#0A4574"];
        match self {
            Colour::First => "#0072B2",
            Colour::Second => "#D55E00",
            Colour::Third => "#6B727B",
            Colour::Ink => "#1B222B",
            Colour::Quiet => "#555F6B",
            Colour::Grid => "#DDE2E7",
            Colour::Shade => "#F1F3F5",
            Colour::Paper => "#FFFFFF",
            Colour::Step(step) => STEPS[step.min(STEPS.len() - 1)],
        }
    }
}

/// The shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands::report) enum Mark {
    Circle,
    Triangle,
    Square,
}

/// Where a text stands from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A finished drawing.
pub(in crate::commands::report) struct Drawing {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The elements of the SVG, without the outermost.
    pub(super) shapes: Markup,
}

/// A drawing area, measured in pixels from its upper left corner.
#[derive(Default)]
pub(super) struct Canvas {
    shapes: RefCell<String>,
}

/// Draws on a new canvas.
pub(super) fn draw(width: i32, height: i32, paint: impl FnOnce(&Canvas)) -> Drawing {
    let canvas = Canvas::default();
    paint(&canvas);
    Drawing { width, height, shapes: PreEscaped(canvas.shapes.into_inner()) }
}

impl Canvas {
    /// Appends one element, a line of its own.
    fn element(&self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.shapes.borrow_mut(), "{element}");
    }

    pub(super) fn path(&self, points: &[(i32, i32)], colour: Colour, width: u32) {
        let (points, stroke) = (list(points), colour.hex());
        self.element(format_args!(
            r#"<polyline fill="none" stroke="{stroke}" stroke-width="{width}" points="{points}"/>"#
        ));
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), colour: Colour, width: u32) {
        self.path(&[from, to], colour, width);
    }

    /// A straight line of dashes, along either axis.
    pub(super) fn dashes(&self, from: (i32, i32), to: (i32, i32), colour: Colour) {
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
        let along = |done: i32| {
            let part = |a: i32, b: i32| a + (b - a) * done / length.max(1);
            (part(from.0, to.0), part(from.1, to.1))
        };
        let mut done = 0;
        while done < length {
            self.line(along(done), along((done + 6).min(length)), colour, 1);
            done += 10;
        }
    }

    pub(super) fn rect(&self, corner: (i32, i32), size: (i32, i32), colour: Colour) {
        self.rectangle(corner, size, colour.hex(), "none");
    }

    pub(super) fn outline(&self, corner: (i32, i32), size: (i32, i32), colour: Colour) {
        self.rectangle(corner, size, "none", colour.hex());
    }

    fn rectangle(&self, (x, y): (i32, i32), (width, height): (i32, i32), fill: &str, stroke: &str) {
        self.element(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}" stroke="{stroke}"/>"#
        ));
    }

    /// A point; a hollow one for what is provisional.
    pub(super) fn mark(&self, mark: Mark, at: (i32, i32), radius: i32, colour: Colour, hollow: bool) {
        self.shape(mark, at, radius, colour);
        if hollow {
            self.shape(mark, at, radius - 2, Colour::Paper);
        }
    }

    fn shape(&self, mark: Mark, (x, y): (i32, i32), r: i32, colour: Colour) {
        let fill = colour.hex();
        match mark {
            Mark::Circle => {
                self.element(format_args!(r#"<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}" stroke="none"/>"#));
            }
            Mark::Square => self.rect((x - r, y - r), (2 * r, 2 * r), colour),
            Mark::Triangle => {
                let points = list(&[(x, y - r - 1), (x + r + 1, y + r), (x - r - 1, y + r)]);
                self.element(format_args!(r#"<polygon fill="{fill}" points="{points}"/>"#));
            }
        }
    }

    pub(super) fn text(&self, text: &str, at: (i32, i32), size: i32, colour: Colour, anchor: Anchor) {
        self.styled(text, at, size, colour, anchor, None);
    }

    pub(super) fn bold(&self, text: &str, at: (i32, i32), size: i32, colour: Colour, anchor: Anchor) {
        self.styled(text, at, size, colour, anchor, Some("bold"));
    }

    fn styled(&self, text: &str, (x, y): (i32, i32), size: i32, colour: Colour, anchor: Anchor, weight: Option<&str>) {
        let text = html! {
            text x=(x) y=(y) dy="0.5ex" text-anchor=(anchor.name()) font-size=(size) font-weight=[weight]
                fill=(colour.hex()) { (Text(text)) }
        };
        self.element(format_args!("{}", text.into_string()));
    }
}

/// Points as SVG lists them.
fn list(points: &[(i32, i32)]) -> String {
    points.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}
