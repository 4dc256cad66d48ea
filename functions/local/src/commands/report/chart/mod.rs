//! Charts as inline SVG: each is drawn twice, for a wide and for a narrow page, and has a title and a description.
//!
//! What differs is told apart by shape and label as well as by colour; the colours are those of Okabe and Ito, which
//! colour-blind people can tell apart, and the order of their lightness holds in grey print.

mod calendar;
mod canvas;
mod histogram;
mod lines;
mod rows;

pub(super) use self::{
    calendar::{Calendar, calendar},
    canvas::{Colour, Drawing, Mark},
    histogram::{Histogram, histogram},
    lines::{Lines, Series, lines},
    rows::{Bar, Dot, Rows, bars, dots},
};
use maud::{Markup, html};

use super::html::Text;

/// How much room a chart has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// A column of a desktop page or of print.
    Wide,
    /// A telephone, or one of two charts side by side.
    Narrow,
}

impl Width {
    /// In pixels.
    pub(super) fn pixels(self) -> i32 {
        match self {
            Width::Wide => 880,
            Width::Narrow => 400,
        }
    }

    fn is_wide(self) -> bool {
        self == Width::Wide
    }
}

/// What a chart is called and what it shows, for those who do not see it.
pub(super) struct Words<'a> {
    /// Names the chart in the page: letters and hyphens.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
}

/// A figure over the page's whole width, drawn for either kind of page.
pub(super) fn figure(words: &Words<'_>, draw: impl Fn(Width) -> Drawing) -> Markup {
    html! {
        figure id=(words.id) {
            figcaption { (Text(words.title)) }
            (inline(words, "wide", draw(Width::Wide)))
            (inline(words, "narrow", draw(Width::Narrow)))
        }
        "\n"
    }
}

/// A figure that is narrow on every page, so that two stand side by side.
pub(super) fn small_figure(words: &Words<'_>, drawing: Drawing) -> Markup {
    html! {
        figure id=(words.id) {
            figcaption { (Text(words.title)) }
            (inline(words, "small", drawing))
        }
        "\n"
    }
}

fn inline(words: &Words<'_>, class: &str, drawing: Drawing) -> Markup {
    let Drawing { width, height, shapes } = drawing;
    let id = format!("{}-{class}", words.id);
    html! {
        svg class=(class) viewBox={ "0 0 " (width) " " (height) } role="img"
            aria-labelledby={ (id) "-t" } aria-describedby={ (id) "-d" } {
            title id={ (id) "-t" } { (Text(words.title)) }
            desc id={ (id) "-d" } { (Text(words.description)) }
            "\n"
            (shapes)
        }
    }
}

/// The lowest tick that is not below a number, and the ticks up to it.
fn ticks(top: f64, at_most: usize) -> (f64, Vec<f64>) {
    if !(top.is_finite() && top > 0.0) {
        return (1.0, vec![0.0, 1.0]);
    }
    let mut unit = libm::exp10(libm::log10(top).floor() - 1.0);
    loop {
        for step in [1.0, 2.0, 2.5, 5.0].map(|times| times * unit) {
            let steps = (top / step - 1e-9).ceil() as usize;
            if steps <= at_most {
                let ticks: Vec<f64> = (0..=steps).map(|tick| tick as f64 * step).collect();
                return (steps as f64 * step, ticks);
            }
        }
        unit *= 10.0;
    }
}

/// The decimals that tell ticks apart.
fn decimals(ticks: &[f64]) -> usize {
    let step = ticks.get(1).copied().unwrap_or(1.0);
    (0..4).find(|decimals| ((step * libm::exp10(f64::from(*decimals))).fract()).abs() < 1e-6).unwrap_or(3) as usize
}

/// A name cut to what fits into so many pixels.
fn fit(name: &str, pixels: i32, size: i32) -> String {
    if text_width(name, size) <= pixels {
        return name.to_owned();
    }
    let mut kept = String::new();
    for c in name.chars() {
        kept.push(c);
        if text_width(&kept, size) + size > pixels {
            kept.pop();
            break;
        }
    }
    kept.trim_end().to_owned() + "…"
}

/// About how wide a text is, in pixels: the reader's font is not known, so capitals and wide scripts count for more.
fn text_width(text: &str, size: i32) -> i32 {
    let of = |c: char| match c {
        c if c.is_uppercase() => 72,
        c if c.is_ascii() || c.is_alphabetic() && c < '\u{1100}' => 57,
        c if c < '\u{2e80}' => 60,
        _ => 105,
    };
    text.chars().map(of).sum::<i32>() * size / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(0.187, 5), (0.2, vec![0.0, 0.05, 0.1, 0.15000000000000002, 0.2]));
        assert_eq!(ticks(42.0, 5).0, 50.0);
        assert_eq!(ticks(0.0, 5).0, 1.0);
        assert_eq!(ticks(f64::NAN, 5).0, 1.0);
        assert_eq!(decimals(&[0.0, 0.25]), 2);
        assert_eq!(decimals(&[0.0, 5.0]), 0);
    }

    #[test]
    fn powers_of_ten_are_the_nearest_numbers_everywhere() {
        for power in -9..=12 {
            let written: f64 = format!("1e{power}").parse().expect("a number");
            assert_eq!(libm::exp10(f64::from(power)).to_bits(), written.to_bits(), "{power}");
        }
    }

    #[test]
    fn names_are_cut_to_what_fits() {
        assert_eq!(fit("Krankenhaus Zürich", 400, 13), "Krankenhaus Zürich");
        for name in ["NEWMAN MEMORIAL COUNTY HOSPITAL", "Krankenhaus Zürich Süd am See", "東京医療センター病院本館"]
        {
            let cut = fit(name, 120, 13);
            assert!(cut.ends_with('…') && text_width(&cut, 13) <= 125, "{cut}");
        }
    }
}
