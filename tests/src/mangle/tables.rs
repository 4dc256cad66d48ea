//! Mutations of CSV: quotes, separators, headers and widths as spreadsheets and scripts leave them.

use super::{Mangled, Step, some};
use crate::crowded::Draw;

const STEPS: &[Step<Vec<Vec<String>>>] = &[
    ("a cell replaced", |draw, rows| {
        let word = draw.one_of(&[
            "",
            "\"",
            "\"\"",
            "\"a,b\"",
            "\"never closed",
            "a\"b",
            "=HYPERLINK(\"x\")",
            "\u{0}",
            "NaN",
            "-0",
            "1e999",
            "99999999999999999999",
            "2025-02-30",
            "\"two\nlines\"",
            "'",
            "\u{a0}",
            "İ",
            "true",
            "a:b",
            "12,5",
            "$1,000.00",
        ]);
        cell(draw, rows, |cell| *cell = word.to_owned());
    }),
    ("a cell too many", |draw, rows| row(draw, rows, |row| row.push("more".to_owned()))),
    ("a cell too few", |draw, rows| {
        row(draw, rows, |row| {
            row.pop();
        });
    }),
    ("a column too many", |_, rows| rows.iter_mut().for_each(|row| row.push("x".to_owned()))),
    ("a column removed", |draw, rows| {
        let at = draw.number_less_than(rows[0].len().max(1));
        for row in rows.iter_mut().filter(|row| at < row.len()) {
            row.remove(at);
        }
    }),
    ("two columns exchanged", |draw, rows| {
        let (a, b) = (draw.number_less_than(rows[0].len().max(1)), draw.number_less_than(rows[0].len().max(1)));
        for row in rows.iter_mut().filter(|row| a.max(b) < row.len()) {
            row.swap(a, b);
        }
    }),
    ("a column twice", |draw, rows| {
        let at = draw.number_less_than(rows[0].len().max(1));
        for row in rows.iter_mut().filter(|row| at < row.len()) {
            row.push(row[at].clone());
        }
    }),
    ("a header in capitals", |_, rows| rows[0].iter_mut().for_each(|name| *name = name.to_uppercase())),
    ("no header", |_, rows| {
        if rows.len() > 1 {
            rows.remove(0);
        }
    }),
    ("a header once more", |draw, rows| {
        let (at, header) = (draw.number_less_than(rows.len()), rows[0].clone());
        rows.insert(at, header);
    }),
    ("thousands of columns", |draw, rows| row(draw, rows, |row| row.resize(3_000, "c".to_owned()))),
    ("an empty row", |draw, rows| {
        let at = draw.number_less_than(rows.len());
        rows.insert(at, Vec::new());
    }),
    ("a row twice", |draw, rows| {
        let at = draw.number_less_than(rows.len());
        rows.push(rows[at].clone());
    }),
];

/// Mangles the rows of a table.
pub(super) fn mangle(draw: &mut Draw, mangled: &mut Mangled) {
    let text = String::from_utf8_lossy(&mangled.bytes).into_owned();
    let mut rows: Vec<Vec<String>> = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    some(draw, STEPS, &mut rows, &mut mangled.steps);
    let separator = if draw.percent(10) { draw.one_of(&[";", "\t", "|", ", "]) } else { "," };
    let end = draw.one_of(&["\n", "\n", "\r\n", "\r"]);
    mangled.steps.push(format!("{separator:?} and {end:?}"));
    mangled.bytes = rows.iter().map(|row| row.join(separator) + end).collect::<String>().into_bytes();
}

fn row(draw: &mut Draw, rows: &mut [Vec<String>], with: impl FnOnce(&mut Vec<String>)) {
    let at = draw.number_less_than(rows.len());
    with(&mut rows[at]);
}

fn cell(draw: &mut Draw, rows: &mut [Vec<String>], with: impl FnOnce(&mut String)) {
    let at = draw.number_less_than(rows.len());
    let cells = rows[at].len();
    let at_cell = draw.number_less_than(cells.max(1));
    if let Some(cell) = rows[at].get_mut(at_cell) {
        with(cell);
    }
}
