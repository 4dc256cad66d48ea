//! What charts are drawn on: plotters' SVG back end, with the few shapes and looks that the page uses.
//!
//! A failure of the back end is kept until the drawing is done, so that charts read as a list of shapes.

use std::{cell::RefCell, fmt::Display};

use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, PathElement, Polygon, Rectangle},
    style::{
        Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::output::failure::Failure;

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
    fn rgb(self) -> RGBColor {
        const STEPS: [RGBColor; 5] = [
            RGBColor(0xe6, 0xf0, 0xf7),
            RGBColor(0xb9, 0xd7, 0xea),
            RGBColor(0x73, 0xb0, 0xd7),
            RGBColor(0x1f, 0x7b, 0xb6),
            RGBColor(0x0a, 0x45, 0x74),
        ];
        match self {
            Colour::First => RGBColor(0x00, 0x72, 0xb2),
            Colour::Second => RGBColor(0xd5, 0x5e, 0x00),
            Colour::Third => RGBColor(0x6b, 0x72, 0x7b),
            Colour::Ink => RGBColor(0x1b, 0x22, 0x2b),
            Colour::Quiet => RGBColor(0x55, 0x5f, 0x6b),
            Colour::Grid => RGBColor(0xdd, 0xe2, 0xe7),
            Colour::Shade => RGBColor(0xf1, 0xf3, 0xf5),
            Colour::Paper => RGBColor(0xff, 0xff, 0xff),
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

/// A finished drawing.
pub(in crate::commands::report) struct Drawing {
    pub(super) width: i32,
    pub(super) height: i32,
    /// The elements of the SVG, without the outermost.
    pub(super) shapes: String,
}

/// A ground of pixels to draw on.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    failure: RefCell<Option<String>>,
}

/// Draws on a new canvas.
pub(super) fn draw(width: i32, height: i32, paint: impl FnOnce(&Canvas<'_>)) -> Result<Drawing, Failure> {
    let mut svg = String::new();
    let size = (width.unsigned_abs(), height.unsigned_abs());
    let canvas =
        Canvas { area: SVGBackend::with_string(&mut svg, size).into_drawing_area(), failure: RefCell::new(None) };
    paint(&canvas);
    canvas.keep(canvas.area.present());
    let failure = canvas.failure.take();
    drop(canvas);
    if let Some(failure) = failure {
        return Err(Failure::failed(format!("a chart cannot be drawn: {failure}")));
    }
    let shapes = svg.split_once('>').and_then(|(_, inner)| inner.rsplit_once("</svg>")).map_or("", |(inner, _)| inner);
    // The page's style sheet names the font; full opacity is what SVG takes without a word.
    let shapes =
        shapes.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "").replace(" \"/>", "\"/>");
    Ok(Drawing { width, height, shapes: shapes.trim_start().to_owned() })
}

impl Canvas<'_> {
    fn keep<E: Display>(&self, drawn: Result<(), E>) {
        if let Err(error) = drawn {
            self.failure.borrow_mut().get_or_insert_with(|| error.to_string());
        }
    }

    pub(super) fn path(&self, points: &[(i32, i32)], colour: Colour, width: u32) {
        self.keep(self.area.draw(&PathElement::new(points.to_vec(), colour.rgb().stroke_width(width))));
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
        self.rectangle(corner, size, colour.rgb().filled());
    }

    pub(super) fn outline(&self, corner: (i32, i32), size: (i32, i32), colour: Colour) {
        self.rectangle(corner, size, colour.rgb().stroke_width(1));
    }

    fn rectangle(&self, corner: (i32, i32), size: (i32, i32), style: ShapeStyle) {
        let other = (corner.0 + size.0, corner.1 + size.1);
        self.keep(self.area.draw(&Rectangle::new([corner, other], style)));
    }

    /// A point; a hollow one for what is provisional.
    pub(super) fn mark(&self, mark: Mark, at: (i32, i32), radius: i32, colour: Colour, hollow: bool) {
        self.shape(mark, at, radius, colour);
        if hollow {
            self.shape(mark, at, radius - 2, Colour::Paper);
        }
    }

    fn shape(&self, mark: Mark, (x, y): (i32, i32), r: i32, colour: Colour) {
        let style = colour.rgb().filled();
        match mark {
            Mark::Circle => self.keep(self.area.draw(&Circle::new((x, y), r, style))),
            Mark::Square => self.rect((x - r, y - r), (2 * r, 2 * r), colour),
            Mark::Triangle => {
                let points = vec![(x, y - r - 1), (x + r + 1, y + r), (x - r - 1, y + r)];
                self.keep(self.area.draw(&Polygon::new(points, style)));
            }
        }
    }

    pub(super) fn text(&self, text: &str, at: (i32, i32), size: i32, colour: Colour, anchor: Anchor) {
        self.styled(text, at, size, colour, anchor, FontStyle::Normal);
    }

    pub(super) fn bold(&self, text: &str, at: (i32, i32), size: i32, colour: Colour, anchor: Anchor) {
        self.styled(text, at, size, colour, anchor, FontStyle::Bold);
    }

    fn styled(&self, text: &str, at: (i32, i32), size: i32, colour: Colour, anchor: Anchor, weight: FontStyle) {
        let position = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // The back end divides a font's size by this number before it writes it.
        let font = FontDesc::new(FontFamily::SansSerif, f64::from(size) * 1.24, weight);
        let style = font.color(&colour.rgb()).pos(Pos::new(position, VPos::Center));
        // Control characters are not allowed in the page, and the back end lets them through.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.keep(self.area.draw_text(&text, &style, at));
    }
}
